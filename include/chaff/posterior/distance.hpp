// SPDX-License-Identifier: MIT
/// How far two posteriors lie apart.
#ifndef CHAFF_POSTERIOR_DISTANCE_HPP
#define CHAFF_POSTERIOR_DISTANCE_HPP

#include <cmath>

#include "chaff/posterior/compare.hpp"

namespace chaff {

/// |a - b|_1 = sum_i |a_i - b_i|, in [0, 2] for two posteriors. Of rows, their mean. Shapes, errors: see compare.
template <contiguous_values A, contiguous_values B>
double l1_distance(const A& a, const B& b) {
  return sum_of_terms("l1_distance", a, b, [](double p, double q) { return std::abs(p - q); });
}
template <contiguous_values A, contiguous_values B>
double l1_distance(const A& a, const B& b, std::size_t classes) {
  return mean_over_rows("l1_distance", a, b, classes, [](auto p, auto q) { return l1_distance(p, q); });
}

/// The total variation distance, half of |a - b|_1: the most by which the two differ on any set of classes; in [0, 1].
template <contiguous_values A, contiguous_values B>
double total_variation(const A& a, const B& b) {
  return l1_distance(a, b) / 2;
}
template <contiguous_values A, contiguous_values B>
double total_variation(const A& a, const B& b, std::size_t classes) {
  return l1_distance(a, b, classes) / 2;
}

}  // namespace chaff

#endif
