// SPDX-License-Identifier: MIT
/// Evidence in a Redis that replicas share.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_STORE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_STORE_HPP

#include <array>
#include <cmath>
#include <random>
#include <unordered_set>

#include "accounts/memory_store.hpp"
#include "accounts/redis_link.hpp"

namespace service {

namespace detail {

/// Counts queries of one account in Redis, atomically.
/// KEYS: the account's key. ARGV: threshold, drift, seconds until an account that is not flagged is forgotten, evidence
/// that it has at least, then a run (queries, total, floor, highest total, highest floor), then surprises.
/// Returns the first query that is flagged, counted from 0 after the run, a space, and the evidence.
/// Lua's numbers are doubles, and %.17g brings each of them back: the sums are those of evidence_rule, to the bit.
/// The key holds the evidence; none is 0. What is no evidence is overwritten. A flagged account's key does not expire.
inline constexpr const char* count_script = R"lua(
local key, threshold, drift = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local stored, evidence = redis.call('TYPE', key).ok, 0
if stored == 'string' then evidence = tonumber(redis.call('GET', key)) or 0 end
if not (evidence >= 0 and evidence < math.huge) then evidence = 0 end
local before = evidence
if tonumber(ARGV[5]) > 0 and evidence < threshold then
  local highest = math.max(tonumber(ARGV[9]), evidence + tonumber(ARGV[8]))
  if highest >= threshold then
    evidence = highest
  else
    evidence = math.max(tonumber(ARGV[7]), evidence + tonumber(ARGV[6]))
  end
end
evidence = math.max(evidence, tonumber(ARGV[4]))
local first = #ARGV - 9
if evidence >= threshold then
  first = 0
else
  for i = 10, #ARGV do
    evidence = evidence + (tonumber(ARGV[i]) - drift)
    if evidence <= 0 then evidence = 0 end
    if evidence >= threshold then
      first = i - 10
      break
    end
  end
end
local text = string.format('%.17g', evidence)
if evidence >= threshold then
  if evidence ~= before or stored ~= 'string' then redis.call('SET', key, text) end
elseif evidence > 0 then
  redis.call('SET', key, text, 'EX', ARGV[3])
elseif stored ~= 'none' then
  redis.call('DEL', key)
end
return first .. ' ' .. text
)lua";

/// Returns what marks this life of Redis's data: another one means that it was lost.
inline constexpr const char* life_script =
    "redis.call('SET', KEYS[1], ARGV[1], 'NX') return redis.call('GET', KEYS[1])";

inline std::string text_of(double number) {
  std::array<char, 32> digits;
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number).ptr};
}

/// Parses the reply of count_script to `queries` queries.
inline std::optional<verdict> parse_verdict(std::string_view text, std::size_t queries) {
  verdict result;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, result.first_flagged);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto evidence = std::from_chars(first.ptr + 1, end, result.evidence);
  if (evidence.ec != std::errc() || evidence.ptr != end || !(result.evidence >= 0) || std::isinf(result.evidence) ||
      result.first_flagged > queries)
    return std::nullopt;
  return result;
}

inline std::string hex_of(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; number >>= 4) text[i] = "0123456789abcdef"[number & 15];
  return text;
}

inline std::uint64_t random_word() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace detail

inline std::string redis_key_of(account_id account) {
  return "chaff:account:" + detail::hex_of(account);
}

struct redis_options {
  redis_address address;
  std::size_t max_accounts = 100'000;  ///< remembered here, for when Redis is away
  std::chrono::seconds expiry =
      std::chrono::hours(24 * 30);  ///< after the last query of an account that is not flagged
  redis_patience patience = {};
};

/// Evidence in Redis, which counts the queries of all replicas in one order. No call waits longer than
/// `patience.command`.
///
/// While Redis is away, each replica goes on from the evidence that it heard of last, and keeps an evidence_run of what
/// Redis has missed. When Redis is back, the run counts there first: with the account's next queries, or by a thread
/// that goes through all such accounts. What replicas counted apart counts as if one had come after the other. An
/// account that a replica flagged meanwhile is flagged in Redis.
/// A command that was sent and not answered may have counted. Its queries are kept, so they may count twice, and never
/// not at all.
/// Where Redis has lost its data, a replica tells it of the flagged accounts that it knows when they query again.
class redis_store : public account_store {
 public:
  redis_store(const evidence_rule& rule, const redis_options& chosen)
      : rule_(rule),
        chosen_(chosen),
        table_(chosen.max_accounts),
        link_(chosen.address, chosen.patience, [this](const redis_link::runner& run) { return prepare(run); }),
        merger_([this](std::stop_token stop) { merge_all(stop); }) {}

  verdict count(account_id account, std::span<const double> surprises) override {
    std::unique_lock lock(mutex_);
    if (link_.is_up()) {
      if (const auto result = count_in_redis(account, surprises, lock)) return *result;
    }
    remembered* const known = find_or_add(account);
    const verdict result = count_queries(rule_, known ? known->evidence : 0, surprises);
    if (!known) {
      untracked_ += surprises.size();
      return result;
    }
    for (const double each : surprises) known->missed.add(each, rule_.drift);
    if (known->missed.queries > 0) unmerged_.insert(account);
    remember(account, *known, result.evidence);
    return result;
  }

