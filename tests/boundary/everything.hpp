// SPDX-License-Identifier: MIT
/// Calls everything that the headers have, once for float and once for double, so that a compiler sees all of their
/// code. It includes nothing but the library, whose headers are to be compiled in the builds of other people.
#ifndef CHAFF_TESTS_BOUNDARY_EVERYTHING_HPP
#define CHAFF_TESTS_BOUNDARY_EVERYTHING_HPP

#if defined(CHAFF_WITH_EIGEN)
#include <chaff/chaff.hpp>
#endif
#include <chaff/core.hpp>
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/reverse_sigmoid.hpp>
#include <chaff/int8/softmax.hpp>

namespace everything {

template <class T>
using rows_of = std::vector<T>;

inline const chaff::key& secret() {
  static constexpr chaff::key value("5d2f8c1e9b7a4630f1e2d3c4b5a69788");
  return value;
}

/// A decoy or a surrogate: the query itself.
struct same_logits {
  template <class Query>
  Query operator()(const Query& query) const {
    return query;
  }
};

/// Applies a defense to one row, to a batch, in every form, and under every kind of policy.
template <class T, class Defense>
void apply_in_every_way(const Defense& defense, std::span<const T> logits, std::span<T> output) {
  chaff::policy policy{};
  chaff::check(defense, policy);
  chaff::apply(defense, logits, output, policy);
  chaff::apply_rows(defense, logits, 4, output, policy);
  chaff::apply_rows(defense, logits, 1, output, policy);
  policy.label_margin = 0.011;
  policy.max_l1 = 0.5;
  policy.constant_time_gate = true;
  policy.answer = chaff::form::log_probabilities;
  chaff::apply_rows(defense, logits, 4, output, policy);
}

template <class T, class Defense>
void use(const Defense& defense, std::span<const T> logits, std::span<T> output) {
  const rows_of<T> query(logits.begin(), logits.end());
  chaff::policy policy{};
  policy.classes = 4;
  if constexpr (chaff::Defense<Defense, T>) {
    apply_in_every_way<T>(defense, logits, output);
    apply_in_every_way<T>(defense | chaff::top_k{} | chaff::rounded{} | chaff::high_confidence{} | chaff::label_only{} |
                              chaff::gaussian_noise{.sigma = 0.1, .key = secret()},
                          logits, output);
  }
  const auto served = chaff::defend(same_logits{}, defense | chaff::top_k{}, policy);
  static_cast<void>(served(query));
}

template <class T>
void use_metrics(std::span<const T> a, std::span<const T> b, std::span<const int> labels) {
  using namespace chaff;
  const double figures[] = {l1_distance(a, b),
                            l1_distance(a, b, 4),
                            total_variation(a, b),
                            total_variation(a, b, 4),
                            kl_divergence(a, b),
                            kl_divergence(a, b, 4),
                            jensen_shannon(a, b),
                            jensen_shannon(a, b, 4),
                            label_agreement(a, b),
                            label_agreement(a, b, 4),
                            top_k_agreement(a, b, 2),
                            top_k_agreement(a, b, 4, 2),
                            accuracy(a, 4, labels),
                            expected_calibration_error(a, std::size_t{1}),
                            confidence_auroc(a, 4, labels),
                            expected_calibration_error(a, 4, labels)};
  static_cast<void>(figures);
  static_cast<void>(utility_of(a, b, 4, labels));
  static_cast<void>(argmax(a));
}

template <class T>
void use_calibration(std::span<const T> logits, std::span<const int> labels) {
  const chaff::calibration_data<T> data{.logits = logits, .classes = 4, .labels = labels, .ood_logits = logits};
  const chaff::utility_budget budget{.perturbed = 0.1, .ece_increase = 0.1, .sigmas = 0};
  static_cast<void>(chaff::calibrate(data, budget));
  static_cast<void>(chaff::calibrate(data, budget, chaff::energy_dcp{} | chaff::top_k{}));
  static_cast<void>(chaff::calibrate(
      data, budget, chaff::gated{chaff::energy_gate{}, chaff::random_vertex{.epsilon = 1, .key = secret()}}));
}

#if defined(CHAFF_WITH_EIGEN)
template <class T>
void use_eigen(std::span<const T> logits) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const Rows rows = Eigen::Map<const Rows>(logits.data(), 4, static_cast<Eigen::Index>(logits.size() / 4));
  static_cast<void>(chaff::apply(chaff::dcp{}, rows));
  static_cast<void>(chaff::apply(chaff::dcp{}, rows.transpose().eval()));
  static_cast<void>(chaff::apply(chaff::dcp{}, rows.row(0).eval()));
  Rows output = rows;
  chaff::apply(chaff::dcp{}, rows, output);
  chaff::apply(chaff::dcp{}, rows.row(0), output.row(1));
  chaff::apply_rows(chaff::parse_defense("dcp | top_k(k=2)"), rows, output);
  static_cast<void>(chaff::defend(same_logits{}, chaff::decoy{same_logits{}})(rows));
}
#endif

