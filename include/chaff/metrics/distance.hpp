// SPDX-License-Identifier: MIT
/// How far two posteriors lie apart.
#ifndef CHAFF_METRICS_DISTANCE_HPP
#define CHAFF_METRICS_DISTANCE_HPP

#include <cmath>

#include "chaff/metrics/compare.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// The L1 distance of two rows.
/// Formula: |a - b|_1 = sum_i |a_i - b_i|, in [0, 2] for two posteriors.
/// Throws: std::invalid_argument for different numbers of classes, or none.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double l1_distance(const A& a, const B& b) {
  return detail::sum_of_terms("l1_distance", a, b, [](double p, double q) { return (std::abs)(p - q); });
}

/// The mean L1 distance between the rows of two batches.
/// Shapes: both are N x classes, row-major.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double l1_distance(const A& a, const B& b, std::size_t classes) {
  return detail::mean_over_rows("l1_distance", a, b, classes, [](auto p, auto q) { return l1_distance(p, q); });
}

/// The total variation distance of two rows, half of |a - b|_1: the most by which they differ on any set of classes.
/// Range: in [0, 1] for two posteriors.
/// Throws: std::invalid_argument for different numbers of classes, or none.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double total_variation(const A& a, const B& b) {
  return l1_distance(a, b) / 2;
}

/// The mean total variation distance between the rows of two batches.
/// Shapes: both are N x classes, row-major.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double total_variation(const A& a, const B& b, std::size_t classes) {
  return l1_distance(a, b, classes) / 2;
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
