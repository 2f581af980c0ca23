// SPDX-License-Identifier: MIT
/// A reduction that keeps only the classes of which the output is confident.
#ifndef CHAFF_REDUCTIONS_HIGH_CONFIDENCE_HPP
#define CHAFF_REDUCTIONS_HIGH_CONFIDENCE_HPP

#include "chaff/policy.hpp"
#include "chaff/reductions/normalise.hpp"

CHAFF_BEGIN

namespace chaff {

/// A reduction that keeps only the classes of which the output is confident.
/// Formula: y_j -> 0 where y_j < cutoff, except the label; then the row is normalised, so that it is never all zeros.
/// Range: cutoff in [0, 1]; 0.25 is the default of ART.
/// Throws: std::invalid_argument for any other value, when bound to a model and at apply.
/// Source: known as HighConfidence in ART.
struct high_confidence {
  double cutoff = 0.25;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"cutoff", cutoff, 0, 1});
  }

  template <class T>
  void operator()(std::span<T> output, kept_label kept) const {
    const T label = output[kept.index];
    const simd::vec<T> lowest = simd::broadcast(static_cast<T>(cutoff));
    simd::for_each_block<T>(output.size(), [&](std::size_t first, auto count) {
      const simd::vec<T> y = simd::load<T>(output.data() + first, count, T(0));
      simd::store<T>(output.data() + first, simd::select<T>(y < lowest, simd::vec<T>{}, y), count);
    });
    output[kept.index] = label;
    normalise_with_label_first(output, kept);
  }
};

}  // namespace chaff

CHAFF_END

#endif
