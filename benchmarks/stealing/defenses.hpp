// SPDX-License-Identifier: MIT
/// Every defense of the lab at every strength, and how each is bound to a victim.
#ifndef CHAFF_BENCHMARKS_STEALING_DEFENSES_HPP
#define CHAFF_BENCHMARKS_STEALING_DEFENSES_HPP

#include <chaff/chaff.hpp>
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/softmax.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "victim_api.hpp"

/// How a quantised victim writes its logits: z = scale (q - zero_point), q in 0 ... 255.
struct quantisation {
  float scale = 1;
  int zero_point = 0;

  std::vector<std::int8_t> codes_of(const row_matrix& logits) const {
    std::vector<std::int8_t> codes(static_cast<std::size_t>(logits.size()));
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const long q = std::lround(logits.data()[i] / scale) + zero_point - 128;
      codes[i] = static_cast<std::int8_t>(std::clamp(q, -128L, 127L));
    }
    return codes;
  }
};

/// All that a defense may be made of. An attacker who knows the defense makes one of their own, with another key.
struct victim_parts {
  model_function model;        ///< the logits
  model_function decoy;        ///< the logits of a model trained to be wrong
  model_function surrogate;    ///< the logits of an untrained network, the defender's proxy of the attacker's
  model_function redirection;  ///< d/dy <G'y, 1> of the surrogate, G the Jacobian of its log-posterior
  torch::Tensor held_out;      ///< the victim's logits for benign images that it was not trained on
  chaff::key key;
  quantisation codes{};  ///< of a quantised victim
};

/// One defense at one strength.
struct setting {
  std::string defense;    ///< in the syntax of chaff::parse_defense, without what `bind` takes from the victim
  std::string policy;     ///< in the syntax of chaff::parse_policy
  std::string perturbed;  ///< the fraction of held-out benign rows below the gate's tau, where that sets tau
  std::function<model_function(const victim_parts&)> bind;

  bool keeps_label() const { return policy.empty(); }
  bool is_none() const { return defense == "none"; }
  std::string name() const {
    return defense + (policy.empty() ? "" : ", " + policy) + (perturbed.empty() ? "" : ", perturbed=" + perturbed);
  }
};

