// SPDX-License-Identifier: MIT
/// DCP: the reverse sigmoid behind a confidence gate.
#ifndef CHAFF_DEFENSES_DCP_HPP
#define CHAFF_DEFENSES_DCP_HPP

#include "chaff/defenses/gated.hpp"
#include "chaff/gates/confidence_gate.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

namespace chaff {

/// weights = p - alpha r(p), alpha = 1 / (1 + exp(nu (p_k - tau))), r of reverse_sigmoid.
///
/// beta in [0, 1000]: the strength, from 0 to 1.5 in the paper. gamma in [0, 1000]: 0.1 for CIFAR-100 and 0.2 elsewhere
/// in the paper. nu in [1e-6, 1e9]. tau in [0, 10]: beta unless set, since the authors use one number for both; so
/// above 1 the gate is always open. Where it departs from its source: policy::keep_label, on by default; the authors'
/// answers can change the label. Source: Khaled, Dhaouadi, Gohring de Magalhaes & Nicolescu 2023, "Efficient defense
/// against model stealing attacks on convolutional neural networks", ICMLA 2023, arXiv 2309.01838.
struct dcp {
  double beta = 0.9;
  double gamma = 0.2;
  double nu = 1000;
  double tau = beta;
  odds rule = odds::clamped;

  constexpr gated<confidence_gate, reverse_sigmoid> parts() const { return {{tau, nu}, {beta, gamma, rule}}; }
};

}  // namespace chaff

#endif
