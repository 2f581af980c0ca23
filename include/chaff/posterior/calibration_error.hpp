// SPDX-License-Identifier: MIT
/// How far answers' confidence is from how often they are right.
#ifndef CHAFF_POSTERIOR_CALIBRATION_ERROR_HPP
#define CHAFF_POSTERIOR_CALIBRATION_ERROR_HPP

#include <algorithm>
#include <array>
#include <cmath>

#include "chaff/posterior/agreement.hpp"

namespace chaff {

/// The expected calibration error: sum over bins of (answers in it / N) |share right - mean confidence|, the bins being
/// ((m - 1) / 15, m / 15] of the confidence, the named label's probability.
///
/// Shapes: answers are N x classes probabilities, row-major; truth holds the N true labels, of any integer type; with
/// one class, a probability of "yes", truth 1 is "yes" and 0 is "no". In [0, 1].
/// Errors: std::invalid_argument for sizes that do not match, or no rows.
/// Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv 1706.04599, equation 3.
template <contiguous_values Answers, class Labels>
double expected_calibration_error(const Answers& answers, std::size_t classes, const Labels& truth) {
  const auto p = span_of(answers);
  const auto rows = static_cast<std::size_t>(std::size(truth));
  if (classes == 0 || rows == 0 || p.size() % classes != 0 || p.size() / classes != rows) {
    fail<std::invalid_argument>(
        "chaff: expected_calibration_error of %zu entries, in rows of %zu classes, with %zu labels", p.size(), classes,
        rows);
  }
  constexpr std::size_t bins = 15;
  std::array<double, bins> gap{};  // sum of right - confidence
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = p.subspan(i * classes, classes);
    const std::size_t named = named_label(row);
    const double first = static_cast<double>(row[classes == 1 ? 0 : named]);
    const double confidence = classes == 1 && named == 0 ? 1 - first : first;
    const double bin = std::ceil(confidence * bins) - 1;
    gap[static_cast<std::size_t>(std::clamp(bin, 0.0, bins - 1.0))] +=
        (static_cast<std::size_t>(std::data(truth)[i]) == named ? 1 : 0) - confidence;
  }
  double error = 0;
  for (const double g : gap) error += std::abs(g);
  return error / static_cast<double>(rows);
}

/// Of one answer: |1 - confidence| where it names the true label, else its confidence.
template <contiguous_values Answer>
double expected_calibration_error(const Answer& answer, std::size_t truth) {
  return expected_calibration_error(answer, static_cast<std::size_t>(std::size(answer)), std::array{truth});
}

}  // namespace chaff

#endif
