// SPDX-License-Identifier: MIT
/// Ranges of float or double that lie in memory without gaps.
#ifndef CHAFF_POSTERIOR_CONTIGUOUS_HPP
#define CHAFF_POSTERIOR_CONTIGUOUS_HPP

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Whether a type is Eigen's, whose data may have strides: chaff/adapters/eigen.hpp reads those.
template <class R>
concept EigenLike = requires {
  std::remove_cvref_t<R>::RowsAtCompileTime;
};

/// The type of a range's elements, without const.
template <class R>
using element_of = std::remove_cvref_t<decltype(*std::data(std::declval<R&>()))>;

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A range of float or double without gaps: std::data and std::size work on it.
/// Satisfied by std::vector, std::array, std::span, and any type with data() and size(). Eigen's types have strides and
/// are read by chaff/adapters/eigen.hpp.
template <class R>
concept ContiguousRange = !detail::EigenLike<R> && requires(R & range) {
  { *std::data(range) } -> std::common_reference_with<const detail::element_of<R>&>;
  { std::size(range) } -> std::convertible_to<std::size_t>;
  requires std::same_as < detail::element_of<R>,
  float > || std::same_as<detail::element_of<R>, double>;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// A range whose values may be written.
template <class R>
concept WritableRange = ContiguousRange<R> && requires(R& range) {
  { std::data(range) } -> std::convertible_to<element_of<R>*>;
};

/// A range that owns its values: constness reaches them. A view's does not.
template <class R>
concept OwningRange = ContiguousRange<R> && requires(R& range, const R& constant) {
  { std::data(range) } -> std::same_as<element_of<R>*>;
  { std::data(constant) } -> std::same_as<const element_of<R>*>;
};

/// A range as a span of constants.
template <ContiguousRange R>
std::span<const element_of<const R>> span_of(const R& range) {
  return {std::data(range), static_cast<std::size_t>(std::size(range))};
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
