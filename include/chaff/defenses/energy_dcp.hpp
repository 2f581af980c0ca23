// SPDX-License-Identifier: MIT
/// DCP behind an energy gate, which costs benign users less.
#ifndef CHAFF_DEFENSES_ENERGY_DCP_HPP
#define CHAFF_DEFENSES_ENERGY_DCP_HPP

#include <optional>

#include "chaff/defenses/gated.hpp"
#include "chaff/gates/energy_gate.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

namespace chaff {

/// DCP behind an energy gate: the reverse sigmoid for out-of-distribution queries, which costs benign users less.
/// Formula: weights = p - alpha r(p), alpha = 1 / (1 + exp(nu (lse - tau))), r of reverse_sigmoid, lse = log sum exp z.
/// Units: tau is on the scale of the logits.
/// Range: as of reverse_sigmoid (beta, gamma, rule) and energy_gate; tau has no default, take it from calibrate.
/// Throws: std::invalid_argument for a parameter out of its range, a tau that was not set, and a policy whose input is
/// not logits, when bound to a model and at apply.
/// Source: this library; its parts are of Lee et al. 2018 and Liu et al. 2020.
struct energy_dcp {
  double beta = 1.2;
  double gamma = 0.2;
  double nu = 1000;
  std::optional<double> tau = {};
  odds rule = odds::clamped;

  [[gnu::always_inline]] constexpr parameter_error check(const policy& policy) const {
    if (const parameter_error error = reverse_sigmoid{beta, gamma, rule}.check(policy)) return error;
    return energy_gate{tau, nu}.check(policy);
  }

  [[gnu::always_inline]] constexpr gated<energy_gate, reverse_sigmoid> parts() const {
    return {{tau, nu}, {beta, gamma, rule}};
  }
};

}  // namespace chaff

#endif
