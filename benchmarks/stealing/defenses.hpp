// SPDX-License-Identifier: MIT
/// Every defense of the lab at every strength, and how each is bound to a victim.
#ifndef CHAFF_BENCHMARKS_STEALING_DEFENSES_HPP
#define CHAFF_BENCHMARKS_STEALING_DEFENSES_HPP

#include <chaff/chaff.hpp>
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/softmax.hpp>

#include <cstdio>
#include <string>
#include <vector>

#include "answers.hpp"

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

/// All that a defense may be made of. A thief who knows the defense makes one of his own, with another key.
struct victim_parts {
  answering model;         ///< the logits
  answering decoy;         ///< those of a model trained to be wrong
  answering surrogate;     ///< those of a copy that was never trained
  answering redirection;   ///< d/dy <G'y, 1> of that copy, G the Jacobian of its log-posterior
  torch::Tensor held_out;  ///< the victim's logits for customers' images that it was not trained on
  chaff::key key;
  quantisation codes{};  ///< of a quantised victim
};

/// One defense at one strength. `name` groups a line of a chart.
struct setting {
  std::string name, parameters;
  bool label_kept = true;
  std::function<answering(const victim_parts&)> bind;
};

namespace settings {

template <class... Values>
std::string text(const char* format, Values... values) {
  char written[96];
  std::snprintf(written, sizeof written, format, values...);
  return written;
}

/// A defense of the library, the same for all victims.
template <class Defense>
setting of_logits(std::string name, std::string parameters, Defense used, bool keep_label = true) {
  return {std::move(name), std::move(parameters), keep_label, [used, keep_label](const victim_parts& of) -> answering {
            return chaff::defend(of.model, used, {.keep_label = keep_label});
          }};
}

inline setting none() {
  return of_logits("none", "", chaff::none{});
}

inline setting dcp(chaff::odds rule, double beta, double gamma, bool keep_label = true) {
  return of_logits(rule == chaff::odds::exact ? "dcp_exact" : "dcp", text("beta=%g gamma=%g", beta, gamma),
                   chaff::dcp{.beta = beta, .gamma = gamma, .rule = rule}, keep_label);
}

inline setting dcp_rounded(double beta, double gamma, int decimals = 2) {
  return of_logits("dcp_rounded", text("beta=%g gamma=%g decimals=%d", beta, gamma, decimals),
                   chaff::dcp{.beta = beta, .gamma = gamma} | chaff::rounded{.decimals = decimals});
}

/// As Lee et al. have it: exact odds.
inline setting reverse_sigmoid(double beta, double gamma) {
  return of_logits("reverse_sigmoid", text("beta=%g gamma=%g", beta, gamma),
                   chaff::reverse_sigmoid{.beta = beta, .gamma = gamma, .rule = chaff::odds::exact});
}

inline setting adaptive_misinformation(double tau) {
  return {"adaptive_misinformation", text("tau=%g", tau), true, [tau](const victim_parts& of) -> answering {
            return chaff::defend(of.model, chaff::adaptive_misinformation(of.decoy, {.tau = tau}));
          }};
}

inline setting random(double epsilon) {
  return {"random", text("epsilon=%g", epsilon), true, [epsilon](const victim_parts& of) -> answering {
            return chaff::defend(of.model, chaff::random_vertex{.epsilon = epsilon, .key = of.key});
          }};
}

inline setting mad(double epsilon, bool keep_argmax) {
  return {keep_argmax ? "mad_argmax" : "mad", text("epsilon=%g", epsilon), true,
          [epsilon, keep_argmax](const victim_parts& of) -> answering {
            return chaff::defend(of.model, chaff::mad{chaff::last_layer{of.surrogate}, epsilon, keep_argmax});
          }};
}

inline setting gradient_redirection(double epsilon) {
  return {"gradient_redirection", text("epsilon=%g", epsilon), true, [epsilon](const victim_parts& of) -> answering {
            return chaff::defend(of.model, chaff::gradient_redirection{chaff::redirection{of.redirection}, epsilon});
          }};
}

/// The value of a score under which a share of customers' held-out images lies: the energy lse, or the confidence p_k.
inline double threshold(const torch::Tensor& held_out, double share, bool energy) {
  const torch::Tensor score = energy ? held_out.logsumexp(1) : std::get<0>(held_out.softmax(1).max(1));
  return torch::quantile(score.to(torch::kDouble), share).item<double>();
}

/// beta 1.2 for those whom an energy gate takes for strangers.
inline setting dcp_energy(double share) {
  return {"dcp_energy", text("touched=%g beta=1.2 gamma=0.2", share), true,
          [share](const victim_parts& of) -> answering {
            const chaff::energy_gate gate{.tau = threshold(of.held_out, share, true)};
            return chaff::defend(of.model, chaff::gated{gate, chaff::reverse_sigmoid{.beta = 1.2}});
          }};
}

inline setting misdirect(double share, bool energy) {
  return {energy ? "misdirect_energy" : "misdirect_confidence", text("touched=%g", share), false,
          [share, energy](const victim_parts& of) -> answering {
            const double tau = threshold(of.held_out, share, energy);
            const chaff::misdirect other{.key = of.key};
            const chaff::policy relabel{.keep_label = false};
            if (energy) return chaff::defend(of.model, chaff::gated{chaff::energy_gate{.tau = tau}, other}, relabel);
            return chaff::defend(of.model, chaff::gated{chaff::confidence_gate{.tau = tau}, other}, relabel);
          }};
}

inline setting top_k(std::size_t k) {
  return of_logits("top_k", text("k=%zu", k), chaff::none{} | chaff::top_k{.k = k});
}

inline setting label_only() {
  return of_logits("label_only", "", chaff::none{} | chaff::label_only{});
}

/// A quantised victim's defense on its codes: answers are uint8 codes at 1/256.
template <class Make>
setting of_codes(std::string name, std::string parameters, Make make) {
  return {std::move(name), std::move(parameters), true, [make](const victim_parts& of) -> answering {
            return [model = of.model, codes = of.codes, used = make(of.codes.scale)](const torch::Tensor& queries) {
              row_matrix answer = model(queries);
              const auto classes = static_cast<std::size_t>(answer.cols());
              const std::vector<std::int8_t> logits = codes.codes_of(answer);
              std::vector<std::uint8_t> codes_out(logits.size());
              for (std::size_t first = 0; first < logits.size(); first += classes) {
                used(std::span(logits).subspan(first, classes), std::span(codes_out).subspan(first, classes));
              }
              for (std::size_t i = 0; i < codes_out.size(); ++i) {
                answer.data()[i] = static_cast<float>(codes_out[i]) / 256;
              }
              return answer;
            };
          }};
}

inline setting int8_none() {
  return of_codes("none", "", [](float scale) { return chaff::int8::softmax(scale); });
}

inline setting int8_dcp(float beta) {
  return of_codes("dcp", text("beta=%g gamma=0.2", static_cast<double>(beta)),
                  [beta](float scale) { return chaff::int8::dcp({.input_scale = scale, .beta = beta}); });
}

}  // namespace settings

