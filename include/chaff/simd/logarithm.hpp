// SPDX-License-Identifier: MIT
/// Logarithms, lane by lane: of a probability, and of the complement of one.
#ifndef CHAFF_SIMD_LOGARITHM_HPP
#define CHAFF_SIMD_LOGARITHM_HPP

#include <algorithm>

#include "chaff/simd/exponential.hpp"

CHAFF_BEGIN

namespace chaff::simd::inline CHAFF_ABI {

/// The logarithm of an x that is at least T's smallest normal number; the logarithm of about that number for a smaller
/// one or 0, of about the largest for +inf. A negative x or NaN gives any number.
///
/// Largest error: 1 ULP in float, over every value in [0, 1]; 1 ULP in double, over samples. `scaled_by` is subtracted
/// from the binary exponent, for an x that was multiplied by 2^scaled_by. Method: x = 2^n m with m in [sqrt(1/2),
/// sqrt(2)), t = m - 1. In float t - t^2/2 + t^3 q(t), q of degree 8; in double 2 atanh(s), s = t/(m + 1), with a
/// polynomial of degree 7 in s^2 (Sollya's fpminimax).
template <class T>
[[gnu::always_inline]] inline vec<T> log_normal(vec<T> x, mask<T> scaled_by = mask<T>{}) {
  using Int = int_of<T>;
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
  const vec<Int> bits = bit_cast<Int, T>(x);
  const Int root_half = std::is_same_v<T, float> ? static_cast<Int>(0x3f3504f3) : static_cast<Int>(0x3fe6a09e667f3bcd);
  const vec<Int> n = (bits - root_half) >> mantissa_bits;
  const vec<T> m = bit_cast<T, Int>(bits - (n << mantissa_bits)) - T(1);
  const vec<T> power = __builtin_convertvector(n - scaled_by, vec<T>);
  vec<T> y;
  if constexpr (std::is_same_v<T, float>) {
    y = estrin<T>(m, 0x1.555554p-2f, -0x1.ffffe6p-3f, 0x1.999d2ap-3f, -0x1.556288p-3f, 0x1.23de4p-3f, -0x1.fbbf2ep-4f,
                  0x1.dc75e8p-4f, -0x1.ddb2cep-4f, 0x1.2cb40ep-4f);
    const vec<T> square = m * m;
    // m - m^2/2 + m^3 q, the small addends first
    y = multiply_add<T>(square, multiply_add<T>(y, m, broadcast(-0.5f)), power * 0x1.7f7d1cp-20f);
    y = multiply_add<T>(power, broadcast(0x1.62e4p-1f), m + y);
  } else {
    const vec<T> s = m / (m + 2.0);
    const vec<T> square = s * s;
    y = estrin<T>(square, 0x1.5555555555555p-1, 0x1.9999999999d58p-2, 0x1.249249242f0ap-2, 0x1.c71c725c1a9bap-3,
                  0x1.745cdb8fd688ap-3, 0x1.3b2153e90c1ep-3, 0x1.0f4a997ea4cd3p-3, 0x1.101eab873391dp-3);
    // log(1 + m) = m - (h - s (h + y s^2)), h = m^2/2, keeps the bits that 2 s + s y would round away
    const vec<T> h = m * m * 0.5;
    const vec<T> low = multiply_add<T>(s, multiply_add<T>(y, square, h), power * 0x1.ef35793c7673p-45);
    y = multiply_add<T>(power, broadcast(0x1.62e42fefa38p-1), m - (h - low));
  }
  return y;
}

/// log_normal of one number, as a function of its own: it is seldom evaluated.
[[gnu::noinline]] inline double log_of(double x) {
  return log_normal<double>(broadcast(x))[0];
}

/// log(x) for x >= 0, with -inf at 0, of one number.
[[gnu::cold, gnu::noinline]] inline double log_of_nonnegative(double x) {
  return x > 0 ? log_of(x) : -std::numeric_limits<double>::infinity();
}

/// log(1 - exp(x)) for x <= 0: the logarithm of the complement of a probability whose logarithm is x.
///
/// Largest error: 3 ULP or 2^-53, over samples.
[[gnu::cold, gnu::noinline]] inline double log_complement_of(double x) {
  const reduced_exponential<double> reduced = reduce_exponential<double>(broadcast((std::max)(x, -700.0)));
  // below, nothing is lost in the difference; above, it would be, and the exponential less 1 is at hand
  const double complement =
      x < -0.25 ? 1 - times_power_of_two<double>(reduced.minus_one + 1.0, reduced.shifted)[0] : -reduced.minus_one[0];
  return log_of_nonnegative(complement);
}

/// log(x) for x in [0, 2^60], subnormal numbers and 0 included, whose logarithm is -inf; all else as for log_normal.
/// Every x is multiplied by a power of two that makes subnormal numbers normal, which costs less than to tell them
/// apart.
template <class T>
[[gnu::always_inline]] inline vec<T> log_nonnegative(vec<T> x) {
  constexpr int lift = std::numeric_limits<T>::digits + 1;
  const vec<T> y = log_normal<T>(x * static_cast<T>(int_of<T>{1} << lift), mask<T>{} + int_of<T>{lift});
  return select<T>(x > T(0), y, broadcast(-std::numeric_limits<T>::infinity()));
}

/// plus - log(1 - p) for p in [0, 1/2]: the log-odds of p, where `plus` is log p.
///
/// Largest error: 1.5e-6 absolute in float, over every value; 5e-16 in double, over samples; elsewhere any number.
/// Method: p times a minimax polynomial of degree 5 or 18 (Sollya's fpminimax, absolute error 2^-19.4 and 2^-52.6). In
/// float a gamma of 0.2 makes 8e-8 of that error, and each degree more costs a fiftieth of an answer's time.
template <class T>
[[gnu::always_inline]] inline vec<T> log_odds(vec<T> p, vec<T> plus) {
  vec<T> y;
  // below, y is its first coefficient to the last bit, and the polynomial's powers of p would underflow, which takes a
  // processor several times as long
  const vec<T> x = maximum<T>(p, broadcast(std::is_same_v<T, float> ? T(1e-9) : T(1e-17)));
  if constexpr (std::is_same_v<T, float>) {
    y = polynomial<T>(x, 0x1.ffeb56p-1f, 0x1.02e684p-1f, 0x1.10cf8ap-2f, 0x1.35160ap-1f, -0x1.6229a2p-1f,
                      0x1.1cf53ap0f);
  } else {
    y = polynomial<T>(x, 0x1.0000000000001p0, 0x1.fffffffffe522p-2, 0x1.55555556eaf8p-2, 0x1.fffffed6dd4c8p-3,
                      0x1.9999d2a2d0974p-3, 0x1.554eafc960b04p-3, 0x1.25157b1770dc1p-3, 0x1.f1dba542397a4p-4,
                      0x1.2a4be47bb8b5dp-3, -0x1.410bc61009837p-3, 0x1.87fa9d90fbe06p0, -0x1.8405918077289p2,
                      0x1.40e31a0307189p4, -0x1.88bb1324d2578p5, 0x1.68f8ab5b9ab27p6, -0x1.deb2c2296901ap6,
                      0x1.b4bb28d1ec27bp6, -0x1.eb07bf3f3f2c8p5, 0x1.05f657a49be6p4);
  }
  return multiply_add<T>(y, p, plus);
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
