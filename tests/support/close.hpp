// SPDX-License-Identifier: MIT
/// Errors in units in the last place.
#ifndef CHAFF_TESTS_SUPPORT_CLOSE_HPP
#define CHAFF_TESTS_SUPPORT_CLOSE_HPP

#include <cmath>
#include <limits>

/// |value - exact| in units of the last place of exact in T.
template <class T>
double ulps(T value, long double exact) {
  if (static_cast<long double>(value) == exact) return 0;
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int lowest = std::numeric_limits<T>::min_exponent;
  const long double unit = std::ldexp(1.0L, (exponent < lowest ? lowest : exponent) - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / unit);
}

#endif
