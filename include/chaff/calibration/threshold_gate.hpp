// SPDX-License-Identifier: MIT
/// Gates with a threshold that calibrate can choose, and how it sets the parameters of a defense.
#ifndef CHAFF_CALIBRATION_THRESHOLD_GATE_HPP
#define CHAFF_CALIBRATION_THRESHOLD_GATE_HPP

#include "chaff/apply.hpp"
#include "chaff/concepts.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A gate that compares a score of the row with a threshold: alpha = 1 / (1 + exp(nu (score(row) - tau))), with tau in
/// [min_tau, max_tau]. tau is a double or a std::optional<double>.
/// Satisfied by confidence_gate and energy_gate.
template <class G, class T = float>
concept ThresholdGate = Gate<G, T> && requires(G gate, const row<T>& row) {
  { gate.score(row) } -> std::convertible_to<double>;
  gate.tau = 0.5;
  { gate.nu } -> std::convertible_to<double>;
  { G::min_tau + G::max_tau } -> std::convertible_to<double>;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Whether the perturbation of a defense has a strength, beta.
template <class Defense>
inline constexpr bool has_beta = requires(perturbation_of<Defense>& perturbation) {
  perturbation.beta = 0.5;
};

/// Sets the threshold of a defense's gate and, where its perturbation has one, the beta.
template <class Defense>
constexpr void set_parameters(Defense& defense, double tau, double beta) {
  if constexpr (reductions_of < Defense >> 0) {
    set_parameters(defense.defense, tau, beta);
  } else if constexpr (requires { defense.gate.tau = tau; }) {
    defense.gate.tau = tau;
    if constexpr (has_beta<Defense>) defense.perturbation.beta = beta;
  } else {
    defense.tau = tau;
    if constexpr (has_beta<Defense>) defense.beta = beta;
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
