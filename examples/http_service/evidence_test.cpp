// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "accounts/memory_store.hpp"

namespace {

using service::account_id;
using service::evidence_rule;
using service::evidence_run;
using service::memory_store;

constexpr evidence_rule rule{.threshold = 20, .drift = 2};

/// Surprises that are multiples of 1/64: sums of them are exact, in any order.
std::vector<double> dyadic_surprises(std::mt19937& random, std::size_t count) {
  std::vector<double> surprises(count);
  for (double& each : surprises) each = static_cast<double>(random() % 400) / 64;
  return surprises;
}

/// The evidence by the formula, each query added in long double.
std::vector<long double> evidence_by_formula(long double start, const std::vector<double>& surprises) {
  std::vector<long double> all;
  for (const double each : surprises) {
    if (start < rule.threshold) start = std::fmax(0.0L, start + each - rule.drift);
    all.push_back(start);
  }
  return all;
}

evidence_run run_of(std::span<const double> surprises) {
  evidence_run run;
  for (const double each : surprises) run.add(each, rule.drift);
  return run;
}

TEST(Evidence, OfWorkedQueries) {
  const std::vector<double> surprises{1, 5, 0.5, 30, 0, 0};
  // 0, 3, 1.5, 29.5: flagged, and from then on as it is
  const service::verdict result = count_queries(rule, 0, surprises);
  EXPECT_EQ(result.evidence, 29.5);
  EXPECT_EQ(result.first_flagged, 3u);
  EXPECT_EQ(count_queries(rule, 29.5, surprises).first_flagged, 0u);
  EXPECT_EQ(count_queries(rule, 29.5, surprises).evidence, 29.5);
  const std::vector<double> quiet{1, 1, 1};
  EXPECT_EQ(count_queries(rule, 2, quiet).evidence, 0);
  EXPECT_EQ(count_queries(rule, 2, quiet).first_flagged, 3u);
  EXPECT_EQ(count_queries(rule, 19, std::vector<double>{3}).first_flagged, 0u);  // 20 is the threshold
}

TEST(EvidenceRun, IsWhatItsQueriesDoFromAnyStart) {
  std::mt19937 random(1);
  int flagged = 0, unflagged = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto surprises = dyadic_surprises(random, random() % 20);
    const double start = static_cast<double>(random() % (21 * 64)) / 64;
    const auto expected = evidence_by_formula(start, surprises);
    const double after = run_of(surprises).after(start, rule);
    const long double last = expected.empty() ? start : expected.back();
    ASSERT_EQ(after >= rule.threshold, last >= rule.threshold);
    if (last < rule.threshold) {
      ASSERT_EQ(after, static_cast<double>(last));
    } else {
      ASSERT_GE(after, static_cast<double>(last));  // the highest on the way is at least the first at the threshold
    }
    ++(last < rule.threshold ? unflagged : flagged);
  }
  EXPECT_GT(flagged, 2000);
  EXPECT_GT(unflagged, 2000);
}

TEST(EvidenceRun, ComposesInAnyGrouping) {
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    const auto surprises = dyadic_surprises(random, 1 + random() % 30);
    const std::span<const double> all(surprises);
    const std::size_t first = random() % (all.size() + 1), second = first + random() % (all.size() - first + 1);
    const evidence_run whole = run_of(all), a = run_of(all.first(first)),
                       b = run_of(all.subspan(first, second - first)), c = run_of(all.subspan(second));
    evidence_run left = a, right = b, outer = a;
    left.append(b);
    left.append(c);
    right.append(c);
    outer.append(right);
    for (const evidence_run& each : {left, outer}) {
      ASSERT_EQ(each.total, whole.total);
      ASSERT_EQ(each.floor, whole.floor);
      ASSERT_EQ(each.highest_total, whole.highest_total);
      ASSERT_EQ(each.highest_floor, whole.highest_floor);
      ASSERT_EQ(each.queries, whole.queries);
    }
  }
}

TEST(EvidenceRun, OfNoQueriesChangesNothing) {
  EXPECT_EQ(evidence_run{}.after(7.25, rule), 7.25);
  EXPECT_EQ(evidence_run{}.after(0, rule), 0);
  EXPECT_EQ(evidence_run{}.after(25, rule), 25);
  evidence_run both;
  both.append(evidence_run{});
  EXPECT_EQ(both.after(7.25, rule), 7.25);
}

