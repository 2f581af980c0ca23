// SPDX-License-Identifier: MIT
/// The softmax of a row, and the facts about it.
#ifndef CHAFF_POSTERIOR_SOFTMAX_HPP
#define CHAFF_POSTERIOR_SOFTMAX_HPP

#include "chaff/posterior/row.hpp"

namespace chaff {

/// Why a row cannot be answered.
enum class fault { none, nan, infinite, empty, not_a_distribution };

/// What is wrong with a row by its argmax alone.
template <class T>
[[gnu::always_inline]] inline fault fault_of(const argmax<T>& top) {
  if (top.has_nan) return fault::nan;
  if (top.value == std::numeric_limits<T>::infinity()) return fault::infinite;
  if (top.value == -std::numeric_limits<T>::infinity()) return fault::empty;
  return fault::none;
}

/// Whether a row of log-probabilities is one: its probabilities sum to 1 within 1 %.
template <class T>
bool is_normalised(const row<T>& seen) {
  return std::abs(seen.log_sum_exp()) <= 0.01;
}

/// Observes a row: its label and the mass of the other classes.
/// A fault is returned, not raised, so that the caller can clear the answer first.
template <class T>
[[gnu::always_inline]] inline fault observe(std::span<const T> values, form input, row<T>& seen) {
  const argmax<T> top = find_argmax<T>(values.data(), values.size());
  if (const fault why = fault_of(top); why != fault::none) return why;
  seen = {values, input, top.index, top.value, 1, 0};
  const bool are_probabilities = input == form::probabilities;
  const T impossible = seen.impossible();
  mask<T> negative{};
  seen.other_mass = seen.sum_beside_label([&](std::size_t first, auto count) CHAFF_INLINED {
    const lanes<T> value = load<T>(values.data() + first, count, impossible);
    if (are_probabilities) negative |= value < T(0);
    return seen.e(value);
  });
  if (are_probabilities) {
    seen.label_mass = static_cast<double>(top.value);
    if (any_of<T>(negative) || top.value > T(1.01) || !(std::abs(seen.mass() - 1) <= 0.01)) {
      return fault::not_a_distribution;
    }
  } else if (input == form::log_probabilities && !is_normalised(seen)) {
    return fault::not_a_distribution;
  }
  return fault::none;
}

/// softmax(z)_i = exp(z_i - lse), lse = max z + log sum exp(z - max z): the undefended answer.
///
/// Shapes: both spans have K >= 1 entries, and may be the same memory. Values: finite, or -inf but not all of them.
/// Largest error: 25 eps of T relative for any K (the sum's bound is 21 of them); an entry below T's smallest normal
/// number is 0 or that number's size. Errors: std::domain_error; the posterior is then as it was.
template <std::floating_point T>
CHAFF_ONE_COPY void softmax(std::span<const T> logits, std::span<T> posterior) {
  row<T> seen{};
  if (observe<T>(logits, form::logits, seen) != fault::none) {
    fail<std::domain_error>("chaff: softmax of a row with NaN or +inf, or of -inf alone");
  }
  const T scale = static_cast<T>(1 / seen.mass());
  const T top = logits[seen.label];
  for_each_block<T>(logits.size(), [&](std::size_t first, auto count) {
    const lanes<T> value = load<T>(logits.data() + first, count, top);
    store<T>(posterior.data() + first, exp_nonpositive<T>(value - top) * scale, count);
  });
}

}  // namespace chaff

#endif
