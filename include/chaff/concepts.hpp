// SPDX-License-Identifier: MIT
/// The roles that parts play: one concept each.
#ifndef CHAFF_CONCEPTS_HPP
#define CHAFF_CONCEPTS_HPP

#include <concepts>
#include <cstddef>
#include <iterator>
#include <type_traits>

#include "chaff/posterior/row.hpp"

namespace chaff {

/// A range of float or double that lies in one piece: std::data and std::size name it.
/// Satisfied by std::vector, std::array, std::span, and any type with data() and size(); not by Eigen's types, whose
/// data may have strides (they have an apply of their own).
template <class R>
concept contiguous_values = requires(R& range) {
  { *std::data(range) } -> std::common_reference_with<typename std::remove_reference_t<decltype(*std::data(range))>&>;
  { std::size(range) } -> std::convertible_to<std::size_t>;
  requires std::same_as < std::remove_cvref_t<decltype(*std::data(range))>,
  float > || std::same_as<std::remove_cvref_t<decltype(*std::data(range))>, double>;
}
&&!requires {
  std::remove_cvref_t<R>::RowsAtCompileTime;
};

/// float or double: the type of a range's values.
template <contiguous_values R>
using value_of = std::remove_cvref_t<decltype(*std::data(std::declval<R&>()))>;

/// A gate says for each row how far the perturbation is let in: alpha in [0, 1], the same for the same row.
/// Satisfied by confidence_gate, energy_gate, always, and any callable that takes a row<T> and returns a number.
template <class G, class T = float>
concept gate = requires(const G& part, const row<T>& seen) {
  { part(seen) } -> std::convertible_to<double>;
};

/// A perturbation weighs the classes of a row: `weights(seen)` returns an object whose member `label` is the label's
/// weight and which, called with a block<T>, returns the lanes of the others' weights, at least 0, on the scale where
/// p sums to 1.
/// Satisfied by reverse_sigmoid.
template <class P, class T = float>
concept perturbation = requires(const P& part, const row<T>& seen, const block<T>& at) {
  { part.weights(seen).label } -> std::convertible_to<T>;
  { part.weights(seen)(at) } -> std::convertible_to<lanes<T>>;
};

/// A part that is checked before use: `check(policy)` raises std::invalid_argument for a parameter out of range, or for
/// a policy that it cannot serve. Parts without parameters need none.
template <class Part>
void check_part(const Part& part, const policy& promised) {
  if constexpr (requires { part.check(promised); }) part.check(promised);
}

}  // namespace chaff

#endif
