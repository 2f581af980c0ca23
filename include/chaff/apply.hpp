// SPDX-License-Identifier: MIT
/// Defends given logits: one row, or rows that lie one after another.
#ifndef CHAFF_APPLY_HPP
#define CHAFF_APPLY_HPP

#include <span>

#include "chaff/adapter.hpp"
#include "chaff/misuse.hpp"
#include "chaff/pipeline/dispatch.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// What is wrong with a parameter of a defense or a policy, or nothing.
template <class Defense>
[[gnu::always_inline]] inline parameter_error find_error(const Defense& defense, const policy& policy) {
  if (parameter_error error = check_policy(policy)) return error;
  const auto& own = without_reductions(defense);
  if constexpr (requires { own.check(policy); }) {
    if (parameter_error error = check_part(own, policy)) return error;
  } else {
    const auto& parts = parts_of(defense);
    if (parameter_error error = check_part(parts.gate, policy)) return error;
    if (parameter_error error = check_part(parts.perturbation, policy)) return error;
  }
  parameter_error error{};
  for_each_reduction(defense, [&](const auto& reduction) CHAFF_INLINE {
    if (!error) error = check_part(reduction, policy);
  });
  return error;
}

/// Calls `use` with what the stages call of a defense.
template <class T, class Defense, class Use>
[[gnu::always_inline]] inline void with_defense_call(const Defense& defense, Use use) {
  if constexpr (requires { defense.template whole_call<T>(); }) {  // an any_defense without reductions
    if (const defense_call<T>* const call = defense.template whole_call<T>()) return use(*call);
  }
  const auto& parts = parts_of(defense);
  using Perturbation = std::remove_cvref_t<decltype(parts.perturbation)>;
  defense_call<T> call{gate_call_of<T>(parts.gate), perturbation_call_of<T, Perturbation>(parts.perturbation), {}};
  if constexpr (reductions_of<Defense> == 0) {
    use(call);
  } else {
    reduction_call<T> reductions[reductions_of<Defense>];
    reduction_call<T>* next = reductions;
    for_each_reduction(defense, [&](const auto& each) CHAFF_INLINE { set_reduction_call(each, *next++); });
    call.reductions = {reductions, next};
    use(call);
  }
}

/// Zeroes the output and says so where the policy contradicts the number of classes of a row.
template <class T>
[[gnu::cold, gnu::noinline]] void check_classes(std::size_t classes, std::size_t of_policy, std::span<T> output) {
  if (classes == of_policy) return;
  std::fill(output.begin(), output.end(), T(0));
  fail<std::invalid_argument>("chaff: rows of %zu classes, but policy.classes is %zu", classes, of_policy);
}

/// Answers rows of `classes` classes each: see apply_rows.
template <class Defense, class T>
[[gnu::always_inline]] inline void apply_to_rows(const Defense& defense, std::span<const T> logits, std::size_t classes,
                                                 std::span<T> output, const policy& policy) {
  if constexpr (check_defense<Defense, T>()) {
#if defined(__cpp_exceptions)
    try {
#endif
      if (const parameter_error error = find_error(defense, policy)) [[unlikely]] {
        fail_parameter(error, output);
      }
      with_defense_call<T>(defense, [&](const defense_call<T>& call)
                                        CHAFF_INLINE { answer_rows<T>(call, policy, logits, classes, output); });
#if defined(__cpp_exceptions)
    } catch (...) {
      std::fill(output.begin(), output.end(), T(0));
      throw;
    }
#endif
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Checks a defense and a policy.
/// Throws: std::invalid_argument for a parameter out of its range, or a policy that the defense cannot serve.
template <class Defense>
[[gnu::cold]] void check(const Defense& defense, const policy& policy = {}) {
  detail::raise(detail::find_error(defense, policy));
}

/// Answers N rows of `classes` classes each, row-major.
/// Shapes: logits and output have N * classes entries, and are the same memory or apart; N may be 0.
/// policy.classes is 0 or `classes`.
/// Range: finite values or -inf, but not only -inf in a row. A row has the same bits as alone through apply.
/// Throws: std::invalid_argument for a parameter out of its range, no classes, sizes that do not match, or memory that
/// overlaps in part; std::domain_error for NaN, +inf or a row of only -inf, and for rows that are not distributions
/// where policy.input says that they are. The output is zeroed before any of these errors, and whatever a part of the
/// user throws; in a program without exceptions, an error inside a decoy, a surrogate, a codebook or a callable of the
/// user leaves the output as it is.
/// Allocates: nothing.
template <class Defense, std::floating_point T>
void apply_rows(const Defense& defense, std::span<const T> logits, std::size_t classes, std::span<T> output,
                const policy& policy = {}) {
  if (policy.classes != 0) [[unlikely]]
    detail::check_classes(classes, policy.classes, output);
  detail::apply_to_rows<Defense, T>(defense, logits, classes, output, policy);
}

/// Answers one row of K >= 1 classes.
/// Shapes: logits and output have K entries, and are the same memory or apart. policy.classes is 0 or K; a batch is for
/// apply_rows.
/// Range, errors and allocation: those of apply_rows.
template <class Defense, std::floating_point T>
void apply(const Defense& defense, std::span<const T> logits, std::span<T> output, const policy& policy = {}) {
  if (logits.empty()) detail::fail_empty(output);
  if (policy.classes != 0) [[unlikely]]
    detail::check_classes(logits.size(), policy.classes, output);
  detail::apply_to_rows<Defense, T>(defense, logits, logits.size(), output, policy);
}

/// Answers one row in a contiguous range of float or double, such as a std::vector, into another.
/// Shapes, errors and allocation: those of apply on spans.
template <class Defense, class Logits, class Output>
requires detail::AnswerableRanges<Logits, Output>
void apply(const Defense& defense, const Logits& logits, Output&& output, const policy& policy = {}) {
  using T = detail::element_of<const Logits>;
  apply<Defense, T>(defense, detail::span_of(logits),
                    std::span<T>(std::data(output), static_cast<std::size_t>(std::size(output))), policy);
}

/// Answers a batch in a contiguous range of float or double, such as a std::vector, into another.
/// Shapes, errors and allocation: those of apply_rows on spans.
template <class Defense, class Logits, class Output>
requires detail::AnswerableRanges<Logits, Output>
void apply_rows(const Defense& defense, const Logits& logits, std::size_t classes, Output&& output,
                const policy& policy = {}) {
  using T = detail::element_of<const Logits>;
  apply_rows<Defense, T>(defense, detail::span_of(logits), classes,
                         std::span<T>(std::data(output), static_cast<std::size_t>(std::size(output))), policy);
}

/// Answers logits in an adapted container, such as an Eigen matrix, as a new one of the same kind.
/// Shapes, errors and allocation are those of the adapter.
template <class Defense, Adapted Logits>
[[nodiscard("chaff: the answer is returned: write output = chaff::apply(defense, logits)")]] auto apply(
    const Defense& defense, const Logits& logits, const policy& policy = {}) {
  return adapter<std::remove_cvref_t<Logits>>::apply(defense, logits, policy);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
