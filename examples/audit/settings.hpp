// SPDX-License-Identifier: MIT
/// What is audited: a defense chosen at run time, with its parameters.
#ifndef CHAFF_EXAMPLES_AUDIT_SETTINGS_HPP
#define CHAFF_EXAMPLES_AUDIT_SETTINGS_HPP

#include <chaff/chaff.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace audit {

/// A chain of reductions that is chosen at run time. It is itself a reduction, so that a defense is compiled once with
/// it and once without, and not for each chain.
struct reduction_chain {
  std::size_t top_k = 0;  ///< 0: all classes
  int decimals = -1;      ///< -1: as they are
  bool label_only = false;

  bool any() const { return top_k > 0 || decimals >= 0 || label_only; }

  chaff::parameter_error check(const chaff::policy& policy) const {
    chaff::parameter_error error;
    if (top_k > 0) error = chaff::top_k{.k = top_k}.check(policy);
    if (decimals >= 0 && !error) error = chaff::rounded{.decimals = decimals}.check(policy);
    return error;
  }

  template <class T>
  void operator()(std::span<T> output, chaff::kept_label kept) const {
    if (label_only) chaff::label_only{}(output, kept);
    if (top_k > 0) chaff::top_k{.k = top_k}(output, kept);
    if (decimals >= 0) chaff::rounded{.decimals = decimals}(output, kept);
  }
};

/// A defense and its policy, as the command line gives them.
struct settings {
  std::string defense = "dcp";      ///< none, dcp, reverse_sigmoid, misdirect
  std::string gate = "confidence";  ///< confidence, energy
  double beta = 0.9;
  double gamma = 0.2;
  std::optional<double> tau = std::nullopt;  ///< unset: beta for dcp, 0.9 for misdirect
  double nu = 1000;
  bool exact_odds = false;
  std::string key = "";
  reduction_chain reductions = {};
  chaff::policy policy = {};

  bool has_gate() const { return defense == "dcp" || defense == "misdirect"; }
  bool has_beta() const { return defense == "dcp" || defense == "reverse_sigmoid"; }
  double threshold() const { return tau.value_or(defense == "dcp" && gate == "confidence" ? beta : 0.9); }

  /// Calls use(defense) with the defense itself; reductions, if any, come last.
  template <class Use>
  auto with_defense(Use use) const {
    if (has_gate()) return with_gated_defense(use);
    return defense == "none" ? with_reductions(chaff::none{}, use) : with_reductions(perturbation(), use);
  }

  /// Calls use(defense) with a defense behind a gate, which calibrate can choose; has_gate() must hold.
  template <class Use>
  auto with_gated_defense(Use use) const {
    return defense == "dcp" ? with_gate(perturbation(), use) : with_gate(chaff::misdirect{chaff::key(key)}, use);
  }

  /// As C++ that a user copies.
  std::string code() const {
    const auto number = [](const char* name, double value) {
      char text[64];
      std::snprintf(text, sizeof text, ".%s = %.6g", name, value);
      return std::string(text);
    };
    const std::string rule = exact_odds ? ", .rule = chaff::odds::exact" : "";
    const std::string strength = number("beta", beta) + ", " + number("gamma", gamma);
    const std::string gate_code =
        "chaff::" + gate + "_gate{" + number("tau", threshold()) + ", " + number("nu", nu) + "}";
    std::string all = "chaff::none{}";
    if (defense == "reverse_sigmoid") all = "chaff::reverse_sigmoid{" + strength + rule + "}";
    if (defense == "misdirect") all = "chaff::gated{" + gate_code + ", chaff::misdirect{.key = key}}";
    if (defense == "dcp") {
      all = gate == "energy"
                ? "chaff::gated{" + gate_code + ", chaff::reverse_sigmoid{" + strength + rule + "}}"
                : "chaff::dcp{" + strength + ", " + number("nu", nu) + ", " + number("tau", threshold()) + rule + "}";
    }
    if (reductions.label_only) all += " | chaff::label_only{}";
    if (reductions.top_k > 0) all += " | chaff::top_k{.k = " + std::to_string(reductions.top_k) + "}";
    if (reductions.decimals >= 0) all += " | chaff::rounded{.decimals = " + std::to_string(reductions.decimals) + "}";
    return all;
  }

 private:
  chaff::reverse_sigmoid perturbation() const {
    return {beta, gamma, exact_odds ? chaff::odds::exact : chaff::odds::clamped};
  }

  template <class Defense, class Use>
  auto with_reductions(const Defense& defense_without, Use use) const {
    return reductions.any() ? use(defense_without | reductions) : use(defense_without);
  }

  template <class P, class Use>
  auto with_gate(const P& behind_gate, Use use) const {
    return gate == "energy" ? with_reductions(chaff::gated{chaff::energy_gate{threshold(), nu}, behind_gate}, use)
                            : with_reductions(chaff::gated{chaff::confidence_gate{threshold(), nu}, behind_gate}, use);
  }
};

}  // namespace audit

#endif
