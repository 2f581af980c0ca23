// SPDX-License-Identifier: MIT
/// Evaluates functions of vectors on all floats of a range.
#ifndef CHAFF_TESTS_SUPPORT_SWEEP_HPP
#define CHAFF_TESTS_SUPPORT_SWEEP_HPP

#include <algorithm>
#include <bit>
#include <chaff/simd/vec.hpp>
#include <cstdint>

#include "support/stride.hpp"

/// The largest value of error(x, f(x)) over the floats of one sign between `nearest` and `farthest`, both included.
/// `nearest` is the one that is nearer to zero.
template <class F, class Error>
double max_error_over_floats(float nearest, float farthest, F f, Error error) {
  double largest = 0;
  const std::uint32_t end = std::bit_cast<std::uint32_t>(farthest);
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest); bits <= end;) {
    chaff::simd::vec<float> x;
    for (std::size_t i = 0; i < chaff::simd::width<float>; ++i, bits += exhaustive_stride) {
      x[i] = std::bit_cast<float>(std::min(bits, end));
    }
    const chaff::simd::vec<float> y = f(x);
    for (std::size_t i = 0; i < chaff::simd::width<float>; ++i) largest = std::max(largest, error(x[i], y[i]));
  }
  return largest;
}

#endif
