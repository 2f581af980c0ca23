// SPDX-License-Identifier: MIT
/// A gate that opens where the model is unsure.
#ifndef CHAFF_GATES_CONFIDENCE_GATE_HPP
#define CHAFF_GATES_CONFIDENCE_GATE_HPP

#include "chaff/gates/step.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// alpha = 1 / (1 + exp(nu (p_k - tau))), p_k the label's posterior.
///
/// tau in [0, 10]: the confidence at which the gate is half open; from about 1 + 40 / nu up it is always open.
/// nu in [1e-6, 1e9]: steepness; with 1000 the gate is a step about 0.01 wide.
/// Source: Khaled et al. 2023, arXiv 2309.01838; the gate of Kariyappa & Qureshi 2020, arXiv 1911.07100.
struct confidence_gate {
  double tau = 0.9;
  double nu = 1000;

  static constexpr double least_tau = 0;
  static constexpr double most_tau = 10;

  void check(const policy&) const {
    check_range("tau", tau, least_tau, most_tau);
    check_range("nu", nu, 1e-6, 1e9);
  }

  /// What tau is compared with: p_k.
  template <class T>
  double score(const row<T>& seen) const {
    return seen.confidence();
  }

  template <class T>
  double operator()(const row<T>& seen) const {
    return falling_step(nu * (score(seen) - tau));
  }
};

}  // namespace chaff

#endif
