// SPDX-License-Identifier: MIT
/// Defends logits at hand: one row, or rows that lie one after another.
#ifndef CHAFF_APPLY_HPP
#define CHAFF_APPLY_HPP

#include <functional>
#include <span>

#include "chaff/defenses/reduced.hpp"
#include "chaff/perturbations/query.hpp"
#include "chaff/pipeline/answer_row.hpp"
#include "chaff/pipeline/rows_across_lanes.hpp"

namespace chaff {

/// The perturbation of one row: what a part on its query is there, and any other part as it is.
template <class P>
decltype(auto) at_place(const P& part, const place& where) {
  if constexpr (requires { part.at(where); }) {
    return part.at(where);
  } else {
    return (part);
  }
}

/// A gate known by a call alone, to be used while that gate lives.
template <class T>
struct any_gate {
  const void* part;
  double (*ask)(const void* part, const row<T>& seen);

  template <class G>
  static any_gate of(const G& gate) {
    return {&gate, [](const void* own, const row<T>& seen) {
              return static_cast<double>((*static_cast<const G*>(own))(seen));
            }};
  }

  double operator()(const row<T>& seen) const { return ask(part, seen); }
};

/// Whether each of a tuple of reductions takes answers of T.
template <class Reductions, class T>
inline constexpr bool reduce_answers_of = false;
template <class... Reductions, class T>
inline constexpr bool reduce_answers_of<std::tuple<Reductions...>, T> = (reduction<Reductions, T> && ...);

/// A defense that can answer rows of T.
/// Satisfied by dcp, none, gated{gate, perturbation}, a bare perturbation, and any of them | reductions; not by what
/// needs the query.
template <class D, class T = float>
concept defense = requires(const D& d, const place& where) {
  requires gate<std::remove_cvref_t<decltype(parts_of(d).gate)>, T>;
  requires perturbation<std::remove_cvref_t<decltype(at_place(parts_of(d).perturbation, where))>, T>;
  requires reduce_answers_of<std::remove_cvref_t<decltype(reductions_of(d))>, T>;
};

/// Raises std::invalid_argument for a parameter of the defense or the policy that is out of range.
template <class Defense>
void check(const Defense& used, const policy& promised) {
  const auto& parts = parts_of(used);
  promised.check();
  check_part(parts.gate, promised);
  check_part(parts.perturbation, promised);
  std::apply([&](const auto&... reductions) { (check_part(reductions, promised), ...); }, reductions_of(used));
}

/// Clears the answer, then raises the error.
template <class E, class T, class... Values>
[[noreturn, gnu::cold]] void fail_cleared(std::span<T> answer, const char* format, Values... values) {
  std::fill(answer.begin(), answer.end(), T(0));
  if constexpr (sizeof...(values) == 0) {
    fail<E>("%s", format);
  } else {
    fail<E>(format, values...);
  }
}

/// Clears the answer, then says what is wrong with a row: where, but no value.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_row(fault why, std::span<const T> values, std::size_t at_row,
                                                     std::span<T> answer, form input) {
  std::size_t at = 0;
  while (at < values.size() &&
         !(why == fault::nan ? values[at] != values[at] : values[at] == std::numeric_limits<T>::infinity())) {
    ++at;
  }
  const char* name = input == form::logits ? "logit" : input == form::probabilities ? "probability" : "log-probability";
  switch (why) {
    case fault::nan: fail_cleared<std::domain_error>(answer, "chaff: %s %zu of row %zu is NaN", name, at, at_row);
    case fault::infinite: fail_cleared<std::domain_error>(answer, "chaff: %s %zu of row %zu is +inf", name, at, at_row);
    case fault::empty: fail_cleared<std::domain_error>(answer, "chaff: row %zu is -inf alone", at_row);
    default:
      fail_cleared<std::domain_error>(
          answer, "chaff: row %zu is not a row of %s; if the model returns logits, policy.input must be form::logits",
          at_row, input == form::probabilities ? "probabilities" : "log-probabilities");
  }
}

/// Whether logits and answer overlap without being the same memory.
template <class T>
bool overlap_in_part(std::span<const T> logits, std::span<T> answer) {
  const T* const from = logits.data();
  const T* const to = answer.data();
  return from != to && std::less<>{}(from, to + answer.size()) && std::less<>{}(to, from + logits.size());
}

/// Clears the answer, then says what is wrong with the shapes.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_shapes(std::span<const T> logits, std::size_t classes,
                                                        std::span<T> answer) {
  if (classes == 0) fail_cleared<std::invalid_argument>(answer, "chaff: classes is 0, allowed is 1 or more");
  if (logits.size() != answer.size()) {
    fail_cleared<std::invalid_argument>(answer, "chaff: %zu logits, but the answer has room for %zu", logits.size(),
                                        answer.size());
  }
  if (logits.size() % classes != 0) {
    fail_cleared<std::invalid_argument>(answer, "chaff: %zu logits are no whole number of rows of %zu classes",
                                        logits.size(), classes);
  }
  fail_cleared<std::invalid_argument>(answer, "chaff: logits and answer overlap in part; they are the same or apart");
}

