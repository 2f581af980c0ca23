// SPDX-License-Identifier: MIT
/// What is promised of every answer, checked for every defense, in float and double, over hostile rows.
#include <gtest/gtest.h>

#include <chaff/chaff.hpp>
#include <cstring>
#include <thread>
#include <tuple>

#include "support/hostile_rows.hpp"
#include "support/reference.hpp"

namespace {

template <class T>
using rows_of = std::vector<hostile_row<T>>;

/// Calls use(defense, name) for every defense of the library, at weak, strong and partly open settings.
template <class Use>
void for_each_defense(Use use) {
  using chaff::odds;
  use(chaff::none{}, "none");
  use(chaff::dcp{}, "dcp");
  use(chaff::dcp{.beta = 1.2}, "dcp, open");
  use(chaff::dcp{.beta = 1.5, .gamma = 0.1, .rule = odds::exact}, "dcp, exact odds");
  use(chaff::dcp{.beta = 1000, .gamma = 1000, .tau = 10, .rule = odds::exact}, "dcp, at its limits");
  use(chaff::dcp{.beta = 1, .gamma = 0.2, .nu = 1e-6, .tau = 0.5}, "dcp, half open");
  use(chaff::reverse_sigmoid{.beta = 1.28}, "reverse sigmoid");
  use(chaff::reverse_sigmoid{.beta = 4, .rule = odds::exact}, "reverse sigmoid, exact odds");
  use(chaff::gated{chaff::energy_gate{.tau = 5, .nu = 1}, chaff::reverse_sigmoid{.beta = 1}}, "behind an energy gate");
  use(chaff::gated{chaff::always{}, chaff::reverse_sigmoid{.beta = 0}}, "always, beta 0");
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

std::string describe(const chaff::policy& p) {
  return "keep_label " + std::to_string(p.keep_label) + ", label_margin " + std::to_string(p.label_margin) +
         ", max_l1 " + std::to_string(p.max_l1);
}

template <class T>
struct laws : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(laws, types);

TYPED_TEST(laws, every_answer_is_lawful) {
  using T = TypeParam;
  constexpr T eps = std::numeric_limits<T>::epsilon();
  for (const std::size_t classes : hostile_sizes) {
    if (classes == 1) continue;
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      const auto p = reference::softmax(z);
      const std::size_t k = label_by_scan(z);
      auto runner_up = p;
      runner_up[k] = -1;
      const long double own_lead = p[k] - *std::max_element(runner_up.begin(), runner_up.end());
      for_each_defense([&](const auto& defense, const char* defense_name) {
        for (const chaff::policy& promised : policies<T>()) {
          SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + name + ", " +
                       describe(promised));
          std::vector<T> y(classes, T(-7));
          chaff::apply(defense, z, y, promised);
          long double sum = 0, moved = 0;
          T second = -1;
          std::size_t broken = 0;
          for (std::size_t i = 0; i < classes; ++i) {
            broken += !(y[i] >= 0 && y[i] <= 1 + 8 * eps);
            broken += z[i] == -std::numeric_limits<T>::infinity() && y[i] != 0;
            sum += static_cast<long double>(y[i]);
            moved += std::fabs(static_cast<long double>(y[i]) - p[i]);
            if (i != k) second = std::max(second, y[i]);
          }
          ASSERT_EQ(broken, 0u) << "entries negative, NaN, above 1, or not 0 where the logit is -inf";
          ASSERT_NEAR(static_cast<double>(sum), 1, static_cast<double>(4 * static_cast<T>(classes) * eps));
          if (promised.keep_label) {
            ASSERT_GT(y[k], second) << "the label is not strictly first";
            ASSERT_GE(static_cast<double>(y[k] - second), promised.label_margin - 1e-9);
          }
          // what the margin needs outranks the budget; where the posterior has the margin it needs nothing
          if (static_cast<double>(own_lead) >= promised.label_margin + 1e-6 || promised.label_margin == 0) {
            ASSERT_LE(static_cast<double>(moved), promised.max_l1 + 1e-6);
          }
        }
      });
    }
  }
}

TYPED_TEST(laws, a_sigmoid_stays_on_its_side_of_one_half) {
  using T = TypeParam;
  for (const auto& [name, z] : hostile_rows<T>(1)) {
    for_each_defense([&](const auto& defense, const char* defense_name) {
      for (const chaff::policy& promised : policies<T>()) {
        if (!promised.keep_label) continue;
        SCOPED_TRACE(std::string(defense_name) + ", logit " + std::to_string(z[0]) + ", " + describe(promised));
        std::vector<T> y(1, T(-7));
        chaff::apply(defense, z, y, promised);
        ASSERT_GE(y[0], 0);
        ASSERT_LE(y[0], 1);
        if (z[0] > 0) {
          ASSERT_GT(y[0], T(0.5));
        } else if (z[0] < 0) {
          ASSERT_LT(y[0], T(0.5));
        } else if (promised.label_margin == 0) {
          ASSERT_EQ(y[0], T(0.5));
        }
      }
    });
  }
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
    for_each_defense([&](const auto& defense, const char* defense_name) {
      for (const chaff::policy& promised : {chaff::policy{}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}}) {
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
    });
  }
}

TYPED_TEST(laws, a_smaller_budget_never_moves_an_answer_more) {
  using T = TypeParam;
  for (const auto& [name, z] : hostile_rows<T>(33)) {
    const auto p = reference::softmax(z);
    for_each_defense([&](const auto& defense, const char* defense_name) {
      for (const double margin : {0.0, 0.2}) {
        SCOPED_TRACE(std::string(defense_name) + ", " + name);
        long double before = -1;
        for (const double budget : {0.0, 0.1, 0.3, 0.9, 1.5, 2.0}) {
          std::vector<T> y(z.size());
          chaff::apply(defense, z, y, {.label_margin = margin, .max_l1 = budget});
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
      for_each_defense([&](const auto& defense, const char* defense_name) {
        SCOPED_TRACE(std::string(defense_name) + ", K " + std::to_string(classes) + ", " + name);
        std::vector<T> y(classes), log_y(classes);
        chaff::apply(defense, z, y);
        chaff::apply(defense, z, log_y, {.answer = chaff::form::log_probabilities});
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
