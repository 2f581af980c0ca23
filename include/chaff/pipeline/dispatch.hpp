// SPDX-License-Identifier: MIT
/// Chooses the kernel for each row, and raises the error for a row without an output.
#ifndef CHAFF_PIPELINE_DISPATCH_HPP
#define CHAFF_PIPELINE_DISPATCH_HPP

#include <functional>

#include "chaff/pipeline/rows_across_lanes.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Zeroes the output, then raises the error of an empty row.
template <class T>
[[noreturn, gnu::cold]] void fail_empty(std::span<T> output) {
  std::fill(output.begin(), output.end(), T(0));
  fail<std::invalid_argument>("chaff: the row of logits is empty");
}

/// Zeroes the output, then raises a parameter's error.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_parameter(const parameter_error& error, std::span<T> output) {
  std::fill(output.begin(), output.end(), T(0));
  raise(error);
  __builtin_unreachable();
}

/// Zeroes the output, then says what is wrong with a row: where, but no value.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_row(fault why, std::span<const T> values, std::size_t row,
                                                     std::span<T> output, form input) {
  std::size_t at = 0;
  while (at < values.size() &&
         !(why == fault::nan ? simd::is_nan(values[at]) : values[at] >= std::numeric_limits<T>::infinity())) {
    ++at;
  }
  const char* name = input == form::logits ? "logit" : input == form::probabilities ? "probability" : "log-probability";
  std::fill(output.begin(), output.end(), T(0));
  switch (why) {
    case fault::nan: fail<std::domain_error>("chaff: %s %zu of row %zu is NaN", name, at, row);
    case fault::infinite: fail<std::domain_error>("chaff: %s %zu of row %zu is +inf", name, at, row);
    case fault::all_masked: fail<std::domain_error>("chaff: every class of row %zu is -inf", row);
    case fault::none:
    case fault::not_a_distribution: break;
  }
  fail<std::domain_error>(
      "chaff: row %zu is not a row of %s; if the model returns logits, policy.input must be form::logits", row,
      input == form::probabilities ? "probabilities" : "log-probabilities");
}

/// Whether logits and output overlap without being the same memory.
template <class T>
[[gnu::always_inline]] inline bool overlap_in_part(std::span<const T> logits, std::span<T> output) {
  const T* const from = logits.data();
  const T* const to = output.data();
  return from != to && std::less<>{}(from, to + output.size()) && std::less<>{}(to, from + logits.size());
}

/// Zeroes the output, then says what is wrong with the shapes.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_shapes(std::span<const T> logits, std::size_t classes,
                                                        std::span<T> output) {
  std::fill(output.begin(), output.end(), T(0));
  if (classes == 0) fail<std::invalid_argument>("chaff: a row has 0 classes, allowed is 1 or more");
  if (logits.size() != output.size()) {
    fail<std::invalid_argument>("chaff: %zu logits, but the output has room for %zu", logits.size(), output.size());
  }
  if (logits.size() % classes != 0) {
    fail<std::invalid_argument>("chaff: %zu logits are not a whole number of rows of %zu classes", logits.size(),
                                classes);
  }
  fail<std::invalid_argument>("chaff: logits and output overlap in part; allowed is the same or apart");
}

/// Answers one row of K >= 1 classes, or zeroes the whole output and raises why it has none.
template <class T>
[[gnu::always_inline]] inline void answer_any_row(const defense_call<T>& defense, const policy& policy,
                                                  const row_position& position, const T* values, T* to,
                                                  std::span<T> output) {
  const std::size_t classes = position.classes;
  const outcome result = classes == 1 ? answer_sigmoid<T>(defense, policy, *values, *to, position)
                                      : answer_row<T>(defense, policy, values, to, classes, position);
  if (result.why != fault::none) [[unlikely]] {
    fail_row<T>(result.why, {values, classes}, position.row, output, policy.input);
  }
}

/// Answers a batch of rows.
template <class T>
CHAFF_NO_IPA void answer_batch(const defense_call<T>& defense, const policy& policy, std::span<const T> logits,
                               std::size_t classes, std::span<T> output) {
  row_position position{0, logits.size() / classes, classes};
  while (position.row < position.rows) {
    const T* const from = logits.data() + position.row * classes;
    T* const to = output.data() + position.row * classes;
    if (position.rows - position.row >= simd::width<T> && fits_across(classes, policy, defense) &&
        answer_rows_across<T>(defense, policy, from, classes, to)) {
      position.row += simd::width<T>;
    } else {
      answer_any_row(defense, policy, position, from, to, output);
      ++position.row;
    }
  }
}

/// Answers rows of `classes` classes each. A gate, perturbation or reduction of the user may throw; the caller then
/// zeroes the output.
template <class T>
[[gnu::always_inline]] inline void answer_rows(const defense_call<T>& defense, const policy& policy,
                                               std::span<const T> logits, std::size_t classes, std::span<T> output) {
  if (logits.size() != output.size() || overlap_in_part(logits, output) || classes == 0) [[unlikely]] {
    fail_shapes(logits, classes, output);
  }
  if (logits.size() == classes) {  // one row needs no division
    answer_any_row(defense, policy, {0, 1, classes}, logits.data(), output.data(), output);
  } else {
    if (logits.size() % classes != 0) [[unlikely]]
      fail_shapes(logits, classes, output);
    answer_batch(defense, policy, logits, classes, output);
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
