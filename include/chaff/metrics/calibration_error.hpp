// SPDX-License-Identifier: MIT
/// How far the confidence of outputs is from their accuracy.
#ifndef CHAFF_METRICS_CALIBRATION_ERROR_HPP
#define CHAFF_METRICS_CALIBRATION_ERROR_HPP

#include <algorithm>
#include <array>
#include <cmath>

#include "chaff/metrics/agreement.hpp"

CHAFF_BEGIN

namespace chaff {

/// A number for each bin of the confidence.
using calibration_bins = std::array<double, 15>;

}  // namespace chaff

namespace chaff::inline CHAFF_ABI {

/// The bin m - 1 of a confidence: ((m - 1) / 15, m / 15].
[[nodiscard]] inline std::size_t calibration_bin(double confidence) {
  constexpr auto bins = static_cast<double>(std::tuple_size_v<calibration_bins>);
  return static_cast<std::size_t>(std::clamp(std::ceil(confidence * bins) - 1, 0.0, bins - 1));
}

/// The expected calibration error (ECE).
/// Formula: sum over bins of (rows in it / N) |accuracy - mean confidence|; the bins are ((m - 1) / 15, m / 15] of the
/// confidence, which is the probability of the predicted label.
/// Shapes: outputs are N x classes probabilities, row-major; labels holds the N true labels, of any integer type. With
/// one class, a probability of "yes", label 1 is "yes" and 0 is "no".
/// Range: the result is in [0, 1].
/// Throws: std::invalid_argument for sizes that do not match, no rows, or a true label that is no class.
/// Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv 1706.04599, equation 3.
template <ContiguousRange Outputs, class Labels>
[[nodiscard]] double expected_calibration_error(const Outputs& outputs, std::size_t classes, const Labels& labels) {
  calibration_bins gap{};
  for_each_prediction("expected_calibration_error", outputs, classes, labels, [&](double confidence, bool is_correct) {
    gap[calibration_bin(confidence)] += (is_correct ? 1 : 0) - confidence;
  });
  double error = 0;
  for (const double g : gap) error += (std::abs)(g);
  return error / static_cast<double>(std::size(labels));
}

/// The calibration error of one output, for means over outputs.
/// Formula: 1 - confidence if the output predicts the true label, otherwise the confidence, which is the probability of
/// the predicted label.
/// Shapes: the output has K >= 1 probabilities.
/// Range: the result is in [0, 1].
/// Throws: std::invalid_argument for no classes, or a true label that is no class.
template <ContiguousRange Output>
[[nodiscard]] double expected_calibration_error(const Output& output, std::size_t label) {
  return expected_calibration_error(output, static_cast<std::size_t>(std::size(output)), std::array{label});
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
