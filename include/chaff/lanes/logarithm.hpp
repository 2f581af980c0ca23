// SPDX-License-Identifier: MIT
/// Logarithms, lane by lane: of a probability, and of the complement of one.
#ifndef CHAFF_LANES_LOGARITHM_HPP
#define CHAFF_LANES_LOGARITHM_HPP

#include "chaff/lanes/lanes.hpp"

namespace chaff {

/// log(x) for x >= 0, and -inf for 0.
///
/// Largest error: 3 ULP in float, over every seventh value in [0, 1]; 3 ULP in double, over samples. A negative x or
/// NaN gives any number.
/// Method: x = 2^n m with m in [sqrt(1/2), sqrt(2)), t = m - 1. In float t - t^2/2 + t^3 q(t), q of degree 8; in double
/// 2 atanh(s), s = t/(m + 1), with a polynomial of degree 7 in s^2 (Sollya's fpminimax).
template <class T>
[[gnu::always_inline]] inline lanes<T> log_nonnegative(lanes<T> x) {
  using I = bits_of<T>;
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
  constexpr T lift = T(I{1} << (mantissa_bits + 2));
  const mask<T> subnormal = x < std::numeric_limits<T>::min();
  const lanes<I> bits = bit_lanes<I, T>(select<T>(subnormal, x * lift, x));
  const I root_half = std::is_same_v<T, float> ? static_cast<I>(0x3f3504f3) : static_cast<I>(0x3fe6a09e667f3bcd);
  const lanes<I> n = (bits - root_half) >> mantissa_bits;
  const lanes<T> m = bit_lanes<T, I>(bits - (n << mantissa_bits)) - T(1);
  const lanes<T> power = __builtin_convertvector(n - (subnormal & I{mantissa_bits + 2}), lanes<T>);
  lanes<T> y;
  if constexpr (std::is_same_v<T, float>) {
    y = m * 0x1.2cb40ep-4f - 0x1.ddb2cep-4f;
    y = y * m + 0x1.dc75e8p-4f;
    y = y * m - 0x1.fbbf2ep-4f;
    y = y * m + 0x1.23de4p-3f;
    y = y * m - 0x1.556288p-3f;
    y = y * m + 0x1.999d2ap-3f;
    y = y * m - 0x1.ffffe6p-3f;
    y = y * m + 0x1.555554p-2f;
    const lanes<T> square = m * m;
    y = power * 0x1.62e4p-1f + (m + (power * 0x1.7f7d1cp-20f + (y * m * square - square * 0.5f)));
  } else {
    const lanes<T> s = m / (m + 2.0);
    const lanes<T> square = s * s;
    y = square * 0x1.101eab873391dp-3 + 0x1.0f4a997ea4cd3p-3;
    y = y * square + 0x1.3b2153e90c1ep-3;
    y = y * square + 0x1.745cdb8fd688ap-3;
    y = y * square + 0x1.c71c725c1a9bap-3;
    y = y * square + 0x1.249249242f0ap-2;
    y = y * square + 0x1.9999999999d58p-2;
    y = y * square + 0x1.5555555555555p-1;
    y = y * square;
    // log(1 + m) = m - (h - s (h + y)), h = m^2/2, keeps the bits that 2 s + s y would round away
    const lanes<T> h = m * m * 0.5;
    y = power * 0x1.62e42fefa38p-1 - ((h - (s * (h + y) + power * 0x1.ef35793c7673p-45)) - m);
  }
  return select<T>(x > T(0), y, broadcast(-std::numeric_limits<T>::infinity()));
}

/// -log(1 - p) for p in [0, 1/2]: what turns log p into the log-odds of p.
///
/// Largest error: 3e-7 absolute in float, 4e-16 in double; elsewhere any number.
/// Method: p times a minimax polynomial of degree 7 or 18 (Sollya's fpminimax, absolute error 2^-23.4 and 2^-52.6).
template <class T>
[[gnu::always_inline]] inline lanes<T> minus_log1m(lanes<T> p) {
  lanes<T> y;
  if constexpr (std::is_same_v<T, float>) {
    y = p * 0x1.371234p0f - 0x1.22698ap0f;
    y = y * p + 0x1.a4c76cp-1f;
    y = y * p + 0x1.a3322ep-6f;
    y = y * p + 0x1.1904c4p-2f;
    y = y * p + 0x1.53a3e6p-2f;
    y = y * p + 0x1.00058cp-1f;
    y = y * p + 0x1.fffffap-1f;
  } else {
    y = p * 0x1.05f657a49be6p4 - 0x1.eb07bf3f3f2c8p5;
    y = y * p + 0x1.b4bb28d1ec27bp6;
    y = y * p - 0x1.deb2c2296901ap6;
    y = y * p + 0x1.68f8ab5b9ab27p6;
    y = y * p - 0x1.88bb1324d2578p5;
    y = y * p + 0x1.40e31a0307189p4;
    y = y * p - 0x1.8405918077289p2;
    y = y * p + 0x1.87fa9d90fbe06p0;
    y = y * p - 0x1.410bc61009837p-3;
    y = y * p + 0x1.2a4be47bb8b5dp-3;
    y = y * p + 0x1.f1dba542397a4p-4;
    y = y * p + 0x1.25157b1770dc1p-3;
    y = y * p + 0x1.554eafc960b04p-3;
    y = y * p + 0x1.9999d2a2d0974p-3;
    y = y * p + 0x1.fffffed6dd4c8p-3;
    y = y * p + 0x1.55555556eaf8p-2;
    y = y * p + 0x1.fffffffffe522p-2;
    y = y * p + 0x1.0000000000001p0;
  }
  return y * p;
}

}  // namespace chaff

#endif
