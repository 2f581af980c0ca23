// SPDX-License-Identifier: MIT
/// Checks the guarantees that hold for every output: for every defense, in float or double, over edge-case rows.
#include <gtest/gtest.h>

#include <chaff/adapters/eigen.hpp>
#include <cstring>
#include <thread>

#include "support/guarantees.hpp"
#include "support/shared_defenses.hpp"
#include "support/stride.hpp"

namespace {

/// Those that need nothing but logits.
template <class T>
tested_defenses<T> row_defenses() {
  return every_defense<T>().keep_label + every_defense<T>().change_label;
}

/// Every defense of the library. Those that need the query are left out above 1000 classes, where they take too long.
template <class T>
tested_defenses<T> defenses_for(std::size_t classes) {
  return classes <= 1000 ? row_defenses<T>() + every_defense<T>().need_query : row_defenses<T>();
}

constexpr chaff::policy policies[] = {{},
                                      {.keep_label = false},
                                      {.label_margin = 0.02},
                                      {.label_margin = 0.5},
                                      {.label_margin = 1},
                                      {.max_l1 = 0},
                                      {.max_l1 = 0.3},
                                      {.keep_label = false, .max_l1 = 0.3},
                                      {.label_margin = 0.1, .max_l1 = 0.3}};

template <class T>
struct Guarantees : testing::Test {};
using types = testing::Types<CHAFF_ELEMENT_TYPE>;
TYPED_TEST_SUITE(Guarantees, types);

TYPED_TEST(Guarantees, HoldForEveryDefenseRowAndPolicy) {
  using T = TypeParam;
  unsigned count = 0;
  for (const std::size_t classes : edge_case_sizes) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      if (count++ % row_stride(classes) != 0) continue;
      const auto p = reference::softmax(z);
      for (const auto& defense : defenses_for<T>(classes)) {
        for (const chaff::policy& policy : policies) {
          if (!defense->accepts(policy)) continue;
          SCOPED_TRACE(defense->name + ", K " + std::to_string(classes) + ", " + name + ", " + describe(policy));
          expect_guarantees(*defense, z, p, policy, false);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(Guarantees, HoldForRowsOfProbabilitiesAndLogProbabilities) {
  using T = TypeParam;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  for (const std::size_t classes : {2u, 3u, 17u, 33u, 129u, 1000u, 4099u}) {
    for (const auto& [name, logits] : edge_case_rows<T>(classes)) {
      for (const chaff::form input : {chaff::form::probabilities, chaff::form::log_probabilities}) {
        std::vector<T> values(classes);
        chaff::apply(chaff::none{}, logits, values, {.keep_label = false, .answer = input});
        // scores in the order of the values, with -inf for a masked class
        std::vector<T> scores = values;
        std::vector<reference::real> p(values.begin(), values.end());
        if (input == chaff::form::probabilities) {
          std::replace(scores.begin(), scores.end(), T(0), -infinity);
          reference::real sum = 0;
          for (const reference::real value : p) sum += value;
          for (reference::real& value : p) value /= sum;
        } else {
          p = reference::softmax(values);
        }
        for (const auto& defense : row_defenses<T>()) {
          for (chaff::policy policy : policies) {
            policy.input = input;
            if (!defense->accepts(policy)) continue;
            SCOPED_TRACE(defense->name + ", K " + std::to_string(classes) + ", " + name + ", " + describe(policy) +
                         ", input " + std::to_string(static_cast<int>(input)));
            std::vector<T> y(classes, T(-7));
            defense->apply(values, y, policy);
            expect_guarantees_of_row(scores, p, y, policy, false);
            if (testing::Test::HasFatalFailure()) return;
            if (policy.max_l1 == 2) expect_side_of_gate(scores, p, y, policy, defense->alpha(scores, p));
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TYPED_TEST(Guarantees, LabelChangingDefensesRefuseToKeepTheLabel) {
  for (const auto& defense : every_defense<TypeParam>().change_label) {
    EXPECT_FALSE(defense->accepts({})) << defense->name;
    EXPECT_TRUE(defense->accepts({.keep_label = false})) << defense->name;
  }
}

template <class T>
bool have_same_bits(const T* a, const T* b, std::size_t n) {
  return std::memcmp(a, b, n * sizeof(T)) == 0;
}

/// The rows of a batch, one after another.
template <class T>
std::vector<T> concatenate(const std::vector<edge_case_row<T>>& rows) {
  std::vector<T> batch;
  for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
  return batch;
}

/// Answers each row of a batch alone, and fails where a row has other bits in the batch, in place, alone in place, at
/// any alignment or on any of 8 threads. Without `all_alignments`, long rows are not shifted and stay on one thread.
template <class T>
void expect_same_bits_everywhere(const tested_defense<T>& defense, const std::vector<T>& batch, std::size_t classes,
                                 const chaff::policy& policy, bool all_alignments) {
  const std::size_t rows = batch.size() / classes;
  const auto row_of = [classes](auto& values, std::size_t i) {
    return std::span(values).subspan(i * classes, classes);
  };
  std::vector<T> expected(batch.size());
  for (std::size_t i = 0; i < rows; ++i) defense.apply(row_of(batch, i), row_of(expected, i), policy);

  std::vector<T> output(batch.size());
  defense.apply_rows(batch, classes, output, policy);
  ASSERT_TRUE(have_same_bits(output.data(), expected.data(), batch.size())) << "in a batch";

  std::vector<T> in_place = batch;
  defense.apply_rows(in_place, classes, in_place, policy);
  ASSERT_TRUE(have_same_bits(in_place.data(), expected.data(), batch.size())) << "in a batch in place";

  in_place = batch;
  for (std::size_t i = 0; i < rows; ++i) defense.apply(row_of(in_place, i), row_of(in_place, i), policy);
  ASSERT_TRUE(have_same_bits(in_place.data(), expected.data(), batch.size())) << "alone in place";

  if (classes > (is_exhaustive ? 5000 : 500) || (classes > 200 && !all_alignments)) return;
  for (std::size_t shift = 1; shift < 64 / sizeof(T); ++shift) {
    std::vector<T> from(batch.size() + 64), to(batch.size() + 64, T(-7));
    std::copy(batch.begin(), batch.end(), from.begin() + static_cast<std::ptrdiff_t>(shift));
    const std::size_t other_shift = 64 / sizeof(T) - shift;
    defense.apply_rows(std::span<const T>(from).subspan(shift, batch.size()), classes,
                       std::span<T>(to).subspan(other_shift, batch.size()), policy);
    ASSERT_TRUE(have_same_bits(to.data() + other_shift, expected.data(), batch.size())) << "shifted by " << shift;
    ASSERT_EQ(to[other_shift - 1], T(-7)) << "written before the output";
    ASSERT_EQ(to[other_shift + batch.size()], T(-7)) << "written past the output";
    const std::span<T> shifted = std::span<T>(from).subspan(shift, batch.size());
    defense.apply_rows(shifted, classes, shifted, policy);
    ASSERT_TRUE(have_same_bits(shifted.data(), expected.data(), batch.size())) << "in place, shifted by " << shift;
  }

  std::vector<std::vector<T>> outputs(8, std::vector<T>(batch.size()));
  std::vector<std::thread> threads;
  for (auto& own : outputs) threads.emplace_back([&] { defense.apply_rows(batch, classes, own, policy); });
  for (auto& thread : threads) thread.join();
  for (const auto& own : outputs) {
    ASSERT_TRUE(have_same_bits(own.data(), expected.data(), batch.size())) << "on another thread";
  }
}

TYPED_TEST(Guarantees, RowHasSameBitsAloneInBatchInPlaceAtAnyAlignmentAndOnAnyThread) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 3u, 7u, 16u, 17u, 33u, 129u, 1000u, 4099u, 131072u}) {
    if (!is_exhaustive && classes > 5000) continue;
    const auto batch = concatenate(edge_case_rows<T>(classes));
    for (const auto& defense : row_defenses<T>()) {
      for (const chaff::policy& policy :
           {chaff::policy{}, chaff::policy{.label_margin = 0.1}, chaff::policy{.max_l1 = 0.3},
            chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}, chaff::policy{.keep_label = false},
            chaff::policy{.keep_label = false, .max_l1 = 0.3}}) {
        // a margin or a budget alone, and not both
        const bool is_partial = (policy.label_margin > 0) != (policy.max_l1 < 2);
        // without the label only where a defense needs that
        if (!defense->accepts(policy) || (!policy.keep_label && defense->accepts({}))) continue;
        SCOPED_TRACE(defense->name + ", K " + std::to_string(classes) + ", " + describe(policy));
        expect_same_bits_everywhere(*defense, batch, classes, policy, !is_partial);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TYPED_TEST(Guarantees, RowOfProbabilitiesHasSameBitsAloneInBatchInPlaceAtAnyAlignmentAndOnAnyThread) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 17u, 33u, 129u, 1000u, 4099u}) {
    for (const chaff::form input : {chaff::form::probabilities, chaff::form::log_probabilities}) {
      std::vector<T> batch;
      for (const auto& row : edge_case_rows<T>(classes)) {
        std::vector<T> values(classes);
        chaff::apply(chaff::none{}, row.logits, values, {.keep_label = false, .answer = input});
        if (classes == 1 && values[0] == -std::numeric_limits<T>::infinity()) continue;  // refused as masked
        batch.insert(batch.end(), values.begin(), values.end());
      }
      for (const auto& defense : row_defenses<T>()) {
        for (chaff::policy policy :
             {chaff::policy{}, chaff::policy{.label_margin = 0.1}, chaff::policy{.max_l1 = 0.3},
              chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}, chaff::policy{.keep_label = false}}) {
          policy.input = input;
          const bool is_partial = (policy.label_margin > 0) != (policy.max_l1 < 2);
          const chaff::policy with_label{.input = input};
          if (!defense->accepts(policy) || (!policy.keep_label && defense->accepts(with_label))) continue;
          for (const chaff::form answer : {chaff::form::probabilities, chaff::form::log_probabilities}) {
            policy.answer = answer;
            SCOPED_TRACE(defense->name + ", K " + std::to_string(classes) + ", " + describe(policy) + ", input " +
                         std::to_string(static_cast<int>(input)) + ", answer " +
                         std::to_string(static_cast<int>(answer)));
            expect_same_bits_everywhere(*defense, batch, classes, policy, !is_partial);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TYPED_TEST(Guarantees, RowHasSameBitsAloneAndInBatchWhereTheQueryIsNeeded) {
  using T = TypeParam;
  using batch_type = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    const auto rows = edge_case_rows<T>(classes);
    const auto values = concatenate(rows);
    const batch_type batch = Eigen::Map<const batch_type>(values.data(), static_cast<Eigen::Index>(rows.size()),
                                                          static_cast<Eigen::Index>(classes));
    for_each_query_defense([&](const auto& defense, const char* defense_name) {
      const batch_type output = chaff::defend([](const batch_type& query) { return query; }, defense)(batch);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + rows[i].name);
        std::vector<T> alone(classes);
        answer_row<T>(defense, rows[i].logits, alone);
        ASSERT_TRUE(have_same_bits(output.data() + i * classes, alone.data(), classes));
      }
    });
  }
}

TYPED_TEST(Guarantees, SmallerBudgetNeverMovesAnOutputFurther) {
  using T = TypeParam;
  for (const auto& [name, z] : edge_case_rows<T>(33)) {
    const auto p = reference::softmax(z);
    for (const auto& defense : defenses_for<T>(z.size())) {
      if (!defense->accepts({})) continue;
      for (const double margin : {0.0, 0.2}) {
        SCOPED_TRACE(defense->name + ", " + name);
        // the budget moves an output on the way from here, the posterior with the margin, to the perturbed row
        const auto start = reference::with_margin(p, argmax_by_scan(z), margin);
        double moved_under_smaller_budget = 0;
        for (const double budget : {0.0, 0.1, 0.3, 0.9, 1.5, 2.0}) {
          std::vector<T> y(z.size());
          defense->apply(z, y, {.label_margin = margin, .max_l1 = budget});
          const auto moved = static_cast<double>(reference::l1(y, start));
          ASSERT_GE(moved, moved_under_smaller_budget - 1e-6) << "margin " << margin << ", budget " << budget;
          moved_under_smaller_budget = moved;
        }
      }
    }
  }
}

TYPED_TEST(Guarantees, LogProbabilitiesAreLogarithmsOfProbabilitiesWithTheLabelStrictlyFirst) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      for (const auto& defense : defenses_for<T>(classes)) {
        if (!defense->accepts({})) continue;
        SCOPED_TRACE(defense->name + ", K " + std::to_string(classes) + ", " + name);
        std::vector<T> y(classes), log_y(classes);
        defense->apply(z, y, {});
        defense->apply(z, log_y, {.answer = chaff::form::log_probabilities});
        const std::size_t k = argmax_by_scan(z);
        for (std::size_t i = 0; i < classes; ++i) {
          ASSERT_NEAR(static_cast<double>(std::exp(log_y[i])), static_cast<double>(y[i]), 2e-6);
          if (i != k) {
            ASSERT_LT(log_y[i], log_y[k]);
          }
        }
      }
    }
  }
}

TYPED_TEST(Guarantees, ProbabilitiesAndLogProbabilitiesGetTheOutputOfTheirLogits) {
  using T = TypeParam;
  const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-10;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      std::vector<T> p(classes), log_p(classes), y(classes), from_p(classes), from_log_p(classes);
      chaff::apply(chaff::none{}, z, p, {.keep_label = false});
      chaff::apply(chaff::none{}, z, log_p, {.keep_label = false, .answer = chaff::form::log_probabilities});
      // the lead of the label is lost in T
      if (classes > 1 ? argmax_by_scan(p) != argmax_by_scan(z) : p[0] == T(0.5) && z[0] != 0) continue;
      // no sigmoid logit has these probabilities
      if (classes == 1 && (p[0] == 0 || p[0] == 1)) continue;
      const bool is_label_in_log_p = argmax_by_scan(log_p) == argmax_by_scan(z);
      for (const chaff::dcp& defense : {chaff::dcp{.beta = 1.2}, chaff::dcp{.beta = 0.7, .gamma = 0.1, .nu = 5}}) {
        SCOPED_TRACE("K " + std::to_string(classes) + ", " + name);
        chaff::apply(defense, z, y);
        chaff::apply(defense, p, from_p, {.input = chaff::form::probabilities});
        chaff::apply(defense, log_p, from_log_p, {.input = chaff::form::log_probabilities});
        for (std::size_t i = 0; i < classes; ++i) {
          if (is_label_in_log_p) {
            ASSERT_NEAR(static_cast<double>(from_log_p[i]), static_cast<double>(y[i]), tolerance);
          }
          // a probability of 0 is a masked class, whose mass the output of the logits does not lack
          if (std::find(p.begin(), p.end(), T(0)) == p.end()) {
            ASSERT_NEAR(static_cast<double>(from_p[i]), static_cast<double>(y[i]), tolerance);
          } else if (p[i] == 0) {
            ASSERT_EQ(from_p[i], 0);
          }
        }
        std::vector<T> in_place = p;
        chaff::apply(defense, in_place, in_place, {.input = chaff::form::probabilities});
        ASSERT_EQ(in_place, from_p);
      }
    }
  }
}

}  // namespace
