// SPDX-License-Identifier: MIT
/// Chooses tau and beta of a defense from held-out data and a budget.
#ifndef CHAFF_CALIBRATION_CALIBRATE_HPP
#define CHAFF_CALIBRATION_CALIBRATE_HPP

#include <concepts>
#include <cstdlib>
#include <limits>
#include <utility>

#include "chaff/calibration/data.hpp"
#include "chaff/calibration/search.hpp"
#include "chaff/defenses/dcp.hpp"
#include "chaff/metrics/utility.hpp"

CHAFF_BEGIN

namespace chaff {

/// A defense with the parameters that calibrate chose, and its utility on the data that they were chosen from.
template <class Defense>
struct calibration_result {
  Defense defense;
  double tau;
  double beta;     ///< NaN where the perturbation has none
  utility benign;  ///< on calibration_data.logits
  utility ood;     ///< on calibration_data.ood_logits or, where there are none, on the tenth of calibration_data.logits
                   ///< that the gate opens for first
};

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// A callback that does nothing.
struct no_callback {
  void operator()() const {}
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Chooses tau, and beta where the perturbation has one, of a defense behind a confidence_gate or an energy_gate.
/// Of all settings that keep the budget on benign data, it takes the one that moves the outputs of OOD queries furthest
/// from their posteriors, in mean L1. Where the budget leaves no room, the gate stays closed.
/// All other parameters of the defense (gamma, nu, rule, key, reductions) stay as they are. The tau and beta that it
/// comes with do not matter, and tau may be unset. Budget and utility are about the outputs before reductions.
/// Method: a grid over tau and beta, up to the largest tau that budget.perturbed allows, then smaller and smaller steps
/// from the best setting. A setting keeps the budget by what it costs on the data, with budget.sigmas standard errors
/// of room. A finer grid finds at most 1 % more L1 (tested).
/// Shapes: see calibration_data.
/// Range: see utility_budget; at least one of its limits must be set.
/// Throws: std::invalid_argument for sizes that do not match, a true label that is no class, a parameter out of its
/// range, a budget without a limit, a budget.ece_increase without true labels, too few rows for the room that
/// budget.sigmas leaves, and a gate so flat that no setting keeps the budget; std::domain_error for logits that apply
/// refuses.
/// Allocates: about three times the data.
/// Cost: some hundred settings are measured, each on the rows that its gate opens for. step(), if given, is called
/// before each of them.
template <class Defense = dcp, std::floating_point T, std::invocable Step = detail::no_callback>
[[nodiscard("chaff: the chosen defense is returned; the one passed stays as it is")]] calibration_result<Defense>
calibrate(const calibration_data<T>& data, const utility_budget& budget, Defense defense = {},
          const policy& policy = {}, Step step = {}) {
  using gate = detail::gate_of<Defense>;
  if constexpr (!ThresholdGate<gate, T>) {
    static_assert(detail::is_never<Defense>,
                  "chaff: calibrate chooses the tau of a gate: pass chaff::dcp, chaff::energy_dcp, or "
                  "chaff::gated{gate, perturbation} with a confidence_gate or an energy_gate");
    std::abort();  // the compiler has said what is wrong
  } else {
    detail::check_budget(budget);
    detail::set_parameters(defense, gate::min_tau, budget.max_beta);  // in place of what the defense comes with
    check(defense, policy);

    const auto& bare_defense = detail::without_reductions(defense);
    const detail::parameter_search<std::remove_cvref_t<decltype(bare_defense)>, T> search(data, budget, bare_defense,
                                                                                          policy);
    const detail::setting best = search.best(step);
    detail::set_parameters(defense, best.tau, best.beta);
    return {std::move(defense), best.tau,
            detail::has_beta<Defense> ? best.beta : std::numeric_limits<double>::quiet_NaN(),
            search.benign_utility(best), search.ood_utility(best)};
  }
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
