// SPDX-License-Identifier: MIT
/// The argmax of a row: the class that it predicts.
#ifndef CHAFF_POSTERIOR_ARGMAX_HPP
#define CHAFF_POSTERIOR_ARGMAX_HPP

#include <algorithm>
#include <span>

#include "chaff/exact.hpp"
#include "chaff/simd/blocks.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The largest value of a row and the lowest index that has it.
template <class T>
struct row_argmax {
  T value;
  std::size_t index;
  bool has_nan;  // then value and index mean nothing
};

/// Finds the argmax of a row of at least one value, without a scalar scan: each lane keeps its largest value and the
/// first group of four blocks that holds it, and the earliest of those groups is searched again. Indices are as wide as
/// T, so a row is processed in parts that they can count.
template <class T>
[[gnu::always_inline]] inline row_argmax<T> find_argmax(const T* values, std::size_t classes) {
  using Int = simd::int_of<T>;
  constexpr std::size_t group = 4 * simd::width<T>;
  constexpr std::size_t stretch = std::size_t{1} << 30;
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  constexpr Int none = (std::numeric_limits<Int>::max)();
  row_argmax<T> top{lowest, 0, false};
  for (std::size_t from = 0; from < classes; from += stretch) {
    const T* const part = values + from;
    const std::size_t count = (std::min)(classes - from, stretch);
    simd::vec<T> greatest = simd::broadcast(lowest);
    simd::vec<Int> index{};
    simd::vec<T> sum{};  // NaN if a value is, and also for infinities of both signs
    simd::mask<T> nan{};
    const auto take = [&](simd::vec<T> value, std::size_t at) CHAFF_INLINE {
      index = value > greatest ? simd::broadcast(static_cast<Int>(at)) : index;
      greatest = simd::maximum<T>(value, greatest);
    };
    std::size_t at = 0;
    for (; at + group <= count; at += group) {
      const simd::vec<T> a = simd::load<T>(part + at), b = simd::load<T>(part + at + simd::width<T>);
      const simd::vec<T> c = simd::load<T>(part + at + 2 * simd::width<T>),
                         d = simd::load<T>(part + at + 3 * simd::width<T>);
      sum += (a + b) + (c + d);
      take(simd::maximum<T>(simd::maximum<T>(a, b), simd::maximum<T>(c, d)), at);
    }
    const std::size_t last_group = at;
    simd::for_each_block_compact<T>(count - at, [&](std::size_t i, std::size_t left) CHAFF_INLINE {
      const simd::vec<T> value = simd::load_some<T>(part + last_group + i, left, lowest);
      nan |= simd::is_nan<T>(value);
      take(value, last_group);
    });
    const T value = simd::max_across<T>(greatest);
    const T total = simd::sum_across<T>(sum);
    if (simd::is_nan(total) || simd::any_of<T>(nan)) [[unlikely]] {
      for (std::size_t i = 0; i < count; ++i) top.has_nan |= simd::is_nan(part[i]);
    }
    if (from == 0 || value > top.value) {
      const auto first =
          static_cast<std::size_t>(simd::min_across<Int>(greatest >= value ? index : simd::vec<Int>{} + none));
      simd::vec<Int> here = simd::vec<Int>{} + none;
      simd::for_each_block_compact<T>(
          (std::min)(count - first, group), [&](std::size_t i, std::size_t left) CHAFF_INLINE {
            const simd::vec<Int> found = simd::load_some<T>(part + first + i, left, lowest) >= value
                                             ? simd::iota<Int>(static_cast<Int>(i))
                                             : simd::vec<Int>{} + none;
            here = found < here ? found : here;
          });
      top = {value, from + first + static_cast<std::size_t>(simd::min_across<Int>(here)), top.has_nan};
    }
  }
  return top;
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// The predicted label of a row of logits, log-probabilities or probabilities: the lowest index of the largest value.
/// Shape: the row has K >= 1 entries, none of them NaN.
template <class T>
[[nodiscard]] CHAFF_NO_IPA std::size_t argmax(std::span<const T> row) {
  return detail::find_argmax<T>(row.data(), row.size()).index;
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
