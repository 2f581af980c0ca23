// SPDX-License-Identifier: MIT
/// A gate that opens for out-of-distribution queries: where the logits are small.
#ifndef CHAFF_GATES_ENERGY_GATE_HPP
#define CHAFF_GATES_ENERGY_GATE_HPP

#include <optional>

#include "chaff/gates/step.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff {

/// A gate that opens for out-of-distribution queries, for which a classifier's logits are small.
/// Formula: alpha = 1 / (1 + exp(nu (lse - tau))), lse = log sum exp z, the negative free energy.
/// Units: tau is on the scale of the logits, the lse at which the gate is half open.
/// Range: tau in [-1e6, 1e6]; it has no useful default, take it from calibrate. nu in [1e-6, 1e9].
/// Throws: std::invalid_argument for any other value, for a tau that was not set, and under a policy whose input is not
/// logits, since a posterior has lost its lse; when the defense is bound to a model and at apply.
/// Source: the score of Liu et al. 2020, "Energy-based out-of-distribution detection", arXiv 2010.03759.
struct energy_gate {
  std::optional<double> tau = {};
  double nu = 1000;

  static constexpr double min_tau = -1e6;
  static constexpr double max_tau = 1e6;

  [[gnu::always_inline]] constexpr parameter_error check(const policy& policy) const {
    if (!tau) {
      return {.sentence = "tau of the energy gate is not set, and no default fits every model: take it from calibrate"};
    }
    if (policy.input != form::logits) {
      return {.sentence = "an energy gate needs logits: policy.input must be form::logits"};
    }
    return check_ranges(parameter_range{"tau", *tau, min_tau, max_tau}, parameter_range{"nu", nu, 1e-6, 1e9});
  }

  /// lse, which is compared with tau.
  template <class T>
  [[gnu::always_inline]] double score(const row<T>& row) const {
    return row.log_sum_exp();
  }

  template <class T>
  [[gnu::always_inline]] double operator()(const row<T>& row) const {
    return detail::falling_step(nu * (score(row) - *tau));
  }
};

}  // namespace chaff

CHAFF_END

#endif
