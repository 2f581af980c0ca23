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

/// The reductions that were asked for, one after another: a reduction of its own, so that a defense is compiled once
/// with them and once without, and not for each chain.
struct chosen_reductions {
  std::size_t top_k = 0;  ///< 0: all classes
  int decimals = -1;      ///< -1: as they are
  bool label_only = false;

  bool any() const { return top_k > 0 || decimals >= 0 || label_only; }

  void check(const chaff::policy& promised) const {
    if (top_k > 0) chaff::top_k{.k = top_k}.check(promised);
    if (decimals >= 0) chaff::rounded{.decimals = decimals}.check(promised);
  }

  template <class T>
  void operator()(std::span<T> answer, chaff::kept_label kept) const {
    if (label_only) chaff::label_only{}(answer, kept);
    if (top_k > 0) chaff::top_k{.k = top_k}(answer, kept);
    if (decimals >= 0) chaff::rounded{.decimals = decimals}(answer, kept);
  }
};

/// A defense and its policy, as the command line has them.
struct settings {
  std::string defense = "dcp";      ///< none, dcp, reverse_sigmoid, misdirect
  std::string gate = "confidence";  ///< confidence, energy
  double beta = 0.9;
  double gamma = 0.2;
  std::optional<double> tau = std::nullopt;  ///< beta where dcp is given none
  double nu = 1000;
  bool exact_odds = false;
  std::string key = "";
  chosen_reductions reductions = {};
  chaff::policy promised = {};

  bool has_gate() const { return defense == "dcp" || defense == "misdirect"; }
  bool has_beta() const { return defense == "dcp" || defense == "reverse_sigmoid"; }
  double threshold() const { return tau.value_or(defense == "dcp" && gate == "confidence" ? beta : 0.9); }

  /// Calls use(defense) with the defense itself; reductions, if any, come last.
  template <class Use>
  auto with_defense(Use use) const {
    const chaff::reverse_sigmoid reversed{beta, gamma, exact_odds ? chaff::odds::exact : chaff::odds::clamped};
    const auto reduced = [&](const auto& defended) {
      return reductions.any() ? use(defended | reductions) : use(defended);
    };
    const auto gated = [&](const auto& perturbation) {
      return gate == "energy" ? reduced(chaff::gated{chaff::energy_gate{threshold(), nu}, perturbation})
                              : reduced(chaff::gated{chaff::confidence_gate{threshold(), nu}, perturbation});
    };
    if (defense == "none") return reduced(chaff::none{});
    if (defense == "dcp") return gated(reversed);
    if (defense == "misdirect") return gated(chaff::misdirect{chaff::key(key)});
    return reduced(reversed);
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
};

}  // namespace audit

#endif
