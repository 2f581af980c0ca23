// SPDX-License-Identifier: MIT
/// The few functions that a posterior needs, on integers alone. A format is in each name: q31 counts units of 2^-31.
#ifndef CHAFF_INT8_FIXED_POINT_HPP
#define CHAFF_INT8_FIXED_POINT_HPP

#include <bit>
#include <cstddef>
#include <cstdint>

namespace chaff::int8 {

/// a b 2^-31, rounded down. No overflow but for a = b = -2^31, which no caller passes.
constexpr std::int32_t times_q31(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b) >> 31);
}

/// The polynomial with the given coefficients, the highest first, at x in [0, 1); in the coefficients' format.
template <std::size_t N>
constexpr std::int32_t polynomial(const std::int32_t (&coefficients)[N], std::int32_t x_q31) {
  std::int32_t y = coefficients[0];
  for (std::size_t i = 1; i < N; ++i) y = times_q31(y, x_q31) + coefficients[i];
  return y;
}

/// 2^-x in q30, x in [0, 64). Largest error: 7e-8. The coefficients are Sollya's fpminimax, degree 5 on [0, 1).
constexpr std::uint32_t exp2_minus_q30(std::uint32_t x_q26) {
  constexpr std::int32_t coefficients[] = {-1018157, 9891945, -59379136, 257891359, -744256923, 1073741767};
  const std::uint32_t whole = x_q26 >> 26;
  if (whole > 30) return 0;
  return static_cast<std::uint32_t>(polynomial(coefficients, static_cast<std::int32_t>((x_q26 & 0x3ffffff) << 5))) >>
         whole;
}

/// -log(1 - p) in q29, p in [0, 1/2]. Largest error: 1e-7. Sollya's fpminimax, degree 7.
constexpr std::int32_t minus_log1m_q29(std::int32_t p_q31) {
  constexpr std::int32_t coefficients[] = {652272520, -608864857, 441085236, 13788776,
                                           147323497, 178070540,  268458113, 536870817};
  return times_q31(polynomial(coefficients, p_q31), p_q31);
}

/// log s in q26, s > 0. Largest error: 2e-7. s = 2^n m with m in [1/2, 1); log s = n log 2 - (-log(1 - (1 - m))).
constexpr std::int32_t log_q26(std::uint64_t s_q47) {
  constexpr std::int32_t log_2_q26 = 46516320;
  const int zeros = std::countl_zero(s_q47);
  const auto m_q31 = static_cast<std::uint32_t>((s_q47 << zeros) >> 33);
  return (17 - zeros) * log_2_q26 - (minus_log1m_q29(static_cast<std::int32_t>(0x80000000u - m_q31)) >> 3);
}

/// 1 / u in q30, u in [1, 2]. Largest error: 2e-8. A cubic (relative error 2^-9.2), then d <- d (1 + c + c^2), c = 1 - u d.
constexpr std::uint32_t reciprocal_q30(std::uint32_t u_q30) {
  constexpr std::int32_t coefficients_q28[] = {-476390752, 1429172864, -1578045696, 759248704};
  const std::uint32_t half_u_q31 = u_q30 < 0x80000000u ? u_q30 : 0x7fffffffu;
  const auto d_q30 = static_cast<std::uint32_t>(polynomial(coefficients_q28, static_cast<std::int32_t>(half_u_q31)) << 2);
  const auto product_q30 = static_cast<std::int32_t>((static_cast<std::uint64_t>(u_q30) * d_q30) >> 30);
  const std::int32_t c_q30 = (1 << 30) - product_q30;
  const std::int32_t more_q30 = c_q30 + static_cast<std::int32_t>((static_cast<std::int64_t>(c_q30) * c_q30) >> 30);
  return d_q30 + static_cast<std::uint32_t>(static_cast<std::int32_t>((static_cast<std::int64_t>(more_q30) * d_q30) >> 30));
}

/// 1 / s for a 64-bit s > 0, as mantissa / 2^(63 + 32 - zeros) units of 1 / s's own unit.
/// Largest relative error: 7.1e-10.
struct reciprocal_of {
  std::uint32_t mantissa;  ///< in [2^31, 2^32)
  int zeros;               ///< leading zeros of s

  constexpr explicit reciprocal_of(std::uint64_t s)
      : mantissa(static_cast<std::uint32_t>(0x7fffffffffffffffu / ((s << std::countl_zero(s)) >> 32))),
        zeros(std::countl_zero(s)) {}
};

}  // namespace chaff::int8

#endif
