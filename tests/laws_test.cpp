// SPDX-License-Identifier: MIT
/// What is promised of every answer, checked for every defense, in float and double, over hostile rows.
#include <gtest/gtest.h>

#include <chaff/chaff.hpp>
#include <cstring>
#include <thread>
#include <tuple>

#include "support/every_defense.hpp"
#include "support/lawful.hpp"
#include "support/stride.hpp"

namespace {

template <class T>
using rows_of = std::vector<hostile_row<T>>;

/// Calls use(defense, name) for every defense of the library; above 1000 classes not for those that need the query,
/// which are for that many no slower, but many.
template <class Use>
void for_each_defense(std::size_t classes, Use use) {
  for_each_defense_of_logits(use);
  for_each_defense_of_labels(use);
  if (classes <= 1000) for_each_defense_of_queries(use);
}

template <class T>
std::vector<chaff::policy> policies() {
  return {{},
          {.keep_label = false},
          {.label_margin = 0.02},
          {.label_margin = 0.5},
          {.label_margin = 1},
          {.max_l1 = 0},
          {.max_l1 = 0.3},
          {.keep_label = false, .max_l1 = 0.3},
          {.label_margin = 0.1, .max_l1 = 0.3}};
}

template <class T>
struct laws : testing::Test {};
using types = testing::Types<CHAFF_LAW_TYPE>;
TYPED_TEST_SUITE(laws, types);

TYPED_TEST(laws, every_answer_is_lawful) {
  using T = TypeParam;
  unsigned count = 0;
  for (const std::size_t classes : hostile_sizes) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      if (count++ % law_stride != 0) continue;
      const auto p = reference::softmax(z);
      for_each_defense(classes, [&](const auto& defense, const char* defense_name) {
        for (const chaff::policy& promised : policies<T>()) {
          if (!serves(defense, promised)) continue;
          SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + name + ", " +
                       describe(promised));
          answer_lawfully(defense, z, p, promised, false);
          if (testing::Test::HasFatalFailure()) return;
        }
      });
    }
  }
}

TYPED_TEST(laws, what_changes_labels_on_purpose_refuses_to_keep_them) {
  for_each_defense_of_labels([](const auto& defense, const char*) {
    EXPECT_FALSE(serves(defense, {}));
    EXPECT_TRUE(serves(defense, {.keep_label = false}));
  });
}

template <class T>
bool same_bits(const T* a, const T* b, std::size_t n) {
  return std::memcmp(a, b, n * sizeof(T)) == 0;
}

TYPED_TEST(laws, a_row_has_the_same_bits_alone_in_a_batch_in_place_at_any_alignment_and_on_any_thread) {
  using T = TypeParam;
  for (const std::size_t classes : hostile_sizes) {
    const auto rows = hostile_rows<T>(classes);
    std::vector<T> batch;
    for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
    const auto check = [&](const auto& defense, const char* defense_name) {
      for (const chaff::policy& promised :
           {chaff::policy{}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}, chaff::policy{.keep_label = false}}) {
        // one policy is enough for those that can serve another
        if (!serves(defense, promised) || (!promised.keep_label && serves(defense, {}))) continue;
        SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + describe(promised));
        std::vector<T> expected(batch.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          chaff::apply(defense, rows[i].logits, std::span<T>(expected).subspan(i * classes, classes), promised);
        }
        std::vector<T> together(batch.size());
        chaff::apply_rows(defense, batch, classes, together, promised);
        ASSERT_TRUE(same_bits(together.data(), expected.data(), batch.size())) << "in a batch";

        std::vector<T> in_place = batch;
        chaff::apply_rows(defense, in_place, classes, in_place, promised);
        ASSERT_TRUE(same_bits(in_place.data(), expected.data(), batch.size())) << "in place";

        if (classes > 5000) return;
        for (std::size_t shift = 1; shift < 64 / sizeof(T); ++shift) {
          std::vector<T> from(batch.size() + 64), to(batch.size() + 64, T(-7));
          std::copy(batch.begin(), batch.end(), from.begin() + static_cast<std::ptrdiff_t>(shift));
          const std::size_t other = 64 / sizeof(T) - shift;
          chaff::apply_rows(defense, std::span<const T>(from).subspan(shift, batch.size()), classes,
                            std::span<T>(to).subspan(other, batch.size()), promised);
          ASSERT_TRUE(same_bits(to.data() + other, expected.data(), batch.size())) << "shifted by " << shift;
          ASSERT_EQ(to[other - 1], T(-7)) << "written before the answer";
          ASSERT_EQ(to[other + batch.size()], T(-7)) << "written past the answer";
        }

        std::vector<std::vector<T>> of_thread(8, std::vector<T>(batch.size()));
        std::vector<std::thread> threads;
        for (auto& mine : of_thread) {
          threads.emplace_back([&] { chaff::apply_rows(defense, batch, classes, mine, promised); });
        }
        for (auto& thread : threads) thread.join();
        for (const auto& mine : of_thread) ASSERT_TRUE(same_bits(mine.data(), expected.data(), batch.size()));
      }
    };
    for_each_defense_of_logits(check);
    for_each_defense_of_labels(check);
  }
}

