// SPDX-License-Identifier: MIT
/// Held-out rows as a search for a gate's threshold reads them.
#ifndef CHAFF_CALIBRATION_ROWS_BY_SCORE_HPP
#define CHAFF_CALIBRATION_ROWS_BY_SCORE_HPP

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "chaff/apply.hpp"
#include "chaff/effect.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

namespace chaff {

/// Rows in the order in which a threshold gate opens for them, with their posteriors: all that the search reads.
template <class T>
class rows_by_score {
 public:
  rows_by_score() = default;

  /// Raises what apply raises for bad rows, and std::invalid_argument for truth of another size.
  template <class Defense>
  rows_by_score(const Defense& used, std::span<const T> logits, std::size_t classes, std::span<const int> truth,
                policy promised)
      : classes_(classes) {
    if (classes == 0 || logits.size() % classes != 0 || logits.empty()) {
      fail<std::invalid_argument>("chaff: calibrate on %zu logits, in rows of %zu classes", logits.size(), classes);
    }
    const std::size_t count = logits.size() / classes;
    if (!truth.empty() && truth.size() != count) {
      fail<std::invalid_argument>("chaff: calibrate on %zu rows with %zu labels", count, truth.size());
    }
    // a closed gate that notes its scores: the answers behind it are the posteriors
    double noted = 0;
    const auto& real = parts_of(used).gate;
    const auto probe = gated{[&](const auto& seen) {
                               noted = real.score(seen);
                               return 0.0;
                             },
                             reverse_sigmoid{}};
    promised.answer = form::probabilities;
    promised.label_margin = 0;
    std::vector<double> scores(count);
    std::vector<T> posteriors(logits.size());
    for (std::size_t i = 0; i < count; ++i) {
      apply<decltype(probe), T>(probe, logits.subspan(i * classes, classes),
                                std::span(posteriors).subspan(i * classes, classes), promised);
      scores[i] = noted;
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    for (const std::size_t i : order) {
      score.push_back(scores[i]);
      values_.insert(values_.end(), &logits[i * classes], &logits[i * classes] + classes);
      posterior_.insert(posterior_.end(), &posteriors[i * classes], &posteriors[i * classes] + classes);
      if (!truth.empty()) label.push_back(truth[i]);
    }
  }

  std::size_t rows() const { return score.size(); }
  std::size_t classes() const { return classes_; }

  std::span<const T> posteriors(std::size_t count) const { return std::span(posterior_).first(count * classes_); }

  /// The answers to the first `count` rows.
  template <class Defense>
  std::vector<T> answers(const Defense& used, std::size_t count, policy promised) const {
    promised.answer = form::probabilities;
    std::vector<T> found(count * classes_);
    apply_rows<Defense, T>(used, std::span(values_).first(found.size()), classes_, found, promised);
    return found;
  }

  /// The effect of a defense on the first `count` rows.
  template <class Defense>
  effect effect_on(const Defense& used, std::size_t count, const policy& promised) const {
    return effect_of(answers(used, count, promised), posteriors(count), classes_,
                     std::span(label).first(label.empty() ? 0 : count));
  }

  std::vector<double> score;  ///< of the gate, rising
  std::vector<int> label;     ///< the true ones, or none

 private:
  std::size_t classes_ = 1;
  std::vector<T> values_, posterior_;
};

}  // namespace chaff

#endif
