// SPDX-License-Identifier: MIT
/// Evidence of a bounded number of accounts, in this process's memory.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_MEMORY_STORE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_MEMORY_STORE_HPP

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "accounts/store.hpp"

namespace service {

/// A bounded number of accounts with an Entry each. Not for several threads at once.
/// A new account takes the place of the one that was used least recently, but never of a flagged one: an attacker would
/// otherwise be forgotten after `max_accounts` others. If all are flagged, a new account finds no room.
template <class Entry>
class account_table {
 public:
  explicit account_table(std::size_t max_accounts) : max_accounts_(max_accounts) {}

  /// The entry of an account, now the one used most recently; null if there is no room for it.
  /// Calls on_forget(account) for an account that makes room.
  template <class OnForget>
  Entry* find_or_add(account_id account, const OnForget& on_forget) {
    if (const auto found = places_.find(account); found != places_.end()) {
      auto& list = found->second->is_flagged ? flagged_ : others_;
      list.splice(list.begin(), list, found->second);
      return &found->second->entry;
    }
    if (places_.size() >= max_accounts_) {
      if (others_.empty()) return nullptr;
      on_forget(others_.back().account);
      places_.erase(others_.back().account);
      others_.pop_back();
      ++forgotten_;
    }
    others_.push_front({account, false, {}});
    places_.emplace(account, others_.begin());
    ++seen_;
    return &others_.front().entry;
  }

  /// The entry of an account, if it has one; its use does not count.
  Entry* find(account_id account) {
    const auto found = places_.find(account);
    return found == places_.end() ? nullptr : &found->second->entry;
  }

  /// Keeps an account for good, or again only as long as it is used.
  void set_flagged(account_id account, bool is_flagged) {
    const auto found = places_.find(account);
    if (found == places_.end() || found->second->is_flagged == is_flagged) return;
    auto& from = is_flagged ? others_ : flagged_;
    auto& to = is_flagged ? flagged_ : others_;
    found->second->is_flagged = is_flagged;
    to.splice(to.begin(), from, found->second);
  }

  store_counts counts() const {
    return {.held = places_.size(), .seen = seen_, .flagged = flagged_.size(), .forgotten = forgotten_};
  }

 private:
  struct place {
    account_id account;
    bool is_flagged;
    Entry entry;
  };

  std::size_t max_accounts_;
  std::list<place> others_, flagged_;  ///< the one used most recently first
  std::unordered_map<account_id, typename std::list<place>::iterator> places_;
  std::uint64_t seen_ = 0, forgotten_ = 0;
};

/// Evidence that ends with the process. One lock: what it guards takes less than a microsecond.
/// Queries of an account that finds no room count from 0, and are forgotten: whoever owns as many flagged accounts as
/// there is room for must not be able to have everyone else flagged. The metrics count them.
class memory_store : public account_store {
 public:
  memory_store(const evidence_rule& rule, std::size_t max_accounts) : rule_(rule), table_(max_accounts) {}

  verdict count(account_id account, std::span<const double> surprises) override {
    const std::scoped_lock lock(mutex_);
    double* const evidence = table_.find_or_add(account, [](account_id) {});
    const verdict result = count_queries(rule_, evidence ? *evidence : 0, surprises);
    if (evidence) {
      *evidence = result.evidence;
      if (rule_.is_flagged(result.evidence)) table_.set_flagged(account, true);
    } else {
      untracked_ += surprises.size();
    }
    return result;
  }

  store_counts counts() const override {
    const std::scoped_lock lock(mutex_);
    store_counts counts = table_.counts();
    counts.untracked = untracked_;
    return counts;
  }

 private:
  evidence_rule rule_;
  mutable std::mutex mutex_;
  account_table<double> table_;
  std::uint64_t untracked_ = 0;
};

}  // namespace service

#endif
