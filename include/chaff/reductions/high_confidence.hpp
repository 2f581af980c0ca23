// SPDX-License-Identifier: MIT
/// Tells only the classes that the answer is sure of.
#ifndef CHAFF_REDUCTIONS_HIGH_CONFIDENCE_HPP
#define CHAFF_REDUCTIONS_HIGH_CONFIDENCE_HPP

#include "chaff/policy.hpp"
#include "chaff/posterior/label_lead.hpp"

namespace chaff {

/// y_j -> 0 where y_j < cutoff, the label excepted; then normalised, so that no answer is a row of zeros.
///
/// cutoff in [0, 1]: 0.25 is ART's default. Raises std::invalid_argument for any other.
/// Known elsewhere as: HighConfidence (ART).
struct high_confidence {
  double cutoff = 0.25;

  void check(const policy&) const { check_range("cutoff", cutoff, 0, 1); }

  template <class T>
  void operator()(std::span<T> answer, kept_label kept) const {
    const T label = answer[kept.index];
    const lanes<T> least_kept = broadcast(static_cast<T>(cutoff));
    for_each_block<T>(answer.size(), [&](std::size_t first, auto count) {
      const lanes<T> y = load<T>(answer.data() + first, count, T(0));
      store<T>(answer.data() + first, select<T>(y < least_kept, lanes<T>{}, y), count);
    });
    answer[kept.index] = label;
    normalise_behind_label(answer, kept);
  }
};

}  // namespace chaff

#endif
