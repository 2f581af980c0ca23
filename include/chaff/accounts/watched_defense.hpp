// SPDX-License-Identifier: MIT
/// A defense that shows a monitor the score of every row that it answers, and outputs of which some rows are replaced.
#ifndef CHAFF_ACCOUNTS_WATCHED_DEFENSE_HPP
#define CHAFF_ACCOUNTS_WATCHED_DEFENSE_HPP

#include <algorithm>
#include <vector>

#include "chaff/accounts/gate_monitor.hpp"
#include "chaff/defend.hpp"

CHAFF_EXACT_ARITHMETIC

namespace chaff::detail::inline CHAFF_ABI {

/// The rows of one call, as the monitor takes them one after another.
struct account_watch {
  const query_monitor& monitor;
  double evidence;
  std::size_t rows = 0;
  std::size_t first_flagged = 0;  ///< the number of rows before the one that flags; rows where none does

  void add(double score) {
    const bool was_flagged = first_flagged < rows;
    const bool is_flagged = monitor.update(evidence, score);
    if (!was_flagged && !is_flagged) ++first_flagged;
    ++rows;
  }
  bool is_flagged() const { return first_flagged < rows; }
};

/// The gate of a defense, which shows the score of each row first: that of `scored`, which may be another gate.
template <class G, class Scored>
struct watching_gate {
  const G& gate;
  const Scored& scored;
  account_watch& watch;

  template <class T>
  requires(ScoredGate<Scored, T>&& Gate<G, T>) double operator()(const row<T>& row) const {
    watch.add(static_cast<double>(scored.score(row)));
    const gate_call<T> call = gate_call_of<T>(gate);
    return call.evaluate(call.gate, row);
  }
};

/// A defense whose gate is watched; all else is as it was. `gate` and `perturbation` are its parts, the perturbation
/// bound to the query where it needs it.
template <class Defense, class G, class P, class Scored>
struct watched_defense {
  static constexpr std::size_t max_reductions = reductions_of<Defense>;

  const Defense& defense;
  const G& gate;
  const P& perturbation;
  const Scored& scored;
  account_watch& watch;

  parameter_error check(const policy& policy) const { return find_error(defense, policy); }
  gated<watching_gate<G, Scored>, const P&> parts() const { return {{gate, scored, watch}, perturbation}; }
  template <class Visit>
  void for_each_reduction(const Visit& visit) const {
    detail::for_each_reduction(defense, visit);
  }
};

/// Answers what a model returned for a query, and shows the watch the score of each row.
template <class Defense, class Scored, class R, class... Arguments>
auto answer_watched(const Defense& defense, const Scored& scored, account_watch& watch, const R& model_output,
                    const policy& policy, Arguments&... arguments) {
  const auto& parts = parts_of(defense);
  using G = std::remove_cvref_t<decltype(parts.gate)>;
  const auto answer = [&]<class P>(const P& perturbation) {
    const watched_defense<Defense, G, P, Scored> watched{defense, parts.gate, perturbation, scored, watch};
    return answer_model_output(watched, model_output, policy);
  };
  if constexpr (needs_query<Defense>) {
    return answer(parts.perturbation.bind(arguments...));
  } else {
    return answer(parts.perturbation);
  }
}

/// A reduction that replaces each output by a given row, one after another.
struct replaced_rows {
  const std::vector<double>& values;
  std::size_t classes;
  std::size_t& next;

  template <class T>
  void operator()(std::span<T> output, kept_label) const {
    for (std::size_t i = 0; i < classes; ++i) output[i] = static_cast<T>(values[next * classes + i]);
    if (classes == 1) output[1] = 1 - output[0];  // a single sigmoid is reduced as its two outcomes
    ++next;
  }
};

/// Raises the error of outputs for flagged rows that do not fit in with the others.
[[noreturn, gnu::cold]] inline void fail_replacement(std::size_t replacement, std::size_t size) {
  fail<std::invalid_argument>("chaff: the callable for flagged accounts returned %zu values, allowed is %zu",
                              replacement, size);
}

/// An output of `rows` rows, those from `first` on being those of another output.
/// `logits` are what both were made of. They give a container with an adapter its shape, and nothing else.
template <class Output, class R>
Output join_rows(Output output, const Output& replacement, std::size_t first, std::size_t rows, const R& logits,
                 const policy& policy) {
  if constexpr (Adapted<Output>) {
    std::vector<double> values, replaced;
    adapter<Output>::copy(output, values);
    adapter<Output>::copy(replacement, replaced);
    if (replaced.size() != values.size()) fail_replacement(replaced.size(), values.size());
    const std::size_t classes = values.size() / rows, begin = first * classes;
    std::copy(replaced.begin() + static_cast<std::ptrdiff_t>(begin), replaced.end(),
              values.begin() + static_cast<std::ptrdiff_t>(begin));
    std::size_t next = 0;
    auto policy_of_shape = chaff::policy{};
    policy_of_shape.keep_label = false;
    policy_of_shape.input = policy.input;
    policy_of_shape.classes = policy.classes;
    return adapter<std::remove_cvref_t<R>>::apply(none{} | replaced_rows{values, classes, next}, logits,
                                                  policy_of_shape);
  } else {
    const auto size = static_cast<std::size_t>(std::size(output));
    const auto replaced = static_cast<std::size_t>(std::size(replacement));
    if (replaced != size) fail_replacement(replaced, size);
    const std::size_t begin = first * (size / rows);
    std::copy(std::data(replacement) + begin, std::data(replacement) + size, std::data(output) + begin);
    return output;
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_EXACT_ARITHMETIC_END

#endif
