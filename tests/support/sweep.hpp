// SPDX-License-Identifier: MIT
/// Functions of lanes, tried on all floats of a range.
#ifndef CHAFF_TESTS_SUPPORT_SWEEP_HPP
#define CHAFF_TESTS_SUPPORT_SWEEP_HPP

#include <algorithm>
#include <bit>
#include <chaff/lanes/lanes.hpp>

#include "support/stride.hpp"

/// The largest value of error(x, f(x)) over the floats of one sign from `nearest`, which is nearer to zero, to
/// `farthest`.
template <class F, class Error>
double worst_over_floats(float nearest, float farthest, F f, Error error) {
  double worst = 0;
  const std::uint32_t end = std::bit_cast<std::uint32_t>(farthest);
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest); bits <= end;) {
    chaff::lanes<float> x;
    for (std::size_t i = 0; i < chaff::lanes_of<float>; ++i, bits += exhaustive_stride) {
      x[i] = std::bit_cast<float>(std::min(bits, end));
    }
    const chaff::lanes<float> y = f(x);
    for (std::size_t i = 0; i < chaff::lanes_of<float>; ++i) worst = std::max(worst, error(x[i], y[i]));
  }
  return worst;
}

#endif