TYPED_TEST(laws, a_row_has_the_same_bits_alone_and_in_a_batch_where_the_query_is_needed) {
  using T = TypeParam;
  using rows_of_batch = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    const auto rows = hostile_rows<T>(classes);
    rows_of_batch batch(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(classes));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy(rows[i].logits.begin(), rows[i].logits.end(), batch.data() + i * classes);
    }
    for_each_defense_of_queries([&](const auto& defense, const char* defense_name) {
      const rows_of_batch together = chaff::defend([](const rows_of_batch& x) { return x; }, defense)(batch);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + rows[i].name);
        std::vector<T> alone(classes);
        defended_answer<T>(defense, rows[i].logits, alone);
        ASSERT_TRUE(same_bits(together.data() + i * classes, alone.data(), classes));
      }
    });
  }
}

TYPED_TEST(laws, a_smaller_budget_never_moves_an_answer_more) {
  using T = TypeParam;
  for (const auto& [name, z] : hostile_rows<T>(33)) {
    const auto p = reference::softmax(z);
    for_each_defense(z.size(), [&](const auto& defense, const char* defense_name) {
      if (!serves(defense, {})) return;
      for (const double margin : {0.0, 0.2}) {
        SCOPED_TRACE(std::string(defense_name) + ", " + name);
        long double before = -1;
        for (const double budget : {0.0, 0.1, 0.3, 0.9, 1.5, 2.0}) {
          std::vector<T> y(z.size());
          defended_answer<T>(defense, z, y, {.label_margin = margin, .max_l1 = budget});
          const long double moved = reference::l1(y, p);
          ASSERT_GE(static_cast<double>(moved), static_cast<double>(before) - 1e-5);
          before = moved;
        }
      }
    });
  }
}

TYPED_TEST(laws, a_log_answer_is_the_logarithm_of_the_answer_with_the_label_strictly_first) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      for_each_defense(classes, [&](const auto& defense, const char* defense_name) {
        if (!serves(defense, {})) return;
        SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + name);
        std::vector<T> y(classes), log_y(classes);
        defended_answer<T>(defense, z, y);
        defended_answer<T>(defense, z, log_y, {.answer = chaff::form::log_probabilities});
        const std::size_t k = label_by_scan(z);
        for (std::size_t i = 0; i < classes; ++i) {
          ASSERT_NEAR(static_cast<double>(std::exp(log_y[i])), static_cast<double>(y[i]), 2e-6);
          if (i != k) {
            ASSERT_LT(log_y[i], log_y[k]);
          }
        }
      });
    }
  }
}

TYPED_TEST(laws, probabilities_and_log_probabilities_in_give_the_answer_to_their_logits) {
  using T = TypeParam;
  const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-10;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      std::vector<T> p(classes), log_p(classes), y(classes), from_p(classes), from_log_p(classes);
      chaff::apply(chaff::none{}, z, p, {.keep_label = false});
      chaff::apply(chaff::none{}, z, log_p, {.keep_label = false, .answer = chaff::form::log_probabilities});
      if (label_by_scan(p) != label_by_scan(z)) continue;      // a lead that a posterior cannot hold
      if (classes == 1 && (p[0] == 0 || p[0] == 1)) continue;  // and a certainty that no sigmoid logit has
      for (const chaff::dcp& defense : {chaff::dcp{.beta = 1.2}, chaff::dcp{.beta = 0.7, .gamma = 0.1, .nu = 5}}) {
        SCOPED_TRACE("K " + std::to_string(classes) + ", " + name);
        chaff::apply(defense, z, y);
        chaff::apply(defense, p, from_p, {.input = chaff::form::probabilities});
        chaff::apply(defense, log_p, from_log_p, {.input = chaff::form::log_probabilities});
        for (std::size_t i = 0; i < classes; ++i) {
          ASSERT_NEAR(static_cast<double>(from_log_p[i]), static_cast<double>(y[i]), tolerance);
          // a probability of 0 is a class that cannot occur, and keeps 0; where all others had some mass they differ
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
