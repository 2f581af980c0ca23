// SPDX-License-Identifier: MIT
/// Where the evidence of accounts is kept: what every such place can do.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_STORE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_STORE_HPP

#include "accounts/evidence.hpp"

namespace service {

/// The keyed hash of an account's name; stores see no names.
using account_id = std::uint64_t;

/// What a store tells the metrics.
struct store_counts {
  std::uint64_t held = 0;       ///< accounts in this process's memory
  std::uint64_t seen = 0;       ///< accounts that were put there since the start
  std::uint64_t flagged = 0;    ///< of those held
  std::uint64_t forgotten = 0;  ///< accounts that made room for others, since the start
  std::uint64_t untracked = 0;  ///< queries that found no room, since the start
  bool has_redis = false;
  bool is_redis_up = false;
  std::uint64_t unmerged = 0;  ///< accounts with queries that Redis has not heard of
  std::uint64_t outages = 0;   ///< times that Redis went away, since the start
};

/// Every function may be called from any thread.
class account_store {
 public:
  account_store() = default;
  account_store(const account_store&) = delete;
  account_store& operator=(const account_store&) = delete;
  virtual ~account_store() = default;

  /// Lets queries of an account count, in order and at once.
  virtual verdict count(account_id account, std::span<const double> surprises) = 0;
  virtual store_counts counts() const = 0;
};

}  // namespace service

#endif