/// The rows of apply_rows, without its last resort: what a user's own part raises leaves the answer as it is.
template <class Defense, std::floating_point T>
void answer_rows(const Defense& used, std::span<const T> logits, std::size_t classes, std::span<T> answer,
                 const policy& promised) {
  check(used, promised);
  const bool one_row = logits.size() == classes;  // spared a division
  if (classes == 0 || logits.size() != answer.size() || (!one_row && logits.size() % classes != 0) ||
      overlap_in_part(logits, answer)) [[unlikely]] {
    fail_shapes(logits, classes, answer);
  }
  const auto& parts = parts_of(used);
  const auto& reductions = reductions_of(used);
  const std::size_t rows = one_row ? 1 : logits.size() / classes;
  std::size_t at_row = 0;
  while (at_row < rows) {
    const T* const from = logits.data() + at_row * classes;
    T* const to = answer.data() + at_row * classes;
    if constexpr (classwise_perturbation<std::remove_cvref_t<decltype(parts.perturbation)>, T> &&
                  std::tuple_size_v<std::remove_cvref_t<decltype(reductions)>> == 0) {
      if (rows - at_row >= lanes_of<T> && fits_across(classes, promised) &&
          answer_rows_across<T>(parts.gate, parts.perturbation, promised, from, classes, to)) {
        at_row += lanes_of<T>;
        continue;
      }
    }
    const auto& perturbation = at_place(parts.perturbation, place{at_row, rows, classes});
    const auto answer_one = [&](const auto& gate, const auto& weighs) CHAFF_INLINED {
      return classes == 1
                 ? answer_sigmoid<T>(gate, weighs, reductions, promised, *from, *to)
                 : answer_row<T>(gate, weighs, reductions, promised, std::span(from, classes), std::span(to, classes));
    };
    outcome came;
    if constexpr (requires { perturbation.template known_by_call<T>(); }) {
      came = answer_one(any_gate<T>::of(parts.gate), perturbation.template known_by_call<T>());
    } else {
      came = answer_one(parts.gate, perturbation);
    }
    if (came.why != fault::none) [[unlikely]]
      fail_row<T>(came.why, std::span(from, classes), at_row, answer, promised.input);
    ++at_row;
  }
}

/// Answers N rows of `classes` classes each, row-major.
///
/// Shapes: logits and answer have N * classes entries, and are the same memory or apart; N may be 0.
/// Values: finite or -inf, but not -inf alone in a row. A row gets the same bits as alone through apply.
/// Errors: std::invalid_argument for a parameter out of range, no classes, sizes that do not match, or memory that
/// overlaps in part; std::domain_error for NaN, +inf or a row of -inf alone, and for rows that are not distributions
/// where policy.input says that they are. The answer is zeroed before any error is raised; in a program built without
/// exceptions, before any but that of a parameter, which comes before a row is looked at.
/// Allocation: none.
template <class Defense, std::floating_point T>
void apply_rows(const Defense& used, std::span<const T> logits, std::size_t classes, std::span<T> answer,
                const policy& promised = {}) {
  static_assert(std::same_as<T, float> || std::same_as<T, double>, "chaff answers rows of float or of double");
  static_assert(
      defense<Defense, T>,
      "the first argument is no defense that bare logits are enough for: pass chaff::dcp, a perturbation, or "
      "chaff::gated{gate, perturbation}; a defense that needs the query itself (decoy, adaptive_misinformation, mad, "
      "gradient_redirection) is bound to a model: call chaff::defend(model, defense)");
#if defined(__cpp_exceptions)
  try {
    answer_rows<Defense, T>(used, logits, classes, answer, promised);
  } catch (...) {
    std::fill(answer.begin(), answer.end(), T(0));
    throw;
  }
#else
  answer_rows<Defense, T>(used, logits, classes, answer, promised);
#endif
}

/// Answers one row of K >= 1 classes; all else is as for apply_rows.
template <class Defense, std::floating_point T>
void apply(const Defense& used, std::span<const T> logits, std::span<T> answer, const policy& promised = {}) {
  if (logits.empty()) fail_cleared<std::invalid_argument>(answer, "chaff: the row of logits is empty");
  apply_rows<Defense, T>(used, logits, logits.size(), answer, promised);
}

/// Both, on any contiguous range in place of a span.
template <class Defense, contiguous_values Logits, contiguous_values Answer>
requires std::same_as<value_of<const Logits>, value_of<Answer>>
void apply(const Defense& used, const Logits& logits, Answer&& answer, const policy& promised = {}) {
  using T = value_of<const Logits>;
  apply<Defense, T>(used, std::span<const T>(std::data(logits), static_cast<std::size_t>(std::size(logits))),
                    std::span<T>(std::data(answer), static_cast<std::size_t>(std::size(answer))), promised);
}
template <class Defense, contiguous_values Logits, contiguous_values Answer>
requires std::same_as<value_of<const Logits>, value_of<Answer>>
void apply_rows(const Defense& used, const Logits& logits, std::size_t classes, Answer&& answer,
                const policy& promised = {}) {
  using T = value_of<const Logits>;
  apply_rows<Defense, T>(used, std::span<const T>(std::data(logits), static_cast<std::size_t>(std::size(logits))),
                         classes, std::span<T>(std::data(answer), static_cast<std::size_t>(std::size(answer))),
                         promised);
}

}  // namespace chaff

#endif
