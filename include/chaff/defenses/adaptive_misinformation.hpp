// SPDX-License-Identifier: MIT
/// Adaptive misinformation: a decoy behind a confidence gate.
#ifndef CHAFF_DEFENSES_ADAPTIVE_MISINFORMATION_HPP
#define CHAFF_DEFENSES_ADAPTIVE_MISINFORMATION_HPP

#include "chaff/defenses/gated.hpp"
#include "chaff/gates/confidence_gate.hpp"
#include "chaff/perturbations/decoy.hpp"

namespace chaff {

/// y = (1 - alpha) p + alpha p_decoy, alpha = 1 / (1 + exp(nu (p_k - tau))).
///
/// The decoy: see decoy; the gate's ranges: see confidence_gate. Bound to a model by chaff::defend.
/// Where it departs from its source: policy::keep_label, on by default; there the answer names the decoy's class.
/// Source: Kariyappa & Qureshi 2020, "Defending against model stealing attacks with adaptive misinformation", CVPR
/// 2020, arXiv 1911.07100.
template <class Decoy>
auto adaptive_misinformation(Decoy model, const confidence_gate& gate = {}) {
  return gated{gate, decoy{std::move(model)}};
}

}  // namespace chaff

#endif