namespace settings {

template <class... Values>
std::string text(const char* format, Values... values) {
  char written[96];
  std::snprintf(written, sizeof written, format, values...);
  return written;
}

/// A defense that its text describes wholly.
inline setting from_text(const std::string& defense, const std::string& policy = "") {
  return {defense, policy, "", [defense, policy](const victim_parts& of) -> model_function {
            return chaff::defend(of.model, chaff::parse_defense(defense), chaff::parse_policy(policy));
          }};
}

inline setting none() {
  return from_text("none");
}

inline setting dcp(chaff::odds rule, double beta, double gamma, bool keep_label = true) {
  return from_text(text("dcp(beta=%g", beta) + (gamma == 0.2 ? "" : text(", gamma=%g", gamma)) +
                       (rule == chaff::odds::exact ? ", rule=exact)" : ")"),
                   keep_label ? "" : "keep_label=false");
}

inline setting dcp_rounded(double beta, int decimals = 2) {
  return from_text(text("dcp(beta=%g) | rounded(decimals=%d)", beta, decimals));
}

/// Exact odds, as Lee et al. have them.
inline setting reverse_sigmoid(double beta, double gamma) {
  return from_text(text("reverse_sigmoid(beta=%g", beta) + (gamma == 0.2 ? "" : text(", gamma=%g", gamma)) +
                   ", rule=exact)");
}

inline setting top_k(std::size_t k) {
  return from_text(text("none | top_k(k=%zu)", k));
}

inline setting label_only() {
  return from_text("none | label_only");
}

inline setting adaptive_misinformation(double tau) {
  return {text("adaptive_misinformation(tau=%g)", tau), "", "", [tau](const victim_parts& of) -> model_function {
            return chaff::defend(of.model, chaff::adaptive_misinformation(of.decoy, {.tau = tau}));
          }};
}

inline setting random_vertex(double epsilon) {
  return {text("random_vertex(epsilon=%g)", epsilon), "", "", [epsilon](const victim_parts& of) -> model_function {
            return chaff::defend(of.model, chaff::random_vertex{.epsilon = epsilon, .key = of.key});
          }};
}

inline setting modelguard_w(double epsilon) {
  return from_text(text("modelguard_w(epsilon=%g)", epsilon));
}

/// ModelGuard-S, its table made of held-out benign rows and frozen.
inline setting codebook(double epsilon) {
  return {text("codebook(epsilon=%g)", epsilon), "", "", [epsilon](const victim_parts& of) -> model_function {
            const auto classes = static_cast<std::size_t>(of.held_out.size(1));
            return chaff::defend(of.model, chaff::codebook_of(values_of(of.held_out), classes, {.epsilon = epsilon}));
          }};
}

inline setting mad(double epsilon, bool keep_argmax) {
  return {text("mad(epsilon=%g", epsilon) + (keep_argmax ? ", keep_argmax=true)" : ")"), "", "",
          [epsilon, keep_argmax](const victim_parts& of) -> model_function {
            return chaff::defend(of.model, chaff::mad{chaff::last_layer{of.surrogate}, epsilon, keep_argmax});
          }};
}

inline setting gradient_redirection(double epsilon) {
  return {text("gradient_redirection(epsilon=%g)", epsilon), "", "",
          [epsilon](const victim_parts& of) -> model_function {
            return chaff::defend(of.model, chaff::gradient_redirection{chaff::redirection{of.redirection}, epsilon});
          }};
}

/// The tau below which the score of a fraction of held-out benign rows lies: the energy lse, or the confidence p_k.
inline double calibrated_tau(const torch::Tensor& held_out, double perturbed, bool energy) {
  const torch::Tensor score = energy ? held_out.logsumexp(1) : std::get<0>(held_out.softmax(1).max(1));
  return torch::quantile(score.to(torch::kDouble), perturbed).item<double>();
}

/// DCP for the queries that an energy gate takes for out-of-distribution.
inline setting energy_dcp(double perturbed, double beta = 1.2, chaff::odds rule = chaff::odds::clamped) {
  return {text("energy_dcp(beta=%g", beta) + (rule == chaff::odds::exact ? ", rule=exact)" : ")"), "",
          text("%g", perturbed), [=](const victim_parts& of) -> model_function {
            const double tau = calibrated_tau(of.held_out, perturbed, true);
            return chaff::defend(of.model, chaff::energy_dcp{.beta = beta, .tau = tau, .rule = rule});
          }};
}

inline setting misdirect(double perturbed, bool energy) {
  return {energy ? "gated(energy_gate, misdirect)" : "gated(confidence_gate, misdirect)", "keep_label=false",
          text("%g", perturbed), [perturbed, energy](const victim_parts& of) -> model_function {
            const double tau = calibrated_tau(of.held_out, perturbed, energy);
            const chaff::misdirect other{.key = of.key};
            const chaff::policy relabel{.keep_label = false};
            if (energy) return chaff::defend(of.model, chaff::gated{chaff::energy_gate{.tau = tau}, other}, relabel);
            return chaff::defend(of.model, chaff::gated{chaff::confidence_gate{.tau = tau}, other}, relabel);
          }};
}

/// A quantised victim's defense on its codes: responses are uint8 codes, in units of 1/256.
template <class Make>
setting of_codes(std::string defense, Make make) {
  return {std::move(defense), "", "", [make](const victim_parts& of) -> model_function {
            return [model = of.model, codes = of.codes, defended = make(of.codes.scale)](const torch::Tensor& queries) {
              row_matrix answer = model(queries);
              const auto classes = static_cast<std::size_t>(answer.cols());
              const std::vector<std::int8_t> logits = codes.codes_of(answer);
              std::vector<std::uint8_t> codes_out(logits.size());
              for (std::size_t first = 0; first < logits.size(); first += classes) {
                defended(std::span(logits).subspan(first, classes), std::span(codes_out).subspan(first, classes));
              }
              for (std::size_t i = 0; i < codes_out.size(); ++i) {
                answer.data()[i] = static_cast<float>(codes_out[i]) / 256;
              }
              return answer;
            };
          }};
}

inline setting int8_none() {
  return of_codes("none", [](float scale) { return chaff::int8::softmax(scale); });
}

inline setting int8_dcp(float beta) {
  return of_codes(text("dcp(beta=%g)", static_cast<double>(beta)),
                  [beta](float scale) { return chaff::int8::dcp({.input_scale = scale, .beta = beta}); });
}

}  // namespace settings

