// SPDX-License-Identifier: MIT
/// A gate that opens where the model is unsure.
#ifndef CHAFF_GATES_CONFIDENCE_GATE_HPP
#define CHAFF_GATES_CONFIDENCE_GATE_HPP

#include "chaff/gates/step.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff {

/// A gate that opens where the model is unsure.
/// Formula: alpha = 1 / (1 + exp(nu (p_k - tau))), p_k the posterior of the predicted label.
/// Range: tau in [0, 10], the confidence at which the gate is half open; it is always open from about 1 + 40 / nu up.
/// nu in [1e-6, 1e9], the steepness; with 1000 the gate is a step about 0.01 wide.
/// Throws: std::invalid_argument for any other value, when the defense is bound to a model and at apply.
/// Source: Khaled et al. 2023, arXiv 2309.01838; the gate of Kariyappa & Qureshi 2020, arXiv 1911.07100.
struct confidence_gate {
  double tau = 0.9;
  double nu = 1000;

  static constexpr double min_tau = 0;
  static constexpr double max_tau = 10;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"tau", tau, min_tau, max_tau}, parameter_range{"nu", nu, 1e-6, 1e9});
  }

  /// p_k, which is compared with tau.
  template <class T>
  [[gnu::always_inline]] double score(const row<T>& row) const {
    return row.confidence();
  }

  template <class T>
  [[gnu::always_inline]] double operator()(const row<T>& row) const {
    return detail::falling_step(nu * (score(row) - tau));
  }
};

}  // namespace chaff

CHAFF_END

#endif