/// Every defense at three strengths or more.
inline std::vector<setting> every_setting() {
  using namespace settings;
  std::vector<setting> all{none(), label_only()};
  for (const double beta : {0.9, 1.2, 1.5}) {
    for (const double gamma : {0.2, 0.1}) {
      for (const bool keep_label : {true, false}) {
        all.push_back(settings::dcp(chaff::odds::clamped, beta, gamma, keep_label));
        all.push_back(settings::dcp(chaff::odds::exact, beta, gamma, keep_label));
      }
    }
    all.push_back(dcp_rounded(beta, 0.2));
  }
  all.push_back(dcp_rounded(1.2, 0.2, 1));
  for (const double beta : {0.3, 0.6, 0.9}) {
    for (const double gamma : {0.2, 0.1}) all.push_back(settings::reverse_sigmoid(beta, gamma));
  }
  for (const double tau : {0.5, 0.9, 0.99}) all.push_back(settings::adaptive_misinformation(tau));
  for (const double epsilon : {0.5, 1.0, 1.5}) {
    all.push_back(settings::random(epsilon));
    all.push_back(settings::mad(epsilon, false));
    all.push_back(settings::mad(epsilon, true));
    all.push_back(settings::gradient_redirection(epsilon));
  }
  for (const double share : {0.005, 0.01, 0.05}) {
    all.push_back(dcp_energy(share));
    all.push_back(settings::misdirect(share, false));
    all.push_back(settings::misdirect(share, true));
  }
  for (const std::size_t k : {1, 3, 5}) all.push_back(settings::top_k(k));
  return all;
}

#endif
