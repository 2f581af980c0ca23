// SPDX-License-Identifier: MIT
/// Makes a monitor from the logits of benign queries and a gate that scores them.
#ifndef CHAFF_ACCOUNTS_GATE_MONITOR_HPP
#define CHAFF_ACCOUNTS_GATE_MONITOR_HPP

#include <concepts>
#include <span>
#include <utility>
#include <vector>

#include "chaff/accounts/query_monitor.hpp"
#include "chaff/apply.hpp"
#include "chaff/calibration/data.hpp"
#include "chaff/defenses/none.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A gate with a score: `score(row)` returns a number that is small where the query is suspicious. It returns the same
/// number for the same row.
/// Satisfied by confidence_gate, energy_gate, and any object with such a member.
template <class G, class T = float>
concept ScoredGate = requires(const G& gate, const row<T>& row) {
  { gate.score(row) } -> std::convertible_to<double>;
};

/// A monitor, and the gate whose score it takes: what calibrate_monitor returns and chaff::monitored takes.
template <class G>
struct gate_monitor {
  G gate;
  query_monitor monitor;
};
template <class G>
gate_monitor(G, query_monitor) -> gate_monitor<G>;

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

template <class G>
concept AnyScoredGate = ScoredGate<G, float> || ScoredGate<G, double>;

/// Checks a gate of which the score alone is read, so that its tau, if it has one, does not matter.
/// Throws: std::invalid_argument for any other parameter out of its range, or a policy that the gate cannot serve.
template <class G>
[[gnu::cold]] void check_scored_gate(G gate, const policy& policy) {
  if constexpr (requires { gate.tau = G::min_tau; }) gate.tau = G::min_tau;
  raise(check_part(gate, policy));
}

/// A gate that is always closed, and calls use(score) for each row, in order: every kernel calls the gate of a defense
/// once for each row.
template <class G, class Use>
struct scoring_gate {
  const G& gate;
  const Use& use;

  template <class T>
  requires ScoredGate<G, T>
  double operator()(const row<T>& row) const {
    use(static_cast<double>(gate.score(row)));
    return 0;
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// The scores that a gate gives rows of logits, in their order. The gate's tau does not matter and may be unset.
/// Shapes: logits are N x classes, row-major; N may be 0.
/// Units: logits are in the form that policy.input names. No other member of the policy matters.
/// Throws: what apply_rows does for the logits, and for a gate that cannot serve the policy.
/// Allocates: the scores, and as much memory as the logits take.
template <class G, std::floating_point T>
requires ScoredGate<G, T>
[[nodiscard]] std::vector<double> gate_scores(const G& gate, std::span<const T> logits, std::size_t classes,
                                              const policy& policy = {}) {
  detail::check_scored_gate(gate, policy);
  std::vector<double> scores;
  if (classes > 0) scores.reserve(logits.size() / classes);
  const auto record = [&](double score) { scores.push_back(score); };
  const gated probe{detail::scoring_gate<G, decltype(record)>{gate, record}, detail::identity{}};
  std::vector<T> posteriors(logits.size());
  auto policy_of_probe = chaff::policy{};
  policy_of_probe.input = policy.input;
  apply_rows<decltype(probe), T>(probe, logits, classes, posteriors, policy_of_probe);
  return scores;
}

/// gate_scores of logits in any contiguous range of float or double.
template <class G, ContiguousRange Logits>
requires ScoredGate<G, detail::element_of<const Logits>>
[[nodiscard]] std::vector<double> gate_scores(const G& gate, const Logits& logits, std::size_t classes,
                                              const policy& policy = {}) {
  return gate_scores<G, detail::element_of<const Logits>>(gate, detail::span_of(logits), classes, policy);
}

/// Makes a monitor from the logits that a model returned for benign queries, and the gate whose score it is to take.
/// The rows must be of queries that the model was not trained on, and that set no threshold of a defense: they stand
/// for benign users to come. Of the data, labels and ood_logits are not read. The gate's tau does not matter and may be
/// unset: calibrate_monitor(data, energy_gate{}).
/// Throws: std::invalid_argument for sizes that do not match, no rows, and a gate that cannot serve the policy; what
/// query_monitor raises, of its options and too few rows; what apply raises for a bad row.
/// Allocates: the scores, and as much memory as the logits take.
template <class G, std::floating_point T>
requires ScoredGate<G, T>
[[nodiscard]] gate_monitor<G> calibrate_monitor(const calibration_data<T>& data, G gate,
                                                const monitor_options& options = {}, const policy& policy = {}) {
  detail::check_calibration_data("logits", data.logits.size(), data.classes, 0);
  const std::vector<double> scores = gate_scores<G, T>(gate, data.logits, data.classes, policy);
  return {std::move(gate), query_monitor(scores, options)};
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
