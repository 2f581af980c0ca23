// SPDX-License-Identifier: MIT
/// DCP: the reverse sigmoid behind a confidence gate.
#ifndef CHAFF_DEFENSES_DCP_HPP
#define CHAFF_DEFENSES_DCP_HPP

#include <optional>

#include "chaff/defenses/gated.hpp"
#include "chaff/gates/confidence_gate.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

CHAFF_BEGIN

namespace chaff {

/// DCP: the reverse sigmoid behind a confidence gate.
/// Formula: weights = p - alpha r(p), alpha = 1 / (1 + exp(nu (p_k - tau))), r of reverse_sigmoid.
/// Range: beta in [0, 1000], the strength, from 0 to 1.5 in the paper. gamma in [0, 1000], 0.1 for CIFAR-100 and 0.2
/// elsewhere in the paper. nu in [1e-6, 1e9]. tau in [0, 10]; unset, it is beta (at most 10) when the defense is bound
/// to a model or applied, since the authors use one number for both; so the gate is always open for a beta above 1.
/// rule: odds::clamped, as in the authors' code, or odds::exact, as in their formula. Throws: std::invalid_argument for
/// a parameter out of its range, when bound to a model and at apply. Source: Khaled, Dhaouadi, Gohring de Magalhaes &
/// Nicolescu 2023, "Efficient defense against model stealing attacks on convolutional neural networks", ICMLA 2023,
/// arXiv 2309.01838. Departure: policy.keep_label, on by default; the authors' outputs can change the label.
struct dcp {
  double beta = 0.9;
  double gamma = 0.2;
  double nu = 1000;
  std::optional<double> tau = {};
  odds rule = odds::clamped;

  [[gnu::always_inline]] constexpr parameter_error check(const policy& policy) const {
    if (const parameter_error error = reverse_sigmoid{beta, gamma, rule}.check(policy)) return error;
    return confidence_gate{tau.value_or(0), nu}.check(policy);
  }

  [[gnu::always_inline]] constexpr gated<confidence_gate, reverse_sigmoid> parts() const {
    return {{tau ? *tau : beta < confidence_gate::max_tau ? beta : confidence_gate::max_tau, nu}, {beta, gamma, rule}};
  }
};

}  // namespace chaff

CHAFF_END

#endif
