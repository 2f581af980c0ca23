// SPDX-License-Identifier: MIT
/// Errors in units in the last place.
#ifndef CHAFF_TESTS_SUPPORT_CLOSE_HPP
#define CHAFF_TESTS_SUPPORT_CLOSE_HPP

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

/// |value - exact| in units in the last place of `exact` as a T.
template <class T>
double ulps(T value, long double exact) {
  if (static_cast<long double>(value) == exact) return 0;
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int lowest = std::numeric_limits<T>::min_exponent;
  const long double unit = std::ldexp(1.0L, (exponent < lowest ? lowest : exponent) - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / unit);
}

/// |value - exact| in units in the last place of `exact` as a float. It is fast enough for sweeps over all floats; a
/// double is precise enough for `exact`.
inline double float_ulps(float value, double exact) {
  if (static_cast<double>(value) == exact) return 0;
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(exact) >> 52 & 0x7ff) - 1023;
  const int lowest = std::numeric_limits<float>::min_exponent - 1;
  const auto unit = static_cast<std::uint64_t>((exponent < lowest ? lowest : exponent) - 23 + 1023) << 52;
  return std::abs(static_cast<double>(value) - exact) / std::bit_cast<double>(unit);
}

#endif
