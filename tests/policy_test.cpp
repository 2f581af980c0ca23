// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>
#include <random>

#include "support/reference.hpp"

namespace {

const std::vector<double> z{0.3, 1.2, 1.1, -0.4, 0.9};
constexpr std::size_t label = 1;

std::vector<double> answer(const auto& defense, const chaff::policy& promised) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y, promised);
  return y;
}

double lead(const std::vector<double>& y) {
  double second = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (i != label) second = std::max(second, y[i]);
  }
  return y[label] - second;
}

/// Rows of equal values, whose label is the first by its place alone.
template <class T>
void keep_the_first_of_equals() {
  for (const chaff::form input : {chaff::form::logits, chaff::form::probabilities, chaff::form::log_probabilities}) {
    for (const chaff::form output : {chaff::form::probabilities, chaff::form::log_probabilities}) {
      for (const std::size_t classes : {2u, 5u, 200u}) {
        for (const double tau : {0.0, 0.9}) {  // closed and open
          const double p = 1 / static_cast<double>(classes);
          const double value = input == chaff::form::probabilities ? p : std::log(p);
          const std::vector<T> equals(8 * classes, static_cast<T>(value));
          std::vector<T> rows(equals.size()), alone(classes), reduced(classes);
          const chaff::dcp defense{.beta = 1, .tau = tau};
          const chaff::policy promised{.input = input, .answer = output};
          chaff::apply_rows(defense, equals, classes, rows, promised);
          const std::span<const T> first_row = std::span(equals).first(classes);
          chaff::apply(defense, first_row, alone, promised);
          chaff::apply(defense | chaff::top_k{classes}, first_row, reduced, promised);
          for (const auto& y :
               {std::vector<T>(rows.end() - static_cast<std::ptrdiff_t>(classes), rows.end()), alone, reduced}) {
            for (std::size_t i = 1; i < classes; ++i) {
              ASSERT_LT(y[i], y[0]) << "K " << classes << ", tau " << tau << ", class " << i;
            }
          }
        }
      }
    }
  }
}
TEST(keep_label, makes_the_first_of_equals_strictly_first) {
  keep_the_first_of_equals<float>();
  keep_the_first_of_equals<double>();
}

TEST(log_probabilities, of_a_class_that_cannot_occur_are_minus_infinity_and_of_any_other_finite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> row{3e38f, -3e38f, -infinity, 0};
  std::vector<float> y(4);
  for (const double tau : {0.0, 10.0}) {  // closed and open
    chaff::apply(chaff::dcp{.tau = tau}, row, y, {.answer = chaff::form::log_probabilities});
    EXPECT_EQ(y[2], -infinity);
    EXPECT_LT(y[1], y[0]);
    if (tau == 0) {
      EXPECT_GT(y[1], -infinity);
    }
  }
}

TEST(keep_label, of_a_single_sigmoid_is_its_side_of_one_half) {
  const auto alone = [](float logit) {
    std::vector<float> y(1);
    chaff::apply(chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}, std::vector<float>{logit}, y);
    return y[0];
  };
  EXPECT_EQ(alone(0), 0.5f);
  for (const float size : {1e-30f, 1e-3f, 2.0f, 50.0f}) {
    EXPECT_GT(alone(size), 0.5f) << size;
    EXPECT_LT(alone(-size), 0.5f) << size;
  }
}

TEST(label_margin, is_met_with_the_least_movement) {
  const auto p = reference::softmax(z);
  for (const double margin : {0.1, 0.3, 0.6, 0.99}) {
    const auto y = answer(chaff::none{}, {.label_margin = margin});
    EXPECT_NEAR(lead(y), margin, 1e-12);
    // brute force over the level: whatever is cut from the others goes to the label
    long double best = 2;
    for (int step = 0; step <= 1'000'000; ++step) {
      const long double level = step / 1e6L;
      long double cut = 0;
      for (std::size_t i = 0; i < p.size(); ++i) cut += i == label ? 0 : std::max(0.0L, p[i] - level);
      if (p[label] + cut - level >= static_cast<long double>(margin)) best = std::min(best, 2 * cut);
    }
    EXPECT_NEAR(static_cast<double>(reference::l1(y, p)), static_cast<double>(best), 1e-5);
  }
}

