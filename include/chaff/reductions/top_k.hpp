// SPDX-License-Identifier: MIT
/// A reduction that keeps only the most probable classes.
#ifndef CHAFF_REDUCTIONS_TOP_K_HPP
#define CHAFF_REDUCTIONS_TOP_K_HPP

#include "chaff/policy.hpp"
#include "chaff/posterior/n_largest.hpp"
#include "chaff/reductions/normalise.hpp"

CHAFF_BEGIN

namespace chaff {

/// A reduction that keeps only the most probable classes.
/// Formula: all but the label and the k - 1 largest others -> 0, then the row is normalised. Of equal entries the
/// lowest indices stay.
/// Range: k >= 1; a k of at least the number of classes leaves the output as it is.
/// Throws: std::invalid_argument for 0, when bound to a model and at apply.
/// Allocates: nothing. Cost: O(K), for any k.
struct top_k {
  std::size_t k = 5;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    if (k == 0) return {.sentence = "k of top_k is 0, allowed is 1 or more"};
    return {};
  }

  template <class T>
  void operator()(std::span<T> output, kept_label kept) const {
    if (k >= output.size()) return;
    const T label = output[kept.index];
    output[kept.index] = std::numeric_limits<T>::infinity();  // it stays, whatever it is
    const detail::largest<T> stays = detail::n_largest(detail::numbers_of_row<T>{output}, k);
    simd::for_each_block<T>(output.size(), [&](std::size_t first, auto count) {
      const simd::vec<T> y = simd::load<T>(output.data() + first, count, T(0));
      simd::store<T>(output.data() + first, simd::select<T>(stays.of_block(first, y), y, simd::vec<T>{}), count);
    });
    output[kept.index] = label;
    normalise_with_label_first(output, kept);
  }
};

}  // namespace chaff

CHAFF_END

#endif
