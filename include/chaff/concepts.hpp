// SPDX-License-Identifier: MIT
/// The roles of a defense's parts: one concept for each.
#ifndef CHAFF_CONCEPTS_HPP
#define CHAFF_CONCEPTS_HPP

#include <concepts>
#include <span>

#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// The class that an output must predict, and its smallest lead over every other one, as a difference of probabilities.
struct kept_label {
  std::size_t index;
  double margin;
};

/// A gate: called with a row, it returns alpha in [0, 1], the weight of the perturbation in (1 - alpha) p + alpha w.
/// It returns the same number for the same row.
/// Satisfied by confidence_gate, energy_gate, always, and any callable that takes a row<T> and returns a number.
template <class G, class T = float>
concept Gate = requires(const G& gate, const row<T>& row) {
  { gate(row) } -> std::convertible_to<double>;
};

/// A perturbation: `weights(row)` returns an object with a member `label`, the label's weight, and a call that takes a
/// block<T> and returns a simd::vec<T> of the other classes' weights. Weights are at least 0, on the scale where p sums
/// to 1.
/// Satisfied by reverse_sigmoid, random_vertex, modelguard_w, codebook, misdirect, and by decoy, mad and
/// gradient_redirection once they are bound to a query.
template <class P, class T = float>
concept Perturbation = requires(const P& perturbation, const row<T>& row, const block<T>& block) {
  { perturbation.weights(row).label } -> std::convertible_to<T>;
  { perturbation.weights(row)(block) } -> std::convertible_to<simd::vec<T>>;
};

/// A perturbation that weighs each class by that class's probability alone: `classwise<T>()` returns an object with
/// `step(block)`, the first half of the way to w; `blend(p, step, alpha)`, which is (1 - alpha) p + alpha w, at least
/// 0; and `label(p, log_against)`, the weight of a label from p and log((1 - p) / p).
/// It is faster on batches of short rows, which are processed with a row in each lane.
/// Satisfied by reverse_sigmoid.
template <class P, class T = float>
concept ClasswisePerturbation = requires(const P& perturbation, const block<T>& block, simd::vec<T> any) {
  { perturbation.template classwise<T>().step(block) } -> std::convertible_to<simd::vec<T>>;
  { perturbation.template classwise<T>().blend(any, any, any) } -> std::convertible_to<simd::vec<T>>;
  { perturbation.template classwise<T>().label(any, any) } -> std::convertible_to<simd::vec<T>>;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// A reduction for one row: the result of its `for_row(row)`, where it must see the row before the output is written,
/// and otherwise the reduction itself.
template <class R, class T>
[[gnu::always_inline]] inline decltype(auto) reduction_for_row(const R& reduction, const row<T>& row) {
  if constexpr (requires { reduction.for_row(row); }) {
    return reduction.for_row(row);
  } else {
    return (reduction);
  }
}

/// What is wrong with a part of a defense under a policy. Parts without parameters need no member `check`.
template <class Part>
[[gnu::always_inline]] inline parameter_error check_part(const Part& part, const policy& policy) {
  if constexpr (requires {
                  { part.check(policy) } -> std::same_as<parameter_error>;
                }) {
    return part.check(policy);
  } else if constexpr (requires { part.check(policy); }) {
    part.check(policy);  // raises by itself
  }
  return {};
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A reduction: called with an output of probabilities and a kept_label, it changes the output in place, so that it
/// sums to 1 with that label strictly first, by the margin.
/// Satisfied by top_k, rounded, label_only, high_confidence, gaussian_noise, and any callable of that form.
template <class R, class T = float>
concept Reduction = requires(const R& reduction, const row<T>& row, std::span<T> output, kept_label kept) {
  detail::reduction_for_row(reduction, row)(output, kept);
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
