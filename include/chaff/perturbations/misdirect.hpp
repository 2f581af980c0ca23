// SPDX-License-Identifier: MIT
/// A perturbation that sends the label to another class, always the same one: it misleads an attacker who keeps only
/// labels.
#ifndef CHAFF_PERTURBATIONS_MISDIRECT_HPP
#define CHAFF_PERTURBATIONS_MISDIRECT_HPP

#include "chaff/noise/keyed_noise.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// pi(k) of a row: the class that follows the label in the keyed order, of those that are not masked, and the first
/// after the last.
template <class T>
std::size_t class_after_label(const key& key, const row<T>& row) {
  constexpr std::size_t width = simd::width<std::uint64_t>;
  const keyed_noise ranks(key, noise_purpose::derangement);
  const std::size_t k = row.label;
  const std::uint64_t rank = ranks.at(k)[0];
  std::uint64_t nearest = 0;
  std::size_t next = k;
  for (std::size_t first = 0; first < row.classes(); first += width) {
    const simd::vec<std::uint64_t> block = ranks.at(first);
    const std::size_t count = (std::min)(width, row.classes() - first);
    for (std::size_t lane = 0; lane < count; ++lane) {
      const std::size_t i = first + lane;
      if (i == k || row.is_masked(i)) continue;
      // ranks are a circle; of equal ones the lower index comes first
      const std::uint64_t ahead = block[lane] - rank - (i < k);
      if (next == k || ahead < nearest) {
        nearest = ahead;
        next = i;
      }
    }
  }
  return next;
}

template <class T>
struct misdirect_weights {
  T label;            ///< w_k = p_pi(k)
  T confidence;       ///< p_k
  std::size_t other;  ///< pi(k)

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    using Int = simd::int_of<T>;
    return simd::select<T>(simd::iota<Int>(0) == static_cast<Int>(other - block.first), simd::broadcast(confidence),
                           block.p);
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// A perturbation that sends the label to another class, always the same one: it misleads an attacker who keeps only
/// labels.
/// Formula: w = p with the entries of the label k and of pi(k) exchanged. The key gives each class a rank, SipHash-2-4
/// of its index; pi(k) is the class that follows k in rank, of those that are not masked, and the first after the last.
/// So pi is a derangement, one cycle through all classes, drawn uniformly from such cycles. It is the same for all
/// queries: repeating or changing a query a little does not average it away.
/// It changes labels on purpose: use it behind a gate, with policy.keep_label = false. A row in which only one class is
/// not masked stays as it is.
/// Throws: std::invalid_argument under policy.keep_label, when bound to a model and at apply.
/// What an attacker can learn: whoever knows the true label of a misdirected query knows pi of that class; K - 1 such
/// queries give all of pi, and then show which responses were misdirected.
/// Cost: O(K), a hash for each class where the gate is open.
/// Source: this library.
struct misdirect {
  chaff::key key;

  [[gnu::always_inline]] constexpr parameter_error check(const policy& policy) const {
    if (policy.keep_label) return {.sentence = "misdirect changes labels on purpose: set policy.keep_label = false"};
    return {};
  }

  template <class T>
  detail::misdirect_weights<T> weights(const row<T>& row) const {
    const std::size_t other = detail::class_after_label(key, row);
    return {row.posterior(other), static_cast<T>(row.confidence()), other};
  }
};

}  // namespace chaff

CHAFF_END

#endif
