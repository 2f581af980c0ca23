// SPDX-License-Identifier: MIT
/// The roles that parts play: one concept each.
#ifndef CHAFF_CONCEPTS_HPP
#define CHAFF_CONCEPTS_HPP

#include <concepts>
#include <span>

#include "chaff/posterior/label_lead.hpp"
#include "chaff/posterior/row.hpp"
#include "chaff/posterior/values.hpp"

namespace chaff {

/// A gate says for each row how far the perturbation is let in: alpha in [0, 1], the same for the same row.
/// Satisfied by confidence_gate, energy_gate, always, and any callable that takes a row<T> and returns a number.
template <class G, class T = float>
concept gate = requires(const G& part, const row<T>& seen) {
  { part(seen) } -> std::convertible_to<double>;
};

/// A perturbation weighs the classes of a row: `weights(seen)` returns an object whose member `label` is the label's
/// weight and which, called with a block<T>, returns the lanes of the others' weights, at least 0, on the scale where
/// p sums to 1.
/// Satisfied by reverse_sigmoid, random_vertex and misdirect, and by what the parts that need the query become there.
template <class P, class T = float>
concept perturbation = requires(const P& part, const row<T>& seen, const block<T>& at) {
  { part.weights(seen).label } -> std::convertible_to<T>;
  { part.weights(seen)(at) } -> std::convertible_to<lanes<T>>;
};

/// A perturbation that weighs each class by that class's probability alone: classwise<T>() returns an object with
/// step(block), a first half of the way to w, blended(p, step, alpha), which is (1 - alpha) p + alpha w from there, at
/// least 0, and label(p, log_against), the weight of a label from p and log((1 - p) / p). Satisfied by reverse_sigmoid.
/// Its rows are answered faster.
template <class P, class T = float>
concept classwise_perturbation = perturbation<P, T> && requires(const P& part, const block<T>& at, lanes<T> some) {
  { part.template classwise<T>().step(at) } -> std::convertible_to<lanes<T>>;
  { part.template classwise<T>().blended(some, some, some) } -> std::convertible_to<lanes<T>>;
  { part.template classwise<T>().label(some, some) } -> std::convertible_to<lanes<T>>;
};

/// A perturbation that costs so much more than a softmax that it does not matter which way its rows go: it says so by
/// is_dear, and is compiled for the plainest way alone. Satisfied by random_vertex, misdirect and the parts on a query.
template <class P>
concept dear_perturbation = requires {
  requires P::is_dear;
};

/// What a reduction is on one row: the part's own of_row(seen), where it must see the row before the answer is written,
/// and otherwise the part as it is.
template <class R, class T>
decltype(auto) of_row(const R& part, const row<T>& seen) {
  if constexpr (requires { part.of_row(seen); }) {
    return part.of_row(seen);
  } else {
    return (part);
  }
}

/// A reduction tells less of an answer: called with an answer of probabilities and a kept_label, it changes the answer
/// in place, and leaves it a row that sums to 1 with that label strictly first, by the margin.
/// Satisfied by top_k, rounded, label_only, high_confidence, gaussian_noise, and any callable of that form.
template <class R, class T = float>
concept reduction = requires(const R& part, const row<T>& seen, std::span<T> answer, kept_label kept) {
  of_row(part, seen)(answer, kept);
};

/// A part that is checked before use: `check(policy)` raises std::invalid_argument for a parameter out of range, or for
/// a policy that it cannot serve. Parts without parameters need none.
template <class Part>
void check_part(const Part& part, const policy& promised) {
  if constexpr (requires { part.check(promised); }) part.check(promised);
}

}  // namespace chaff

#endif
