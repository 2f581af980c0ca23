// SPDX-License-Identifier: MIT
/// How far answers' confidence is from how often they are right.
#ifndef CHAFF_POSTERIOR_CALIBRATION_ERROR_HPP
#define CHAFF_POSTERIOR_CALIBRATION_ERROR_HPP

#include <algorithm>
#include <array>
#include <cmath>

#include "chaff/posterior/agreement.hpp"

namespace chaff {

/// A number for each bin of the confidence.
using calibration_bins = std::array<double, 15>;

/// The bin m - 1 of a confidence: ((m - 1) / 15, m / 15].
inline std::size_t calibration_bin(double confidence) {
  constexpr auto bins = static_cast<double>(std::tuple_size_v<calibration_bins>);
  return static_cast<std::size_t>(std::clamp(std::ceil(confidence * bins) - 1, 0.0, bins - 1));
}

/// The expected calibration error: sum over bins of (answers in it / N) |share right - mean confidence|, the bins being
/// ((m - 1) / 15, m / 15] of the confidence, the named label's probability.
///
/// Shapes: answers are N x classes probabilities, row-major; truth holds the N true labels, of any integer type; with
/// one class, a probability of "yes", truth 1 is "yes" and 0 is "no". In [0, 1].
/// Errors: std::invalid_argument for sizes that do not match, or no rows.
/// Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv 1706.04599, equation 3.
template <contiguous_values Answers, class Labels>
double expected_calibration_error(const Answers& answers, std::size_t classes, const Labels& truth) {
  calibration_bins gap{};
  for_each_named("expected_calibration_error", answers, classes, truth, [&](double confidence, bool right) {
    gap[calibration_bin(confidence)] += (right ? 1 : 0) - confidence;
  });
  double error = 0;
  for (const double g : gap) error += std::abs(g);
  return error / static_cast<double>(std::size(truth));
}

/// Of one answer: |1 - confidence| where it names the true label, else its confidence.
template <contiguous_values Answer>
double expected_calibration_error(const Answer& answer, std::size_t truth) {
  return expected_calibration_error(answer, static_cast<std::size_t>(std::size(answer)), std::array{truth});
}

}  // namespace chaff

#endif
