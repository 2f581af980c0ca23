// SPDX-License-Identifier: MIT
/// What an operator says about accounts, and the watch that it makes.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_ACCOUNT_OPTIONS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_ACCOUNT_OPTIONS_HPP

#include "accounts/redis_store.hpp"
#include "accounts/watch.hpp"
#include "audit/read.hpp"

namespace service {

struct account_options {
  std::string header;         ///< a trusted proxy sets it; empty: accounts are found by API keys
  std::string api_keys_file;  ///< empty: accounts are found by the header
  std::string benign_scores_file;
  std::string place = "memory";  ///< or redis://...
  std::string key_file;          ///< empty: a key for this process alone
  std::size_t max_accounts = 100'000;
  int expiry_days = 30;
  double false_alarms = 1e-3;
  double queries = 10'000;
  double drift = 2;
  std::string flagged_defense;  ///< empty: flagged accounts are refused
  std::string flagged_policy;

  bool has_accounts() const { return !header.empty() || !api_keys_file.empty(); }
};

/// The key that hashes accounts' names.
/// Throws: std::invalid_argument if there is none although replicas have to agree on one.
inline chaff::key account_key_of(const account_options& chosen) {
  if (!chosen.key_file.empty()) return read_account_key(chosen.key_file);
  if (chosen.place != "memory") {
    throw std::invalid_argument(
        "accounts in Redis need --account-key-file: replicas find an account by a hash of its name, under one key");
  }
  return chaff::key(std::random_device{});
}

/// Throws: an exception that says what is wrong with an option or a file.
inline std::shared_ptr<account_watch> make_account_watch(const account_options& chosen) {
  if (!chosen.header.empty() && !chosen.api_keys_file.empty())
    throw std::invalid_argument("an account is named by --account-header or by --api-keys, not by both");
  if (chosen.benign_scores_file.empty())
    throw std::invalid_argument(
        "accounts need --benign-scores: the scores of benign queries, which each query is compared with");
  if (chosen.flagged_defense.empty() && !chosen.flagged_policy.empty())
    throw std::invalid_argument("--flagged-policy needs --flagged-defense: without it, flagged accounts are refused");
  std::optional<redis_address> redis;
  if (chosen.place != "memory") redis = parse_redis_address(chosen.place);
  const chaff::key key = account_key_of(chosen);
  account_identity identity =
      chosen.header.empty()
          ? account_identity(api_keys(detail::whole_file(chosen.api_keys_file), chosen.api_keys_file), key)
          : account_identity(chosen.header, key);

  const audit::table table = audit::read_logits(chosen.benign_scores_file, false);
  if (table.columns != 1 && table.rows() != 1) {
    throw std::invalid_argument(chosen.benign_scores_file + " has " + std::to_string(table.columns) +
                                " columns; scores are one number a line");
  }
  const std::vector<double> scores(table.values.begin(), table.values.end());
  chaff::query_monitor monitor(scores,
                               {.false_alarms = chosen.false_alarms, .queries = chosen.queries, .drift = chosen.drift});
  const evidence_rule rule{.threshold = monitor.threshold(), .drift = chosen.drift};

  std::unique_ptr<account_store> store;
  if (!redis) {
    store = std::make_unique<memory_store>(rule, chosen.max_accounts);
  } else {
    store = std::make_unique<redis_store>(rule, redis_options{.address = *redis,
                                                              .max_accounts = chosen.max_accounts,
                                                              .expiry = std::chrono::hours(24 * chosen.expiry_days)});
  }
  std::optional<flagged_answer> flagged;
  if (!chosen.flagged_defense.empty())
    flagged = {chaff::parse_defense(chosen.flagged_defense), chaff::parse_policy(chosen.flagged_policy)};
  return std::make_shared<account_watch>(std::move(identity), std::move(monitor), std::move(store), std::move(flagged));
}

}  // namespace service

#endif
