// SPDX-License-Identifier: MIT
/// Sends the label to another class, the same one each time: the answer to a thief who keeps nothing but the label.
#ifndef CHAFF_PERTURBATIONS_MISDIRECT_HPP
#define CHAFF_PERTURBATIONS_MISDIRECT_HPP

#include "chaff/noise/keyed_noise.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// w = p with the entries of the label k and of pi(k) exchanged. The key gives each class a rank, SipHash-2-4 of its
/// index; pi(k) is the class that is next in rank, of those that can occur, and the first after the last. So pi is a
/// derangement, one cycle through all classes, drawn uniformly from such cycles, and it is the same for all queries:
/// neither repeating nor jittering a query averages it away.
///
/// It changes labels on purpose: stand it behind a gate, and say `policy.keep_label = false`; under keep_label it
/// raises std::invalid_argument. A row in which one class alone can occur is left as it is.
/// What an attacker can learn: who knows the true label of a query whose answer was misdirected knows pi of that class,
/// K - 1 such queries give all of pi, and which answers were misdirected is then plain.
/// Cost: O(K), a hash for each class where the gate is open. Source: this library.
struct misdirect {
  chaff::key key;

  static constexpr bool is_dear = true;

  void check(const policy& promised) const {
    if (promised.keep_label) {
      fail<std::invalid_argument>("chaff: misdirect changes labels on purpose; set policy.keep_label = false");
    }
  }

  /// pi(k) of a row.
  template <class T>
  std::size_t other_than_label(const row<T>& seen) const {
    const keyed_noise ranks(key, noise_purpose::derangement);
    const std::size_t k = seen.label;
    const std::uint64_t rank = ranks.at(k)[0];
    std::uint64_t least = 0;
    std::size_t next = k;
    for (std::size_t first = 0; first < seen.classes(); first += lanes_of<std::uint64_t>) {
      const lanes<std::uint64_t> block = ranks.at(first);
      const std::size_t count = std::min(lanes_of<std::uint64_t>, seen.classes() - first);
      for (std::size_t lane = 0; lane < count; ++lane) {
        const std::size_t i = first + lane;
        if (i == k || !seen.possible(i)) continue;
        // ranks are a circle; of equal ones the lower index comes first
        const std::uint64_t ahead = block[lane] - rank - (i < k);
        if (next == k || ahead < least) {
          least = ahead;
          next = i;
        }
      }
    }
    return next;
  }

  template <class T>
  struct weights_of_row {
    T label;            ///< w_k = p_pi(k)
    T confidence;       ///< p_k
    std::size_t other;  ///< pi(k)

    [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const {
      return select<T>(iota<bits_of<T>>(0) == static_cast<bits_of<T>>(other - at.first), broadcast(confidence), at.p);
    }
  };

  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    const std::size_t other = other_than_label(seen);
    return {seen.posterior(other), static_cast<T>(seen.confidence()), other};
  }
};

}  // namespace chaff

#endif
