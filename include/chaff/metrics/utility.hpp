// SPDX-License-Identifier: MIT
/// What a defense does to the outputs that benign users get.
#ifndef CHAFF_METRICS_UTILITY_HPP
#define CHAFF_METRICS_UTILITY_HPP

#include <limits>
#include <span>

#include "chaff/metrics/agreement.hpp"
#include "chaff/metrics/calibration_error.hpp"
#include "chaff/metrics/distance.hpp"
#include "chaff/metrics/ranking.hpp"

CHAFF_BEGIN

namespace chaff {

/// A row counts as perturbed where its output lies further than this from the posterior, in L1: more than rounding
/// moves it.
inline constexpr double min_perturbed_l1 = 1e-5;

/// How useful a batch of outputs is, beside the posteriors that they stand for. Figures that need true labels are NaN
/// without them.
struct utility {
  /// The figures that need true labels.
  struct against_labels {
    double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< share of rows that predict the true label
    double ece = std::numeric_limits<double>::quiet_NaN();       ///< expected_calibration_error
    double auroc = std::numeric_limits<double>::quiet_NaN();     ///< confidence_auroc
  };

  std::size_t rows = 0;       ///< the number of rows
  double perturbed = 0;       ///< share of rows whose output lies further than min_perturbed_l1 from the posterior
  double l1 = 0;              ///< mean of |output - posterior|_1
  double label_changes = 0;   ///< share of outputs that predict another label than the posterior
  against_labels undefended;  ///< of the posteriors
  against_labels defended;    ///< of the outputs
};

}  // namespace chaff

namespace chaff::inline CHAFF_ABI {

/// The utility of a batch of outputs.
/// Shapes: outputs and posteriors are N x classes probabilities, row-major; labels holds the N true labels, or none.
/// Throws: std::invalid_argument for sizes that do not match, no rows, or a true label that is no class.
/// Allocates: what confidence_auroc does, where there are labels.
template <ContiguousRange Outputs, ContiguousRange Posteriors, class Labels = std::span<const int>>
[[nodiscard]] utility utility_of(const Outputs& outputs, const Posteriors& posteriors, std::size_t classes,
                                 const Labels& labels = {}) {
  utility result{};
  result.l1 = l1_distance(outputs, posteriors, classes);
  result.perturbed = detail::mean_over_rows("utility_of", outputs, posteriors, classes, [](auto y, auto p) {
    return l1_distance(y, p) > min_perturbed_l1 ? 1 : 0;
  });
  result.label_changes = 1 - label_agreement(outputs, posteriors, classes);
  result.rows = static_cast<std::size_t>(std::size(outputs)) / classes;
  if (std::size(labels) > 0) {
    const auto against = [&](const auto& rows) {
      return utility::against_labels{accuracy(rows, classes, labels), expected_calibration_error(rows, classes, labels),
                                     confidence_auroc(rows, classes, labels)};
    };
    result.undefended = against(posteriors);
    result.defended = against(outputs);
  }
  return result;
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
