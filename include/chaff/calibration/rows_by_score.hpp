// SPDX-License-Identifier: MIT
/// Held-out rows in the order in which a gate opens for them.
#ifndef CHAFF_CALIBRATION_ROWS_BY_SCORE_HPP
#define CHAFF_CALIBRATION_ROWS_BY_SCORE_HPP

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "chaff/apply.hpp"
#include "chaff/calibration/data.hpp"
#include "chaff/defenses/gated.hpp"
#include "chaff/metrics/utility.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

CHAFF_EXACT_ARITHMETIC

namespace chaff::detail::inline CHAFF_ABI {

/// Held-out rows in the order in which a threshold gate opens for them, with their posteriors and true labels.
template <std::floating_point T>
class rows_by_score {
 public:
  rows_by_score() = default;

  /// Copies and sorts the rows. `name` is what an error calls the logits.
  /// Throws: std::invalid_argument for sizes that do not match, or no rows; and what apply raises for a bad row.
  template <class G>
  rows_by_score(const char* name, const G& gate, std::span<const T> logits, std::size_t classes,
                const label_view& labels, policy policy)
      : classes_(classes) {
    check_calibration_data(name, logits.size(), classes, labels.size);
    const std::size_t count = logits.size() / classes;
    // a gate that records its score and stays closed, so that the outputs behind it are the posteriors
    double score = 0;
    const auto record = [&](const auto& row) {
      score = gate.score(row);
      return 0.0;
    };
    const auto probe = gated{record, reverse_sigmoid{}};
    policy.answer = form::probabilities;
    policy.label_margin = 0;
    std::vector<double> scores(count);
    std::vector<T> posteriors(logits.size());
    for (std::size_t i = 0; i < count; ++i) {
      apply<decltype(probe), T>(probe, logits.subspan(i * classes, classes),
                                std::span(posteriors).subspan(i * classes, classes), policy);
      scores[i] = score;
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    for (const std::size_t i : order) {
      scores_.push_back(scores[i]);
      logits_.insert(logits_.end(), &logits[i * classes], &logits[i * classes] + classes);
      posteriors_.insert(posteriors_.end(), &posteriors[i * classes], &posteriors[i * classes] + classes);
      if (labels.size > 0) labels_.push_back(labels.read(labels.data, i));
    }
  }

  std::size_t rows() const { return scores_.size(); }
  std::size_t classes() const { return classes_; }

  /// The gate's scores, rising.
  const std::vector<double>& scores() const { return scores_; }

  /// The posteriors of the first `count` rows.
  std::span<const T> posteriors(std::size_t count) const { return std::span(posteriors_).first(count * classes_); }

  /// The true labels of the first `count` rows, or none.
  std::span<const std::int64_t> labels(std::size_t count) const {
    return std::span(labels_).first(labels_.empty() ? 0 : count);
  }

  /// The outputs of a defense for the first `count` rows, as probabilities.
  template <class Defense>
  std::vector<T> outputs(const Defense& defense, std::size_t count, policy policy) const {
    policy.answer = form::probabilities;
    std::vector<T> result(count * classes_);
    apply_rows<Defense, T>(defense, std::span(logits_).first(result.size()), classes_, result, policy);
    return result;
  }

  /// The utility of a defense's outputs for the first `count` rows.
  template <class Defense>
  utility utility_under(const Defense& defense, std::size_t count, const policy& policy) const {
    return utility_of(outputs(defense, count, policy), posteriors(count), classes_, labels(count));
  }

 private:
  std::size_t classes_ = 1;
  std::vector<double> scores_;
  std::vector<T> logits_, posteriors_;
  std::vector<std::int64_t> labels_;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_EXACT_ARITHMETIC_END

#endif
