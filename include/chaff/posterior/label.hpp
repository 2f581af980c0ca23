// SPDX-License-Identifier: MIT
/// The label of a row: the class that it names.
#ifndef CHAFF_POSTERIOR_LABEL_HPP
#define CHAFF_POSTERIOR_LABEL_HPP

#include <algorithm>
#include <span>

#include "chaff/lanes/blocks.hpp"

namespace chaff {

/// The largest value of a row and the lowest index that has it.
template <class T>
struct argmax {
  T value;
  std::size_t index;
  bool has_nan;     // then value and index mean nothing
  bool all_finite;  // false also where that was not looked at
};

/// Finds the argmax of a row of at least one value, without a scalar scan: each lane keeps its largest value and the
/// group of four blocks that it was first seen in, and the earliest of those groups is searched again. Indices are as
/// wide as T, so a row is walked in stretches that they can count.
template <class T>
[[gnu::always_inline]] inline argmax<T> find_argmax(const T* values, std::size_t classes) {
  using I = bits_of<T>;
  constexpr std::size_t group = 4 * lanes_of<T>;
  constexpr std::size_t stretch = std::size_t{1} << 30;
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  constexpr I none = std::numeric_limits<I>::max();
  argmax<T> top{lowest, 0, false, true};
  for (std::size_t from = 0; from < classes; from += stretch) {
    const T* const part = values + from;
    const std::size_t count = std::min(classes - from, stretch);
    lanes<T> greatest = broadcast(lowest);
    lanes<I> index{};
    lanes<T> sum{};  // NaN if a value is, and also for infinities of both signs
    const auto take = [&](lanes<T> value, std::size_t at) CHAFF_INLINED {
      index = value > greatest ? broadcast(static_cast<I>(at)) : index;
      greatest = most<T>(value, greatest);
    };
    std::size_t at = 0;
    for (; at + group <= count; at += group) {
      const lanes<T> a = load<T>(part + at), b = load<T>(part + at + lanes_of<T>);
      const lanes<T> c = load<T>(part + at + 2 * lanes_of<T>), d = load<T>(part + at + 3 * lanes_of<T>);
      sum += (a + b) + (c + d);
      take(most<T>(most<T>(a, b), most<T>(c, d)), at);
    }
    const std::size_t last_group = at;
    for_each_block<T>(count - at, [&](std::size_t i, auto block) CHAFF_INLINED {
      sum += load<T>(part + last_group + i, block, T(0));
      take(load<T>(part + last_group + i, block, lowest), last_group);
    });
    const T value = most_of<T>(greatest);
    const T total = sum_of<T>(sum);
    top.all_finite &= total - total == T(0);
    if (total != total) [[unlikely]] {
      for (std::size_t i = 0; i < count; ++i) top.has_nan |= part[i] != part[i];
    }
    if (from == 0 || value > top.value) {
      const auto first = static_cast<std::size_t>(least_of<I>(greatest == value ? index : lanes<I>{} + none));
      lanes<I> here = lanes<I>{} + none;
      for_each_block<T>(std::min(count - first, group), [&](std::size_t i, auto block) CHAFF_INLINED {
        const lanes<I> found =
            load<T>(part + first + i, block, lowest) == value ? iota<I>(static_cast<I>(i)) : lanes<I>{} + none;
        here = found < here ? found : here;
      });
      top = {value, from + first + static_cast<std::size_t>(least_of<I>(here)), top.has_nan, top.all_finite};
    }
  }
  return top;
}

/// The label of a row of logits, log-probabilities or probabilities: the lowest index of the largest value.
/// The row has at least one class and no NaN.
template <class T>
CHAFF_ONE_COPY std::size_t label(std::span<const T> row) {
  return find_argmax<T>(row.data(), row.size()).index;
}

}  // namespace chaff

#endif
