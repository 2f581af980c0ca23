// SPDX-License-Identifier: MIT
/// A reduction that keeps only the label.
#ifndef CHAFF_REDUCTIONS_LABEL_ONLY_HPP
#define CHAFF_REDUCTIONS_LABEL_ONLY_HPP

#include <algorithm>

#include "chaff/concepts.hpp"

namespace chaff {

/// A reduction that keeps only the label.
/// Formula: y_k = 1, all else 0: a one-hot row; of a single sigmoid logit, 1 or 0.
/// Source: known as ClassLabels in ART.
struct label_only {
  template <class T>
  void operator()(std::span<T> output, kept_label kept) const {
    std::fill(output.begin(), output.end(), T(0));
    output[kept.index] = 1;
  }
};

}  // namespace chaff

#endif
