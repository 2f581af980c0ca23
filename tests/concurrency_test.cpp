// SPDX-License-Identifier: MIT
/// One defended model, asked from many threads at once: each answer has the bits that it has alone. Under
/// ThreadSanitizer this is also the proof that nothing is shared that is written.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "support/every_defense.hpp"
#include "support/hostile_rows.hpp"

namespace {

constexpr std::size_t classes = 33;

/// Asks a defended model from 8 threads, rows in an order of each thread's own, and compares with answers that were
/// given one after another.
template <class Defended>
void expect_same_from_all_threads(const Defended& defended, const std::vector<hostile_row<float>>& rows) {
  std::vector<std::vector<float>> expected;
  for (const auto& row : rows) expected.push_back(defended(row.logits));
  std::vector<std::size_t> wrong(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 4 * rows.size(); ++i) {
        const std::size_t at = (i * 5 + t) % rows.size();
        const std::vector<float> answer = defended(rows[at].logits);
        wrong[t] += std::memcmp(answer.data(), expected[at].data(), classes * sizeof(float)) != 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<std::size_t>(8));
}

TEST(concurrency, one_defended_model_serves_many_threads) {
  const auto rows = hostile_rows<float>(classes);
  const auto model = [](const std::vector<float>& z) { return z; };
  const auto check = [&](const chaff::policy& promised) {
    return [&, promised](const auto& defense, const char* name) {
      SCOPED_TRACE(name);
      expect_same_from_all_threads(chaff::defend(model, defense, promised), rows);
    };
  };
  for_each_defense_of_logits(check({}));
  for_each_defense_of_labels(check({.keep_label = false}));
  for_each_defense_of_queries(check({}));
}

TEST(concurrency, one_chain_of_reductions_serves_many_threads) {
  const auto rows = hostile_rows<float>(classes);
  for_each_reduction([&](const auto& reduction, const char* name) {
    SCOPED_TRACE(name);
    expect_same_from_all_threads(
        chaff::defend([](const std::vector<float>& z) { return z; }, chaff::dcp{.beta = 1.2} | reduction), rows);
  });
}

TEST(concurrency, an_error_of_one_thread_leaves_the_others_alone) {
  const auto rows = hostile_rows<float>(classes);
  const auto defended = chaff::defend([](const std::vector<float>& z) { return z; }, chaff::dcp{});
  std::atomic<bool> done = false;
  std::size_t errors = 0;
  std::thread wrong([&] {
    std::vector<float> bad(classes);
    bad[7] = std::numeric_limits<float>::quiet_NaN();
    do {
      try {
        static_cast<void>(defended(bad));
      } catch (const std::domain_error&) {
        ++errors;
      }
    } while (!done);
  });
  expect_same_from_all_threads(defended, rows);
  done = true;
  wrong.join();
  EXPECT_GT(errors, 0u);
}

}  // namespace
