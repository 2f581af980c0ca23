// SPDX-License-Identifier: MIT
/// What the metrics say about accounts: numbers of all of them together, and no names.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_ACCOUNT_METRICS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_ACCOUNT_METRICS_HPP

#include <array>
#include <cstdint>
#include <mutex>
#include <sstream>
#include <string>

#include "accounts/store.hpp"

namespace service {

/// Counters since the start. Every function may be called from any thread.
class account_metrics {
 public:
  /// Counts a request with queries: the evidence that its account has after it, and how many were those of a flagged
  /// account.
  void count_request(double evidence, std::size_t flagged_queries) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < bounds.size(); ++i) at_most_[i] += evidence <= bounds[i];
    ++requests_;
    sum_ += evidence;
    flagged_queries_ += flagged_queries;
  }

  /// Format: Prometheus text, version 0.0.4.
  std::string text(const store_counts& counts, double threshold) const {
    std::ostringstream out;
    const auto write = [&](const char* name, const char* type, const char* help, auto value) {
      out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n'
          << name << ' ' << value << '\n';
    };
    write("chaff_accounts", "gauge", "Accounts whose evidence this process holds.", counts.held);
    write("chaff_accounts_seen_total", "counter", "Accounts taken in.", counts.seen);
    write("chaff_accounts_flagged", "gauge", "Flagged accounts that this process holds.", counts.flagged);
    write("chaff_accounts_forgotten_total", "counter", "Accounts that made room for others.", counts.forgotten);
    write("chaff_untracked_queries_total", "counter", "Queries of accounts that found no room.", counts.untracked);
    if (counts.has_redis) {
      write("chaff_redis_up", "gauge", "Whether Redis answers.", counts.is_redis_up ? 1 : 0);
      write("chaff_redis_outages_total", "counter", "Connections to Redis that were lost.", counts.outages);
      write("chaff_accounts_unmerged", "gauge", "Accounts with queries that Redis has missed.", counts.unmerged);
    }
    const std::scoped_lock lock(mutex_);
    write("chaff_flagged_queries_total", "counter", "Queries of flagged accounts.", flagged_queries_);
    write("chaff_account_threshold", "gauge", "Evidence at which an account is flagged.", threshold);
    out << "# HELP chaff_account_evidence Evidence of the account after each request.\n"
           "# TYPE chaff_account_evidence histogram\n";
    for (std::size_t i = 0; i < bounds.size(); ++i)
      out << "chaff_account_evidence_bucket{le=\"" << bounds[i] << "\"} " << at_most_[i] << '\n';
    out << "chaff_account_evidence_bucket{le=\"+Inf\"} " << requests_ << "\nchaff_account_evidence_sum " << sum_
        << "\nchaff_account_evidence_count " << requests_ << '\n';
    return out.str();
  }

 private:
  static constexpr std::array bounds{0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0};

  mutable std::mutex mutex_;
  std::array<std::uint64_t, bounds.size()> at_most_{};
  std::uint64_t requests_ = 0, flagged_queries_ = 0;
  double sum_ = 0;
};

}  // namespace service

#endif
