// SPDX-License-Identifier: MIT
/// Calls one defended model from many threads at once: each output has the same bits as alone. Under ThreadSanitizer
/// this also shows that no shared memory is written.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "support/edge_case_rows.hpp"
#include "support/every_defense.hpp"
#include "support/shared_defenses.hpp"
#include "support/shared_text.hpp"

namespace {

constexpr std::size_t classes = 33;

/// Calls a defended model from 8 threads, each with the rows in another order, and fails where an output differs from
/// that of a single thread.
template <class Defended>
void expect_same_from_all_threads(const Defended& defended, const std::vector<edge_case_row<float>>& rows) {
  std::vector<std::vector<float>> expected;
  for (const auto& row : rows) expected.push_back(defended(row.logits));
  std::vector<std::size_t> differences(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < differences.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 4 * rows.size(); ++i) {
        const std::size_t at = (i * 5 + t) % rows.size();
        const std::vector<float> output = defended(rows[at].logits);
        differences[t] += std::memcmp(output.data(), expected[at].data(), classes * sizeof(float)) != 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(differences, std::vector<std::size_t>(8));
}

TEST(Concurrency, DefendedModelMayBeSharedByThreads) {
  const auto rows = edge_case_rows<float>(classes);
  const auto model = [](const std::vector<float>& z) { return z; };
  const auto check = [&](const chaff::policy& policy) {
    return [&, policy](const auto& defense, const char* name) {
      SCOPED_TRACE(name);
      expect_same_from_all_threads(chaff::defend(model, defense, policy), rows);
    };
  };
  for_each_row_defense(check({}));
  for_each_label_changing_defense(check({.keep_label = false}));
  for_each_query_defense(check({}));
}

TEST(Concurrency, ReductionMayBeSharedByThreads) {
  const auto rows = edge_case_rows<float>(classes);
  for_each_reduction([&](const auto& reduction, const char* name) {
    SCOPED_TRACE(name);
    expect_same_from_all_threads(
        chaff::defend([](const std::vector<float>& z) { return z; }, chaff::dcp{.beta = 1.2} | reduction), rows);
  });
}

TEST(Concurrency, AnyDefenseMayBeSharedAndCopiedByThreads) {
  const auto rows = edge_case_rows<float>(classes);
  const chaff::any_defense defense = chaff::parse_defense(
      "gated(confidence_gate, random_vertex(key=000102030405060708090a0b0c0d0e0f)) | top_k(k=3) | "
      "gaussian_noise(key=000102030405060708090a0b0c0d0e0f)");
  expect_same_from_all_threads(chaff::defend([](const std::vector<float>& z) { return z; }, defense), rows);
  expect_same_from_all_threads(
      [&](const std::vector<float>& z) {
        const chaff::any_defense copy = defense;
        std::vector<float> output(z.size());
        chaff::apply(copy | chaff::rounded{}, z, output);
        return output;
      },
      rows);
}

TEST(Concurrency, ErrorOnOneThreadLeavesTheOthersAlone) {
  const auto rows = edge_case_rows<float>(classes);
  const auto defended = chaff::defend([](const std::vector<float>& z) { return z; }, chaff::dcp{});
  std::atomic<bool> done = false;
  std::size_t errors = 0;
  std::thread failing([&] {
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
  failing.join();
  EXPECT_GT(errors, 0u);
}

}  // namespace