TEST(label_margin, is_never_less_by_a_rounding) {
  std::mt19937 random(7);
  std::normal_distribution<float> draw(0, 1);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<float> logits(10), y(10);
    for (float& value : logits) value = draw(random);
    const auto k = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    for (const double margin : {0.02, 0.1, 0.3, 0.5, 0.9}) {
      chaff::apply(chaff::dcp{.beta = 1.5}, logits, y, {.label_margin = margin});
      for (std::size_t i = 0; i < y.size(); ++i) {
        if (i != k) {
          ASSERT_GE(static_cast<double>(y[k]) - static_cast<double>(y[i]), margin);
        }
      }
    }
  }
}

TEST(label_margin, of_a_perturbed_answer) {
  for (const double margin : {0.02, 0.2, 0.7, 1.0}) {
    EXPECT_NEAR(lead(answer(chaff::dcp{.beta = 1.5}, {.label_margin = margin})), margin, 1e-12);
  }
}

TEST(label_margin, leaves_an_answer_alone_that_has_it) {
  EXPECT_EQ(answer(chaff::none{}, {.label_margin = 0.01}), answer(chaff::none{}, {.label_margin = 0.02}));
}

TEST(max_l1, scales_the_step_to_exactly_the_budget) {
  const auto p = reference::softmax(z);
  const auto full = answer(chaff::dcp{.beta = 1.5}, {});
  const double whole = static_cast<double>(reference::l1(full, p));
  for (const double budget : {0.01, 0.1, 0.3}) {
    const auto y = answer(chaff::dcp{.beta = 1.5}, {.max_l1 = budget});
    EXPECT_NEAR(static_cast<double>(reference::l1(y, p)), budget, 1e-12);
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y[i], static_cast<double>(p[i]) + budget / whole * (full[i] - static_cast<double>(p[i])), 1e-12);
    }
  }
  const auto unbound = answer(chaff::dcp{.beta = 1.5}, {.max_l1 = 1.9});
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(unbound[i], full[i], 1e-15);
}

TEST(max_l1, above_1_holds_too) {
  const std::vector<double> sure{9, 0, 0};
  std::vector<double> p(3), y(3);
  chaff::apply(chaff::none{}, sure, p);
  for (const double budget : {1.2, 1.9}) {
    const chaff::misdirect defense{.key = chaff::key("000102030405060708090a0b0c0d0e0f")};
    chaff::apply(defense, sure, y, {.keep_label = false, .max_l1 = budget});
    EXPECT_NEAR(chaff::l1_distance(y, p), budget, 1e-12);
  }
}

TEST(max_l1, gives_way_to_the_margin_and_to_no_more) {
  const auto p = reference::softmax(z);
  const auto y = answer(chaff::dcp{.beta = 1.5}, {.label_margin = 0.4, .max_l1 = 0.01});
  const auto nearest = answer(chaff::none{}, {.label_margin = 0.4});
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(y[i], nearest[i], 1e-12);
  EXPECT_GT(reference::l1(y, p), 0.01L);
}

TEST(form, of_a_closed_answer_in_logarithms_is_precise_below_the_smallest_probability) {
  std::vector<float> far{0, -200, -1000}, y(3);
  chaff::apply(chaff::none{}, far, y, {.answer = chaff::form::log_probabilities});
  EXPECT_EQ(y, (std::vector<float>{0, -200, -1000}));
}

TEST(form, of_a_sigmoid_as_logits_is_the_log_odds) {
  const std::vector<double> one{1.25};
  std::vector<double> y(1);
  chaff::apply(chaff::none{}, one, y, {.answer = chaff::form::logits});
  EXPECT_NEAR(y[0], 1.25, 1e-14);
  const std::vector<double> log_p{std::log(0.8)};
  chaff::apply(chaff::none{}, log_p, y, {.input = chaff::form::log_probabilities});
  EXPECT_NEAR(y[0], 0.8, 1e-14);
  const std::vector<double> p{0.3};
  chaff::apply(chaff::none{}, p, y, {.input = chaff::form::probabilities});
  EXPECT_NEAR(y[0], 0.3, 1e-14);
}

}  // namespace
