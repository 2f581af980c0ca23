// SPDX-License-Identifier: MIT
/// How far two posteriors lie apart.
#ifndef CHAFF_POSTERIOR_DISTANCE_HPP
#define CHAFF_POSTERIOR_DISTANCE_HPP

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>

#include "chaff/error.hpp"

namespace chaff {

/// |a - b|_1 = sum_i |a_i - b_i|, in [0, 2] for two posteriors; summed in double.
/// Raises std::invalid_argument where the two have not the same number of classes.
template <std::floating_point T>
double l1_distance(std::span<const T> a, std::span<const T> b) {
  if (a.size() != b.size()) {
    fail<std::invalid_argument>("chaff: l1_distance of rows of %zu and %zu classes", a.size(), b.size());
  }
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum;
}

}  // namespace chaff

#endif