TEST(EvidenceRun, IsNearItsQueriesWhereSumsAreRounded) {
  std::mt19937 random(3);
  std::exponential_distribution<double> benign(1);
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> surprises(1000);
    for (double& each : surprises) each = benign(random);
    const double after = run_of(surprises).after(1.5, rule);
    const auto expected = evidence_by_formula(1.5, surprises);
    if (*std::max_element(expected.begin(), expected.end()) < rule.threshold - 1e-9L) {
      ASSERT_NEAR(after, static_cast<double>(expected.back()), 1e-9);
    }
  }
}

std::vector<double> one(double surprise) {
  return {surprise};
}

TEST(MemoryStore, KeepsAccountsApart) {
  memory_store store(rule, 10);
  EXPECT_EQ(store.count(1, one(5)).evidence, 3);
  EXPECT_EQ(store.count(2, one(6)).evidence, 4);
  EXPECT_EQ(store.count(1, one(5)).evidence, 6);
  EXPECT_EQ(store.count(2, {}).evidence, 4);
  EXPECT_EQ(store.counts().held, 2u);
}

TEST(MemoryStore, IsThatOfItsQueriesOneByOneWhateverTheBatches) {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> surprise(0, 5);
  memory_store whole(rule, 10), single(rule, 10);
  for (int i = 0; i < 300; ++i) {
    std::vector<double> batch(random() % 8);
    for (double& each : batch) each = surprise(random);
    double last = single.count(static_cast<account_id>(i % 3), {}).evidence;
    for (const double each : batch) last = single.count(static_cast<account_id>(i % 3), one(each)).evidence;
    ASSERT_EQ(whole.count(static_cast<account_id>(i % 3), batch).evidence, last);
  }
}

TEST(MemoryStore, ForgetsTheAccountUsedLeastRecently) {
  memory_store store(rule, 3);
  for (const account_id account : {1u, 2u, 3u}) store.count(account, one(5));
  store.count(1, one(5));  // now 2 is the oldest
  EXPECT_EQ(store.count(4, {}).evidence, 0);
  EXPECT_EQ(store.count(1, {}).evidence, 6);
  EXPECT_EQ(store.count(3, {}).evidence, 3);
  EXPECT_EQ(store.count(2, {}).evidence, 0);
  EXPECT_EQ(store.counts().held, 3u);
  EXPECT_EQ(store.counts().forgotten, 2u);
}

TEST(MemoryStore, NeverForgetsAFlaggedAccount) {
  memory_store store(rule, 3);
  store.count(7, one(50));
  for (account_id account = 100; account < 200; ++account) store.count(account, one(5));
  EXPECT_EQ(store.count(7, one(0)).first_flagged, 0u);
  EXPECT_EQ(store.count(7, {}).evidence, 48);
  EXPECT_EQ(store.counts().flagged, 1u);
  EXPECT_EQ(store.counts().held, 3u);
}

TEST(MemoryStore, CountsANewAccountFromZeroWhereAllAreFlagged) {
  memory_store store(rule, 2);
  store.count(1, one(50));
  store.count(2, one(50));
  for (int i = 0; i < 30; ++i) {
    const auto result = store.count(3, one(6));
    EXPECT_EQ(result.evidence, 4);
    EXPECT_EQ(result.first_flagged, 1u);
  }
  EXPECT_EQ(store.count(3, std::vector<double>(10, 6.0)).first_flagged, 4u);  // one batch can still be flagged
  EXPECT_EQ(store.count(1, one(0)).evidence, 48);
  EXPECT_EQ(store.count(2, one(0)).evidence, 48);
  EXPECT_EQ(store.counts().held, 2u);
  EXPECT_EQ(store.counts().untracked, 40u);
}

TEST(MemoryStore, HoldsNoMoreThanItsBoundAgainst100000Accounts) {
  memory_store store(rule, 1000);
  for (account_id account = 0; account < 100000; ++account) store.count(account * 0x9e3779b97f4a7c15u, one(5));
  const auto counts = store.counts();
  EXPECT_EQ(counts.held, 1000u);
  EXPECT_EQ(counts.seen, 100000u);
  EXPECT_EQ(counts.forgotten, 99000u);
}

TEST(MemoryStore, LosesNoQueryOfManyThreads) {
  memory_store store({.threshold = 1e9, .drift = 2}, 10);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&store, i] {
        for (int j = 0; j < 5000; ++j) {
          store.count(1, one(3));
          store.count(static_cast<account_id>(100 + i * 5000 + j), one(3));  // pushes others out, never the busy one
          store.counts();
        }
      });
    }
  }
  EXPECT_EQ(store.count(1, {}).evidence, 40000);
}

}  // namespace
