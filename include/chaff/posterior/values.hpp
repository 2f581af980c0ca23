// SPDX-License-Identifier: MIT
/// Ranges of float or double that lie in one piece.
#ifndef CHAFF_POSTERIOR_VALUES_HPP
#define CHAFF_POSTERIOR_VALUES_HPP

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>

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

/// The range as a span.
template <contiguous_values R>
std::span<const value_of<const R>> span_of(const R& range) {
  return {std::data(range), static_cast<std::size_t>(std::size(range))};
}

}  // namespace chaff

#endif
