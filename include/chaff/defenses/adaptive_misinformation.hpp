// SPDX-License-Identifier: MIT
/// Adaptive misinformation: a decoy behind a confidence gate.
#ifndef CHAFF_DEFENSES_ADAPTIVE_MISINFORMATION_HPP
#define CHAFF_DEFENSES_ADAPTIVE_MISINFORMATION_HPP

#include "chaff/defenses/gated.hpp"
#include "chaff/gates/confidence_gate.hpp"
#include "chaff/perturbations/decoy.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// Adaptive misinformation: the posterior of a misinformation model, the decoy, where the model is unsure.
/// Formula: weights = (1 - alpha) p + alpha p_decoy, alpha = 1 / (1 + exp(nu (p_k - tau))).
/// Range: that of confidence_gate; decoy says what the decoy may be. It is bound to a model by chaff::defend.
/// Source: Kariyappa & Qureshi 2020, "Defending against model stealing attacks with adaptive misinformation", CVPR
/// 2020, arXiv 1911.07100. Departure: policy.keep_label, on by default; there the output predicts the decoy's class.
template <class Decoy>
auto adaptive_misinformation(Decoy model, const confidence_gate& gate = {}) {
  return gated{gate, decoy{std::move(model)}};
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
