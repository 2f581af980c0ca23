// SPDX-License-Identifier: MIT
/// What a defense does to the answers that customers get.
#ifndef CHAFF_EFFECT_HPP
#define CHAFF_EFFECT_HPP

#include <limits>
#include <span>

#include "chaff/posterior/agreement.hpp"
#include "chaff/posterior/calibration_error.hpp"
#include "chaff/posterior/distance.hpp"
#include "chaff/posterior/ranking.hpp"

namespace chaff {

/// An answer is touched where it lies further than this from the posterior, in L1: more than rounding moves it.
inline constexpr double touched_l1 = 1e-5;

/// Figures of a batch of answers beside the posteriors that they stand for. Those that need true labels are NaN
/// without.
struct effect {
  /// Of answers or of posteriors: what labels are needed for.
  struct of_truth {
    double accuracy = std::numeric_limits<double>::quiet_NaN();           ///< share that names the true label
    double calibration_error = std::numeric_limits<double>::quiet_NaN();  ///< expected_calibration_error
    double auroc = std::numeric_limits<double>::quiet_NaN();              ///< confidence_auroc
  };

  std::size_t rows = 0;  ///< how many answers
  double touched = 0;    ///< share of answers further than touched_l1 from the posterior
  double l1 = 0;         ///< mean of |answer - posterior|_1
  double changed = 0;    ///< share of answers that name another label than the posterior
  of_truth before;       ///< of the posteriors
  of_truth after;        ///< of the answers
};

/// The effect that shows in answers.
///
/// Shapes: answers and posteriors are N x classes probabilities, row-major; truth holds the N true labels, or none.
/// Errors: std::invalid_argument for sizes that do not match, or no rows. Allocation: see confidence_auroc.
template <contiguous_values Answers, contiguous_values Posteriors, class Labels = std::span<const int>>
effect effect_of(const Answers& answers, const Posteriors& posteriors, std::size_t classes, const Labels& truth = {}) {
  effect found;
  found.l1 = l1_distance(answers, posteriors, classes);
  found.touched = mean_over_rows("effect_of", answers, posteriors, classes,
                                 [](auto a, auto p) { return l1_distance(a, p) > touched_l1 ? 1 : 0; });
  found.changed = 1 - label_agreement(answers, posteriors, classes);
  found.rows = static_cast<std::size_t>(std::size(answers)) / classes;
  if (std::size(truth) > 0) {
    const auto of = [&](const auto& rows) {
      return effect::of_truth{accuracy(rows, classes, truth), expected_calibration_error(rows, classes, truth),
                              confidence_auroc(rows, classes, truth)};
    };
    found.before = of(posteriors);
    found.after = of(answers);
  }
  return found;
}

}  // namespace chaff

#endif
