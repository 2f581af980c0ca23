// SPDX-License-Identifier: MIT
/// The few functions that a posterior needs, on integers alone. A format is in each name: q31 counts units of 2^-31.
#ifndef CHAFF_INT8_FIXED_POINT_HPP
#define CHAFF_INT8_FIXED_POINT_HPP

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "chaff needs C++20: compile with -std=c++20"
#include <chaff/stops_here>  // which is not there, so that the compiler stops after the sentence
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "chaff/int8/table.h"

namespace chaff::int8 {

/// a b 2^-shift, rounded down, shift in [1, 32]. The product must have room in 64 bits once it is shifted.
[[gnu::always_inline]] constexpr std::uint64_t times(std::uint64_t a, std::uint32_t b, int shift) {
  return ((a >> 32) * b << (32 - shift)) + ((a & 0xffffffffu) * b >> shift);
}

// Polynomials in x - 1/2, x in [0, 1): Sollya's fpminimax over [-1/2, 1/2], fixed-point in q30. They are part of a
// table so that a step is a load, a multiplication and an addition: as constants in the code they take twice the room.
inline constexpr std::int32_t exp2_coefficients_q30[6] = {759250182, -526272118, 182387885,
                                                          -42140633, 7346517,    -1018173};
inline constexpr std::int32_t rise_coefficients_q30[10] = {357914007,  -954437635, 636278548, -424163596, 283201020,
                                                           -189118989, 121293817,  -79164805, 74731325,   -52839192};
inline constexpr std::int32_t log1m_coefficients_q30[9] = {308896283, 715827345, 238607739, 106076840, 53065851,
                                                           27882173,  15314782,  10999306,  6766618};

/// c_0 + y (c_1 + y (...)), y = x - 1/2. Each step keeps the upper half of one product, rounded down; no partial sum
/// leaves 32 bits. Unrolled, for the loop over the items of a row.
template <std::size_t at = 0, std::size_t N>
[[gnu::always_inline]] constexpr std::int32_t polynomial(const std::int32_t (&c)[N], std::uint32_t x_q32) {
  if constexpr (at + 1 == N) {
    return c[at];
  } else {
    const auto y_q32 = static_cast<std::int32_t>(x_q32 ^ 0x80000000u);
    return c[at] + static_cast<std::int32_t>(static_cast<std::int64_t>(polynomial<at + 1>(c, x_q32)) * y_q32 >> 32);
  }
}

/// The polynomial of `polynomial`, in a loop: smaller code, for what is computed once for each row.
[[gnu::noinline]] constexpr std::int32_t polynomial_once(const std::int32_t* c, int degree, std::uint32_t x_q32) {
  const auto y_q32 = static_cast<std::int32_t>(x_q32 ^ 0x80000000u);
  std::int32_t sum = c[degree];
  while (--degree >= 0) sum = c[degree] + static_cast<std::int32_t>(static_cast<std::int64_t>(sum) * y_q32 >> 32);
  return sum;
}

/// x in [0, 1], in q30, as the q32 of a polynomial, which must stay below 1.
[[gnu::always_inline]] constexpr std::uint32_t below_1_q32(std::uint32_t x_q30) {
  return (x_q30 - (x_q30 >> 30)) << 2;
}

/// 2^-x in q30, x in [0, 32) in q26. Largest error: 1.2e-7 relative, and a unit.
[[gnu::always_inline]] constexpr std::uint32_t exp2_minus_q30(const chaff_int8_table& table, std::uint32_t x_q26) {
  return static_cast<std::uint32_t>(polynomial(table.exp2_q30, x_q26 << 6)) >> (x_q26 >> 26);
}
/// 2^-x in q46, x in [0, 64) in q26, in smaller code, for what is computed once for each row.
constexpr std::uint64_t exp2_minus_once_q46(const chaff_int8_table& table, std::uint32_t x_q26) {
  return static_cast<std::uint64_t>(polynomial_once(table.exp2_q30, 5, x_q26 << 6)) << 16 >> (x_q26 >> 26);
}

/// (1 - t) / (1 + t) in q30, t in [0, 1]. Largest error: 8e-8, so at 1 it may be a little below 0. 1 / (1 + t) is half
/// of it, and 1/2.
[[gnu::always_inline]] constexpr std::int32_t rise_q30(const chaff_int8_table& table, std::uint32_t t_q30) {
  return polynomial(table.rise_q30, below_1_q32(t_q30));
}
constexpr std::int32_t rise_once_q30(const chaff_int8_table& table, std::uint32_t t_q30) {
  return polynomial_once(table.rise_q30, 9, below_1_q32(t_q30));
}

/// -log(1 - p) in q30, p in [0, 1/2]. Largest error: 5e-8.
[[gnu::always_inline]] constexpr std::int32_t minus_log1m_q30(const chaff_int8_table& table, std::uint32_t p_q31) {
  return polynomial(table.log1m_q30, below_1_q32(p_q31));
}

/// log s in q26, s >= 1. Largest error: 2e-7. s = 2^n m with m in [1/2, 1); log s = n log 2 - (-log(1 - (1 - m))).
constexpr std::int32_t log_q26(const chaff_int8_table& table, std::uint64_t s_q44) {
  constexpr std::int32_t log_2_q26 = 46516320;
  const int zeros = std::countl_zero(s_q44);
  const auto m_q31 = static_cast<std::uint32_t>((s_q44 << zeros) >> 33);
  return (20 - zeros) * log_2_q26 - (polynomial_once(table.log1m_q30, 8, below_1_q32(0x80000000u - m_q31)) >> 4);
}

/// 1 / s = mantissa 2^(zeros - 95), s > 0. Largest relative error: 1e-9. Found by rise, which is good to 4e-8 of 1 / m,
/// and one step of Newton's method; m is s without its zeros, in [1, 2).
struct reciprocal {
  std::uint32_t mantissa;  ///< in [2^31, 2^32)
  int zeros;               ///< leading zeros of s

  constexpr reciprocal(const chaff_int8_table& table, std::uint64_t s) : zeros(std::countl_zero(s)) {
    const auto m_q31 = static_cast<std::uint32_t>((s << zeros) >> 32);
    const auto near_q31 = static_cast<std::uint32_t>(rise_once_q30(table, (m_q31 & 0x7fffffffu) >> 1) + (1 << 30));
    // what 1 lacks of m near, in q62
    const std::int64_t lacks_q62 = (std::int64_t{1} << 62) - static_cast<std::int64_t>(std::uint64_t{m_q31} * near_q31);
    const std::int64_t better_q32 = (std::int64_t{near_q31} << 1) + ((lacks_q62 >> 24) * near_q31 >> 37);
    mantissa = better_q32 >> 32 != 0 ? 0xffffffffu : static_cast<std::uint32_t>(better_q32);
  }
};

}  // namespace chaff::int8

#endif