/// The defenses by which a reader chooses, each at one strength, and none: those of the pictures.
inline std::vector<setting> pictured_settings() {
  using chaff::odds;
  return {settings::none(),
          settings::dcp(odds::exact, 1.5, 0.2),
          settings::energy_dcp(0.05),
          settings::misdirect(0.01, true),
          settings::modelguard_w(1.0),
          settings::adaptive_misinformation(0.99),
          settings::mad(1.0, false),
          settings::dcp(odds::clamped, 0.9, 0.2)};
}

/// The defenses of the full run, at the strengths that no other strength dominates.
inline std::vector<setting> recorded_settings() {
  using chaff::odds;
  return {settings::none(),
          settings::dcp(odds::clamped, 0.9, 0.2),
          settings::dcp(odds::clamped, 1.2, 0.2),
          settings::dcp(odds::exact, 1.2, 0.2),
          settings::dcp(odds::exact, 1.5, 0.2),
          settings::reverse_sigmoid(0.9, 0.2),
          settings::adaptive_misinformation(0.99),
          settings::mad(1.0, false),
          settings::gradient_redirection(1.0),
          settings::random_vertex(1.0),
          settings::modelguard_w(0.5),
          settings::modelguard_w(1.0),
          settings::codebook(0.5),
          settings::codebook(1.0),
          settings::energy_dcp(0.05),
          settings::misdirect(0.01, true)};
}

/// The defenses with which the DCP paper compares its own.
inline std::vector<setting> settings_of_dcp_paper() {
  return {settings::reverse_sigmoid(0.9, 0.2), settings::adaptive_misinformation(0.99), settings::mad(1.0, false),
          settings::gradient_redirection(1.0)};
}

/// The defenses of large victims.
inline std::vector<setting> large_settings() {
  using chaff::odds;
  return {settings::none(),
          settings::dcp(odds::clamped, 0.9, 0.2),
          settings::dcp(odds::clamped, 1.2, 0.2),
          settings::dcp(odds::exact, 1.2, 0.2),
          settings::energy_dcp(0.05),
          settings::modelguard_w(1.0),
          settings::dcp(odds::exact, 1.5, 0.2)};
}

/// The defenses of quantised victims, those of large_settings(). None and clamped DCP run on int8 codes, all others on
/// dequantised logits.
inline std::vector<setting> int8_settings() {
  std::vector<setting> all = large_settings();
  for (const setting& of_codes : {settings::int8_none(), settings::int8_dcp(0.9f), settings::int8_dcp(1.2f)}) {
    *std::ranges::find(all, of_codes.name(), &setting::name) = of_codes;
  }
  return all;
}

/// Every kind of defense that the lab can run: those of the full run, and others.
inline std::vector<setting> every_setting() {
  using chaff::odds;
  std::vector<setting> all = recorded_settings();
  all.insert(all.end(),
             {settings::label_only(), settings::adaptive_misinformation(0.9),
              settings::energy_dcp(0.05, 1.5, odds::exact), settings::dcp(odds::clamped, 1.2, 0.2, false),
              settings::dcp(odds::exact, 1.2, 0.2, false), settings::dcp_rounded(1.2), settings::dcp_rounded(1.2, 1),
              settings::mad(1.0, true), settings::misdirect(0.01, false), settings::top_k(1), settings::top_k(3)});
  return all;
}

#endif
