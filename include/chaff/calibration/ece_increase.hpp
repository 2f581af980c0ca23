// SPDX-License-Identifier: MIT
/// By how much the expected calibration error of a sample rises, with the standard error of that.
#ifndef CHAFF_CALIBRATION_ECE_INCREASE_HPP
#define CHAFF_CALIBRATION_ECE_INCREASE_HPP

#include <algorithm>
#include <cmath>
#include <vector>

#include "chaff/calibration/limits.hpp"
#include "chaff/metrics/calibration_error.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The confidence of one output, and whether it predicts the true label.
struct prediction {
  double confidence;
  bool is_correct;

  double gap() const { return (is_correct ? 1 : 0) - confidence; }
};

/// Writes the predictions of a batch of outputs, from predictions[0] on.
/// Shapes: outputs are N x classes, labels are N, predictions are N or more.
template <class Outputs, class Labels>
void write_predictions(const Outputs& outputs, std::size_t classes, const Labels& labels,
                       std::vector<prediction>& predictions) {
  auto next = predictions.begin();
  for_each_prediction("calibrate", outputs, classes, labels, [&](double confidence, bool is_correct) {
    *next++ = {confidence, is_correct};
  });
}

/// The sum of the gaps in each bin of the confidence.
inline calibration_bins sum_gaps(const std::vector<prediction>& predictions) {
  calibration_bins gaps{};
  for (const prediction& each : predictions) gaps[calibration_bin(each.confidence)] += each.gap();
  return gaps;
}

/// What one prediction adds to N times the expected calibration error, given the sum of the gaps in each bin.
inline double share_of_ece(const prediction& prediction, const calibration_bins& gaps) {
  return gaps[calibration_bin(prediction.confidence)] < 0 ? -prediction.gap() : prediction.gap();
}

/// By how much the expected calibration error rises from one batch of predictions to another of the same rows.
/// The standard error holds the sign of each bin's gap fixed, so that each row adds a number of its own.
inline estimate ece_increase(const std::vector<prediction>& before, const std::vector<prediction>& after) {
  const calibration_bins gaps_before = sum_gaps(before), gaps_after = sum_gaps(after);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double d = share_of_ece(after[i], gaps_after) - share_of_ece(before[i], gaps_before);
    sum += d;
    squares += d * d;
  }
  const double n = static_cast<double>(after.size());
  const double mean = sum / n;
  return {mean, std::sqrt((std::max)(0.0, squares / n - mean * mean) / n)};
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
