// SPDX-License-Identifier: MIT
/// The exponential of numbers that are at most 0, lane by lane: all that a softmax needs.
#ifndef CHAFF_SIMD_EXPONENTIAL_HPP
#define CHAFF_SIMD_EXPONENTIAL_HPP

#include "chaff/simd/vec.hpp"

CHAFF_BEGIN

namespace chaff::simd::inline CHAFF_ABI {

/// 2 to the power of n, times value, n a whole number held in the low bits of `shifted` (see rounding_shift).
template <class T>
[[gnu::always_inline]] inline vec<T> times_power_of_two(vec<T> value, vec<T> shifted) {
  using bits = std::make_unsigned_t<int_of<T>>;
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
  return bit_cast<T, bits>(bit_cast<bits, T>(value) + (bit_cast<bits, T>(shifted) << mantissa_bits));
}

/// Adding it rounds a small number to the nearest whole one, which is then left in the low bits of the sum.
template <class T>
inline constexpr T rounding_shift = std::is_same_v<T, float> ? T(0x1.8p23) : T(0x1.8p52);

/// exp(x) / 2^n - 1, and n in the low bits of `shifted`: what exp_nonpositive is put together from.
template <class T>
struct reduced_exponential {
  vec<T> minus_one;
  vec<T> shifted;
};

/// exp(x) = 2^n (1 + m) for x <= 0 and not below the logarithm of the smallest normal number. Where x >= -log(2)/2, n
/// is 0, and m is exp(x) - 1 without loss.
template <class T>
[[gnu::always_inline]] inline reduced_exponential<T> reduce_exponential(vec<T> x) {
  constexpr T log2e = T(1.44269504088896340736L);
  const vec<T> shifted = multiply_add<T>(x, broadcast(log2e), broadcast(rounding_shift<T>));
  const vec<T> n = shifted - rounding_shift<T>;
  vec<T> r, q;
  if constexpr (std::is_same_v<T, float>) {
    r = multiply_add<T>(n, broadcast(-0x1.0bfbe8p-15f), multiply_add<T>(n, broadcast(-0x1.62ep-1f), x));
    q = polynomial<T>(r, 0x1.fffff8p-2f, 0x1.55548ep-3f, 0x1.555b98p-5f, 0x1.123bd6p-7f, 0x1.68513ap-10f);
  } else {
    r = multiply_add<T>(n, broadcast(-0x1.ef35793c7673p-45), multiply_add<T>(n, broadcast(-0x1.62e42fefa38p-1), x));
    q = polynomial<T>(r, 0x1.000000000000cp-1, 0x1.5555555555518p-3, 0x1.555555554fe5dp-5, 0x1.1111111120586p-7,
                      0x1.6c16c185ecf65p-10, 0x1.a01a0151c8eb6p-13, 0x1.a0199608c9385p-16, 0x1.71dece445d09ap-19,
                      0x1.28b0acb205eecp-22, 0x1.ae07ece9a1da4p-26);
  }
  return {multiply_add<T>(q, r * r, r), shifted};
}

/// exp(x) for x <= 0, -inf included.
///
/// Range: exactly 1 at 0; exactly 0 where exp(x) is below the smallest normal number (x < -87.33 in float, -708.39 in
/// double). A positive x or NaN gives any number.
/// Largest error: 1.1 ULP in float, over every value; 1.1 ULP in double, over samples.
/// Method: x = n log 2 + r with |r| <= log(2)/2 (Cody and Waite's two-part log 2), exp(r) = 1 + (r + r^2 q(r))
/// with q of degree 4 or 9 (found with Sollya's fpminimax; relative error 2^-28 and 2^-57), then n is added to the
/// exponent. The last step is on integers, so no compiler can fuse it with a caller's addition and change the bits.
template <class T>
[[gnu::always_inline]] inline vec<T> exp_nonpositive(vec<T> x) {
  constexpr T lowest = std::is_same_v<T, float> ? T(-0x1.5d589ep6) : T(-0x1.6232bdd7abcd2p9);
  const reduced_exponential<T> reduced = reduce_exponential<T>(x);
  return select<T>(x >= lowest, times_power_of_two<T>(reduced.minus_one + T(1), reduced.shifted), vec<T>{});
}

/// 2^(x factor) for x factor in [-126, 0] (float) or [-1022, 0] (double); elsewhere any number.
///
/// Largest error: 2e-7 absolute in float, 4e-16 in double. It has no second part of log 2 to carry, which makes it the
/// cheaper one where an absolute error is what counts.
template <class T>
[[gnu::always_inline]] inline vec<T> exp2_nonpositive(vec<T> x, vec<T> factor) {
  const vec<T> shifted = multiply_add<T>(x, factor, broadcast(rounding_shift<T>));
  const vec<T> r = multiply_add<T>(x, factor, rounding_shift<T> - shifted);
  vec<T> y;
  if constexpr (std::is_same_v<T, float>) {
    y = polynomial<T>(r, 1.0f, 0x1.62e426p-1f, 0x1.ebf9b4p-3f, 0x1.c6b9d6p-5f, 0x1.3cecf2p-7f, 0x1.5ad57p-10f);
  } else {
    y = polynomial<T>(r, 1.0, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c5a5p-3, 0x1.c6b08d704a121p-5, 0x1.3b2ab6fb9ff81p-7,
                      0x1.5d87fe78a141fp-10, 0x1.4309130f243f6p-13, 0x1.ffcbfc58a49e5p-17, 0x1.62bfc6e84f313p-20,
                      0x1.b525405b9e315p-24, 0x1.e61c7fa174687p-28, 0x1.e94671be2ee2ap-32);
  }
  return times_power_of_two<T>(y, shifted);
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
