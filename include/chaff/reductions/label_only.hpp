// SPDX-License-Identifier: MIT
/// Tells the label, and nothing of how sure the model is.
#ifndef CHAFF_REDUCTIONS_LABEL_ONLY_HPP
#define CHAFF_REDUCTIONS_LABEL_ONLY_HPP

#include <algorithm>

#include "chaff/posterior/label_lead.hpp"

namespace chaff {

/// y_k = 1, all else 0: a one-hot row. Of a single sigmoid logit: 1 or 0.
/// Known elsewhere as: ClassLabels (ART).
struct label_only {
  template <class T>
  void operator()(std::span<T> answer, kept_label kept) const {
    std::fill(answer.begin(), answer.end(), T(0));
    answer[kept.index] = 1;
  }
};

}  // namespace chaff

#endif
