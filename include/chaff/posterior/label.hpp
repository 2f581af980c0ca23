// SPDX-License-Identifier: MIT
/// The label of a row: the class that it names.
#ifndef CHAFF_POSTERIOR_LABEL_HPP
#define CHAFF_POSTERIOR_LABEL_HPP

#include <span>

#include "chaff/lanes/lanes.hpp"

namespace chaff {

/// The largest value of a row and the lowest index that has it.
template <class T>
struct argmax {
  T value;
  std::size_t index;
  bool has_nan;  // then value and index mean nothing
};

/// Finds the argmax of a row of at least one value, without a scalar scan: the largest value of each stretch of 16
/// blocks, then the lowest index in the first stretch that has it.
template <class T>
[[gnu::always_inline]] inline argmax<T> find_argmax(const T* values, std::size_t classes) {
  using I = bits_of<T>;
  constexpr std::size_t stretch = 16 * lanes_of<T>;
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  T best = lowest;
  std::size_t best_first = 0;
  mask<T> nan{};
  for (std::size_t first = 0; first < classes; first += stretch) {
    const T* part = values + first;
    lanes<T> greatest = broadcast(lowest);
    for_each_block<T>(classes - first < stretch ? classes - first : stretch, [&](std::size_t i, auto count) {
      const lanes<T> value = load<T>(part + i, count, lowest);
      nan |= value != value;
      greatest = most<T>(value, greatest);
    });
    if (const T value = most_of<T>(greatest); value > best) {
      best = value;
      best_first = first;
    }
  }
  const T* part = values + best_first;
  constexpr I none = std::numeric_limits<I>::max();
  lanes<I> index = lanes<I>{} + none;
  for_each_block<T>(classes - best_first < stretch ? classes - best_first : stretch, [&](std::size_t i, auto count) {
    const lanes<T> value = load<T>(part + i, count, lowest);
    const lanes<I> here = value == best ? iota<I>(static_cast<I>(i)) : lanes<I>{} + none;
    index = here < index ? here : index;
  });
  return {best, best_first + static_cast<std::size_t>(least_of<I>(index)), least_of<I>(nan) != 0};
}

/// The label of a row of logits, log-probabilities or probabilities: the lowest index of the largest value.
/// The row has at least one class and no NaN.
template <class T>
std::size_t label(std::span<const T> row) {
  return find_argmax<T>(row.data(), row.size()).index;
}

}  // namespace chaff

#endif