  store_counts counts() const override {
    const std::scoped_lock lock(mutex_);
    store_counts counts = table_.counts();
    counts.untracked = untracked_;
    counts.has_redis = true;
    counts.is_redis_up = link_.is_up();
    counts.unmerged = unmerged_.size();
    counts.outages = link_.outages();
    return counts;
  }

  /// Waits until Redis can be used or the time is up; returns whether it can.
  bool wait_until_up(std::chrono::milliseconds time) { return link_.wait_until_up(time); }

 private:
  struct remembered {
    double evidence = 0;     ///< as Redis said last, and the queries since
    evidence_run missed;     ///< queries that Redis has not heard of
    std::uint64_t life = 0;  ///< of Redis's data when it said so
  };

  /// In the link's thread, for each new connection. It has to work for a Redis that accepts writes alone.
  bool prepare(const redis_link::runner& run) {
    const auto loaded = run({"SCRIPT", "LOAD", detail::count_script});
    if (!loaded || loaded->is_error || loaded->text.size() != 40) return false;
    const auto life = run({"EVAL", detail::life_script, "1", "chaff:life", detail::hex_of(detail::random_word())});
    if (!life || life->is_error || life->text.size() != 16) return false;
    std::uint64_t word = 0;
    const auto [end, error] = std::from_chars(life->text.data(), life->text.data() + 16, word, 16);
    if (error != std::errc() || end != life->text.data() + 16) return false;
    const std::scoped_lock lock(mutex_);
    digest_ = loaded->text;
    life_ = word;
    return true;
  }

  /// Lets queries count in Redis, after those that it has missed; nothing if it did not answer. Holds the lock but
  /// while it waits.
  std::optional<verdict> count_in_redis(account_id account, std::span<const double> surprises,
                                        std::unique_lock<std::mutex>& lock) {
    const auto deadline = redis_link::clock::now() + chosen_.patience.command;
    evidence_run missed;
    double at_least = 0;
    if (remembered* const known = table_.find(account)) {
      missed = std::exchange(known->missed, {});
      // a flag that was set while Redis was away, or that Redis lost; not one that an operator has deleted since
      if (rule_.is_flagged(known->evidence) && (missed.queries > 0 || known->life != life_)) at_least = known->evidence;
    }
    redis_command command = command_of(account, surprises, missed, at_least);
    const std::uint64_t life = life_;
    lock.unlock();
    auto reply = link_.call(command, deadline);
    if (reply && reply->is_error && reply->text == "NOSCRIPT") {
      command[0] = "EVAL";
      command[1] = detail::count_script;
      reply = link_.call(command, deadline);
    }
    const auto result =
        reply && !reply->is_error ? detail::parse_verdict(reply->text, surprises.size()) : std::optional<verdict>();
    if (result) link_.confirm();
    if (reply && !result) link_.drop();
    lock.lock();
    remembered* const known = find_or_add(account);
    if (result && known) {
      known->life = life;
      // what Redis missed since then is still to be counted, and is no part of its evidence
      remember(account, *known, known->missed.after(result->evidence, rule_));
      if (known->missed.queries == 0) unmerged_.erase(account);
    }
    if (!result && known) {
      missed.append(known->missed);
      known->missed = missed;
      if (missed.queries > 0) unmerged_.insert(account);
    }
    if (!result && !known) untracked_ += missed.queries;
    return result;
  }

  redis_command command_of(account_id account, std::span<const double> surprises, const evidence_run& missed,
                           double at_least) const {
    redis_command command{"EVALSHA", digest_, "1", redis_key_of(account)};
    const bool has_missed =
        missed.queries > 0;  // an empty run has infinities, which Lua does not read alike everywhere
    for (const double each : {rule_.threshold, rule_.drift}) command.push_back(detail::text_of(each));
    command.push_back(std::to_string(chosen_.expiry.count()));
    command.push_back(detail::text_of(at_least));
    command.push_back(std::to_string(missed.queries));
    for (const double each : {missed.total, missed.floor, missed.highest_total, missed.highest_floor})
      command.push_back(detail::text_of(has_missed ? each : 0));
    for (const double each : surprises) command.push_back(detail::text_of(each));
    return command;
  }

  remembered* find_or_add(account_id account) {
    return table_.find_or_add(account, [this](account_id forgotten) { unmerged_.erase(forgotten); });
  }

  void remember(account_id account, remembered& known, double evidence) {
    known.evidence = evidence;
    table_.set_flagged(account, rule_.is_flagged(evidence));
  }

  /// The merger's thread: tells Redis what it has missed, one account at a time.
  void merge_all(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!link_.wait_until_up(std::chrono::seconds(1), stop)) continue;
      std::unique_lock lock(mutex_);
      if (unmerged_.empty()) {
        // nothing is missed while Redis is up, but by calls that it did not answer
        idle_.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; });
        continue;
      }
      count_in_redis(*unmerged_.begin(), {}, lock);
    }
  }

  evidence_rule rule_;
  redis_options chosen_;
  mutable std::mutex mutex_;
  account_table<remembered> table_;
  std::unordered_set<account_id> unmerged_;
  std::uint64_t untracked_ = 0;
  std::string digest_;
  std::uint64_t life_ = 0;
  std::condition_variable_any idle_;
  redis_link link_;
  std::jthread merger_;
};

}  // namespace service

#endif