template <class T>
void use_text(std::span<const T> logits, std::span<T> output) {
  const chaff::any_defense defense = chaff::parse_defense("gated(energy_gate(tau=5), reverse_sigmoid) | top_k(k=2)");
  apply_in_every_way<T>(defense | chaff::rounded{}, logits, output);
  static_cast<void>(to_string(defense));
  static_cast<void>(to_string(chaff::parse_policy("max_l1=0.5")));
}

/// Every treatment of a flagged account, behind monitors of either kind.
template <class T>
void use_monitor(std::span<const T> logits) {
  using namespace chaff;
  const rows_of<T> query(logits.begin(), logits.end());
  const auto monitor = calibrate_monitor(calibration_data<T>{.logits = logits, .classes = 4}, energy_gate{});
  policy policy_of_rows{};
  policy_of_rows.classes = 4;
  const auto serve = [&](const auto& served) {
    double evidence_of_account = 0;
    static_cast<void>(served(evidence_of_account, query));
    static_cast<void>(served.monitor().threshold());
  };
  serve(monitored(same_logits{}, none{}, refuse{}, monitor, policy_of_rows));
  serve(monitored(same_logits{}, dcp{}, none{} | label_only{}, monitor, policy_of_rows, policy{}));
  serve(monitored(same_logits{}, decoy{same_logits{}}, same_logits{}, monitor, policy_of_rows));
  serve(monitored(
      same_logits{}, energy_dcp{.tau = 5.0} | top_k{}, [](const auto&) {}, monitor.monitor, policy_of_rows));
  serve(monitored(same_logits{}, parse_defense("dcp | top_k"), decoy{same_logits{}}, monitor, policy_of_rows));
#if defined(CHAFF_WITH_EIGEN)
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  double evidence_of_account = 0;
  const Rows rows = Eigen::Map<const Rows>(logits.data(), 4, static_cast<Eigen::Index>(logits.size() / 4));
  static_cast<void>(monitored(same_logits{}, none{}, none{} | label_only{}, monitor)(evidence_of_account, rows));
#endif
}

template <class T>
void use_all(std::span<const T> logits, std::span<T> output, std::span<const int> labels) {
  using namespace chaff;
  use<T>(none{}, logits, output);
  use<T>(dcp{}, logits, output);
  use<T>(dcp{.beta = 1.5, .tau = 0.5, .rule = odds::exact}, logits, output);
  use<T>(energy_dcp{.tau = 5.0}, logits, output);
  use<T>(reverse_sigmoid{}, logits, output);
  use<T>(gated{energy_gate{.tau = 5, .nu = 1}, reverse_sigmoid{}}, logits, output);
  use<T>(gated{confidence_gate{}, random_vertex{.epsilon = 1, .key = secret()}}, logits, output);
  use<T>(gated{always{}, random_vertex{.epsilon = 1, .key = secret()}}, logits, output);
  use<T>(modelguard_w{.epsilon = 0.5}, logits, output);
  use<T>(codebook_of(logits, 4, {.epsilon = 0.5}), logits, output);
  use<T>(decoy{same_logits{}}, logits, output);
  use<T>(adaptive_misinformation(same_logits{}, {.tau = 0.6, .nu = 5}), logits, output);
  use<T>(mad{last_layer{same_logits{}}, 1.0, true}, logits, output);
  use<T>(mad{jacobian{same_logits{}}}, logits, output);
  use<T>(gradient_redirection{redirection{same_logits{}}}, logits, output);
  use<T>(gradient_redirection{jacobian{same_logits{}}, 2.0}, logits, output);
  policy changes{};
  changes.keep_label = false;
  apply_rows(gated{confidence_gate{}, misdirect{.key = secret()}}, logits, 4, output, changes);
  use_text<T>(logits, output);
  softmax(logits, output);
  use_metrics<T>(logits, logits, labels);
  use_calibration<T>(logits, labels);
  use_monitor<T>(logits);
#if defined(CHAFF_WITH_EIGEN)
  use_eigen<T>(logits);
#endif
}

inline void use_int8(std::span<const std::int8_t> logits) {
  namespace int8 = chaff::int8;
  static constexpr int8::dcp exact({.input_scale = 0.1f, .rule = int8::odds::exact});
  const int8::parameters given{.input_scale = 0.1f, .beta = 1.2f};
  const auto answer_all = [&](const auto& defense) {
    std::int8_t s8[64];
    std::uint8_t u8[64];
    std::int16_t s16[64];
    defense(logits, std::span<std::int8_t>(s8, logits.size()));
    defense(logits, std::span<std::uint8_t>(u8, logits.size()));
    defense(logits, std::span<std::int16_t>(s16, logits.size()));
    defense.rows(logits, 4, std::span<std::int8_t>(s8, logits.size()));
  };
  answer_all(exact);
  answer_all(int8::dcp(given));
  answer_all(int8::reverse_sigmoid(given));
  answer_all(int8::softmax(int8::scale_of(1 << 30, 20)));
}

}  // namespace everything

#endif
