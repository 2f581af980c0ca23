// SPDX-License-Identifier: MIT
/// Tells the most probable classes, and nothing of the others.
#ifndef CHAFF_REDUCTIONS_TOP_K_HPP
#define CHAFF_REDUCTIONS_TOP_K_HPP

#include "chaff/policy.hpp"
#include "chaff/posterior/label_lead.hpp"
#include "chaff/posterior/n_largest.hpp"

namespace chaff {

/// All but the label and the k - 1 largest others -> 0, then normalised. Of equal entries the lowest indices stay.
///
/// k >= 1; a k of more than the number of classes leaves the answer as it is. Raises std::invalid_argument for 0.
/// Cost: O(K), for any k. Allocation: none.
struct top_k {
  std::size_t k = 5;

  void check(const policy&) const {
    if (k == 0) fail<std::invalid_argument>("chaff: k is 0, allowed is 1 or more");
  }

  template <class T>
  void operator()(std::span<T> answer, kept_label kept) const {
    if (k >= answer.size()) return;
    using Key = decltype(order_of(T{}));
    const auto key_at = [&](std::size_t i) { return i == kept.index ? static_cast<Key>(-1) : order_of(answer[i]); };
    const auto stays = n_largest(answer.size(), k, key_at);
    for (std::size_t i = 0; i < answer.size(); ++i) {
      if (!stays.has(i, key_at(i))) answer[i] = 0;
    }
    normalise_behind_label(answer, kept);
  }
};

}  // namespace chaff

#endif
