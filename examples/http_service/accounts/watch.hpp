// SPDX-License-Identifier: MIT
/// Watches accounts: who sends a request, what its queries are evidence of, and what flagged accounts get.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_WATCH_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_WATCH_HPP

#include <chaff/chaff.hpp>
#include <chaff/monitor.hpp>
#include <memory>

#include "accounts/account_metrics.hpp"
#include "accounts/identity.hpp"

namespace service {

/// The score of a defense's gate, which is low for suspicious queries.
class gate_score {
 public:
  /// Throws: std::invalid_argument if the defense's gate has no score.
  explicit gate_score(const chaff::any_defense& defense) {
    const std::string text = to_string(defense);
    const auto is_gated_by = [&](std::string_view shorthand, std::string_view gate) {
      return text.starts_with(std::string(shorthand) + "(") || text.starts_with("gated(" + std::string(gate) + "(");
    };
    is_energy_ = is_gated_by("energy_dcp", "energy_gate");
    if (!is_energy_ && !is_gated_by("dcp", "confidence_gate")) {
      throw std::invalid_argument(
          "accounts are watched by the score of the defense's gate, and this defense has none: choose one with a "
          "confidence gate or an energy gate, such as dcp or energy_dcp(tau=...)");
    }
  }

  double operator()(const Eigen::VectorXf& logits) const {
    const Eigen::VectorXd row = logits.cast<double>();
    const std::span<const double> values(row.data(), static_cast<std::size_t>(row.size()));
    return is_energy_ ? chaff::gate_scores(chaff::energy_gate{}, values, values.size()).front()
                      : chaff::gate_scores(chaff::confidence_gate{}, values, values.size()).front();
  }

 private:
  bool is_energy_;
};

/// What flagged accounts get instead of the service's defense.
struct flagged_answer {
  chaff::any_defense defense;
  chaff::policy policy = {};
};

class account_watch {
 public:
  /// `flagged` is empty if flagged accounts are refused.
  account_watch(account_identity identity, chaff::query_monitor monitor, std::unique_ptr<account_store> store,
                std::optional<flagged_answer> flagged)
      : identity_(std::move(identity)),
        monitor_(std::move(monitor)),
        store_(std::move(store)),
        flagged_(std::move(flagged)) {}

  const account_identity& identity() const { return identity_; }
  const std::optional<flagged_answer>& flagged() const { return flagged_; }

  /// Lets the queries of a request count, in order; returns how many of them come before the account is flagged.
  std::size_t count(account_id account, const gate_score& score, std::span<const Eigen::VectorXf> logits) {
    std::vector<double> surprises;
    for (const Eigen::VectorXf& row : logits) surprises.push_back(monitor_.surprise(score(row)));
    const verdict result = store_->count(account, surprises);
    metrics_.count_request(result.evidence, logits.size() - result.first_flagged);
    return result.first_flagged;
  }

  std::string metrics_text() const { return metrics_.text(store_->counts(), monitor_.threshold()); }

 private:
  account_identity identity_;
  chaff::query_monitor monitor_;
  std::unique_ptr<account_store> store_;
  std::optional<flagged_answer> flagged_;
  account_metrics metrics_;
};

}  // namespace service

#endif
