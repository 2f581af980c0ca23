// SPDX-License-Identifier: MIT
/// A gate that opens where a query looks strange to the model: where its logits are small.
#ifndef CHAFF_GATES_ENERGY_GATE_HPP
#define CHAFF_GATES_ENERGY_GATE_HPP

#include "chaff/gates/step.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// alpha = 1 / (1 + exp(nu (lse - tau))), lse = log sum exp z, the negative free energy.
///
/// tau in [-1e6, 1e6], in the logits' own units: the lse at which the gate is half open. It has no useful default:
/// take a low quantile of lse over held-out data. nu in [1e-6, 1e9].
/// Raises std::invalid_argument under a policy whose input is not logits: a posterior has lost its lse.
/// Source: the score of Liu et al. 2020, "Energy-based out-of-distribution detection", arXiv 2010.03759.
struct energy_gate {
  double tau;
  double nu = 1000;

  static constexpr double least_tau = -1e6;
  static constexpr double most_tau = 1e6;

  void check(const policy& promised) const {
    check_range("tau", tau, least_tau, most_tau);
    check_range("nu", nu, 1e-6, 1e9);
    if (promised.input != form::logits) {
      fail<std::invalid_argument>("chaff: energy_gate needs logits, policy.input is %s",
                                  promised.input == form::probabilities ? "probabilities" : "log_probabilities");
    }
  }

  /// What tau is compared with: lse.
  template <class T>
  double score(const row<T>& seen) const {
    return seen.log_sum_exp();
  }

  template <class T>
  double operator()(const row<T>& seen) const {
    return falling_step(nu * (score(seen) - tau));
  }
};

}  // namespace chaff

#endif
