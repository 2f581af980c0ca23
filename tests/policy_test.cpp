// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <chaff/core.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "support/edge_case_rows.hpp"
#include "support/guarantees.hpp"
#include "support/reference.hpp"
#include "support/shared_defenses.hpp"
#include "support/stride.hpp"

namespace {

using reference::real;

const std::vector<double> z{0.3, 1.2, 1.1, -0.4, 0.9};
constexpr std::size_t label = 1;

std::vector<double> answer(const auto& defense, const chaff::policy& policy) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y, policy);
  return y;
}

double lead_of_label(const std::vector<double>& y) {
  return y[label] - reference::max_other(y, label);
}

template <class T>
std::vector<std::vector<T>> random_rows(std::size_t rows, std::size_t classes, double deviation) {
  std::mt19937 random(20261128);
  std::normal_distribution<double> draw(0, deviation);
  std::vector<std::vector<T>> logits(rows, std::vector<T>(classes));
  for (auto& row : logits) {
    for (T& value : row) value = static_cast<T>(draw(random));
  }
  return logits;
}

// keep_label

/// Answers rows of equal values, in every form in and out, by a closed and an open gate, alone, in a batch and behind a
/// reduction; fails where the first class is not strictly first.
template <class T>
void expect_first_of_equals_first() {
  for (const chaff::form input : {chaff::form::logits, chaff::form::probabilities, chaff::form::log_probabilities}) {
    for (const chaff::form output : {chaff::form::probabilities, chaff::form::log_probabilities}) {
      for (const std::size_t classes : {2u, 5u, 200u}) {
        for (const double tau : {0.0, 10.0}) {  // closed and open
          const double p = 1 / static_cast<double>(classes);
          const double value = input == chaff::form::probabilities ? p : std::log(p);
          const std::vector<T> equals(8 * classes, static_cast<T>(value));
          std::vector<T> rows(equals.size()), alone(classes), reduced(classes);
          const chaff::dcp defense{.beta = 1, .tau = tau};
          const chaff::policy policy{.input = input, .answer = output};
          chaff::apply_rows(defense, equals, classes, rows, policy);
          const std::span<const T> first_row = std::span(equals).first(classes);
          chaff::apply(defense, first_row, alone, policy);
          chaff::apply(defense | chaff::top_k{classes}, first_row, reduced, policy);
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
TEST(KeepLabel, FirstOfEqualLogitsIsStrictlyFirst) {
  expect_first_of_equals_first<float>();
  expect_first_of_equals_first<double>();
}

TEST(KeepLabel, SingleSigmoidStaysOnItsSideOfOneHalf) {
  const auto sigmoid = [](float logit) {
    std::vector<float> y(1);
    chaff::apply(chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}, std::vector<float>{logit}, y);
    return y[0];
  };
  EXPECT_EQ(sigmoid(0), 0.5f);
  for (const float size : {1e-30f, 1e-3f, 2.0f, 50.0f}) {
    EXPECT_GT(sigmoid(size), 0.5f) << size;
    EXPECT_LT(sigmoid(-size), 0.5f) << size;
  }
}

/// The nearest number with so many binary digits, ties to even, and no exponent below the smallest: a conversion to
/// float16 (11, -13) or bfloat16 (8, -125) and back.
double round_to_digits(double value, int digits, int min_exponent) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent, min_exponent) - digits);
  return std::nearbyint(value / unit) * unit;
}

#if defined(__FLT16_MANT_DIG__)
__extension__ typedef _Float16 float16;
double through_float16(double value) {
  return static_cast<double>(static_cast<float16>(value));
}
#else
double through_float16(double value) {
  return round_to_digits(value, 11, -13);
}
#endif

double through_bfloat16(double value) {
  return round_to_digits(value, 8, -125);
}

double through_three_digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return std::strtod(text.data(), nullptr);
}

/// Whether class k is strictly first after each entry was converted.
template <class T>
bool is_first_after(double (*convert)(double), const std::vector<T>& y, std::size_t k) {
  const double of_label = convert(static_cast<double>(y[k]));
  bool is_first = true;
  for (std::size_t i = 0; i < y.size(); ++i) {
    is_first &= i == k || convert(static_cast<double>(y[i])) < of_label;
  }
  return is_first;
}

/// Answers rows of 10, 100 and 1000 classes with every defense; fails where a row whose gate is open loses its label in
/// float16, in bfloat16 or in three significant decimal digits.
template <class T>
void expect_label_survives_conversions() {
  std::size_t perturbed = 0;
  for (const std::size_t classes : {10u, 100u, 1000u}) {
    std::vector<std::vector<T>> rows = random_rows<T>(100, classes, 1);
    for (const auto& row : random_rows<T>(20, classes, 0.01)) rows.push_back(row);
    for (const auto& row : random_rows<T>(20, classes, 4)) rows.push_back(row);
    for (const auto& row : edge_case_rows<T>(classes)) rows.push_back(row.logits);
    for (const std::vector<T>& row : rows) {
      const std::size_t k = argmax_by_scan(row);
      const auto p = reference::softmax(row);
      tested_defenses<T> defenses = every_defense<T>().keep_label;
      if (classes == 10) defenses = defenses + every_defense<T>().need_query;
      for (const auto& defense : defenses) {
        const auto eps = static_cast<real>(std::numeric_limits<T>::epsilon());
        if (defense->alpha(row, p) <= 4 * eps) continue;
        std::vector<T> y(classes);
        defense->apply(row, y, {});
        ++perturbed;
        EXPECT_TRUE(is_first_after(through_float16, y, k)) << "float16, " << defense->name << ", K " << classes;
        EXPECT_TRUE(is_first_after(through_bfloat16, y, k)) << "bfloat16, " << defense->name << ", K " << classes;
        EXPECT_TRUE(is_first_after(through_three_digits, y, k)) << "%.3g, " << defense->name << ", K " << classes;
      }
    }
  }
  EXPECT_GT(perturbed, 3000u);
}
TEST(KeepLabel, LabelOfPerturbedRowSurvivesFloat16Bfloat16AndThreeDigits) {
  expect_label_survives_conversions<float>();
  expect_label_survives_conversions<double>();
}

TEST(KeepLabel, Float16OfTheCompilerRoundsAsThisTestDoes) {
  for (const auto& row : random_rows<double>(20, 50, 3)) {
    for (const real p : reference::softmax(row)) {
      EXPECT_EQ(through_float16(static_cast<double>(p)), round_to_digits(static_cast<double>(p), 11, -13));
    }
  }
}

// label_margin and max_l1

/// The weights of a perturbed row under the label cap: every other one at most 63/64 of the label's, divided by their
/// sum.
std::vector<real> with_label_cap(std::vector<real> y, std::size_t k) {
  real sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] = i == k ? y[k] : std::min(y[i], y[k] * 63 / 64);
  for (real& value : y) value /= sum;
  return y;
}

/// y mixed with the label's vertex so that the label leads by the margin:
/// y <- (1 - t) y + t e_k, t = (margin - lead) / (1 - lead), where lead < margin.
std::vector<real> with_margin(std::vector<real> y, std::size_t k, double margin) {
  real second = 0;
  for (std::size_t i = 0; i < y.size(); ++i) second = i == k ? second : std::max(second, y[i]);
  const real lead = y[k] - second;
  if (lead >= static_cast<real>(margin)) return y;
  const real t = (static_cast<real>(margin) - lead) / (1 - lead);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = (1 - t) * y[i] + (i == k ? t : 0);
  return y;
}

/// DCP's output under a margin and a budget: q + s (y - q), q the posterior p with the margin, y the perturbed row with
/// the margin, s = min(1, (max_l1 - |q - p|_1) / |y - q|_1).
template <class T>
std::vector<real> expected_output(const std::vector<T>& logits, const chaff::dcp& defense,
                                  const chaff::policy& policy) {
  const std::size_t k = argmax_by_scan(logits);
  const auto p = reference::softmax(logits);
  const auto q = with_margin(p, k, policy.label_margin);
  const auto y = with_margin(with_label_cap(reference::dcp(logits, defense), k), k, policy.label_margin);
  const real offered = reference::l1(y, q);
  const real allowed = std::max(0.0L, static_cast<real>(policy.max_l1) - reference::l1(q, p));
  const real s = offered > allowed ? allowed / offered : 1;
  std::vector<real> output(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) output[i] = q[i] + s * (y[i] - q[i]);
  return output;
}

template <class T>
void expect_closed_form(double tolerance) {
  for (const std::size_t classes : {2u, 5u, 17u, 33u, 129u, 1000u, 4099u}) {
    for (const double deviation : {0.3, 1.0, 3.0}) {
      for (const auto& row : random_rows<T>(is_exhaustive ? 4 : 1, classes, deviation)) {
        for (const chaff::dcp& defense :
             {chaff::dcp{.beta = 1.2}, chaff::dcp{.beta = 1.5, .gamma = 0.1, .nu = 3, .tau = 0.6},
              chaff::dcp{.beta = 0.5, .tau = 2, .rule = chaff::odds::exact}}) {
          for (const double margin : {0.0, 0.011, 0.1, 0.5, 0.99, 1.0}) {
            for (const double budget : {0.0, 0.05, 0.3, 1.0, 2.0}) {
              const chaff::policy policy{.label_margin = margin, .max_l1 = budget};
              std::vector<T> y(classes);
              chaff::apply(defense, row, y, policy);
              const auto expected = expected_output(row, defense, policy);
              for (std::size_t i = 0; i < classes; ++i) {
                ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(expected[i]), tolerance)
                    << "K " << classes << ", class " << i << ", beta " << defense.beta << ", " << describe(policy);
              }
            }
          }
        }
      }
    }
  }
}
TEST(LabelMarginAndMaxL1, OutputIsTheClosedForm) {
  expect_closed_form<float>(4e-6);
  expect_closed_form<double>(1e-12);
}

TEST(LabelMargin, MixesThePosteriorWithTheVertexOfTheLabel) {
  const auto p = reference::softmax(z);
  for (const double margin : {0.1, 0.3, 0.6, 0.99, 1.0}) {
    const auto y = answer(chaff::none{}, {.label_margin = margin});
    EXPECT_NEAR(lead_of_label(y), margin, 1e-12);
    const auto expected = with_margin(p, label, margin);
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], static_cast<double>(expected[i]), 1e-14);
  }
}

TEST(LabelMargin, IsNeverMissedByARoundingError) {
  for (const auto& logits : random_rows<float>(400, 10, 1)) {
    const std::size_t k = argmax_by_scan(logits);
    std::vector<float> y(10);
    for (const double margin : {0.02, 0.1, 0.3, 0.5, 0.9}) {
      chaff::apply(chaff::dcp{.beta = 1.5}, logits, y, {.label_margin = margin});
      ASSERT_GE(static_cast<double>(y[k]) - static_cast<double>(reference::max_other(y, k)), margin);
    }
  }
}

TEST(LabelMargin, PerturbedRowHasExactlyTheMargin) {
  for (const double margin : {0.02, 0.2, 0.7, 1.0}) {
    EXPECT_NEAR(lead_of_label(answer(chaff::dcp{.beta = 1.5}, {.label_margin = margin})), margin, 1e-12);
  }
}

TEST(LabelMargin, LogProbabilitiesHaveItToo) {
  const auto expect_margin = [](const auto& defense) {
    const auto p = answer(defense, {.label_margin = 0.6});
    const auto log_p = answer(defense, {.label_margin = 0.6, .answer = chaff::form::log_probabilities});
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(std::exp(log_p[i]), p[i], 1e-14);
  };
  expect_margin(chaff::none{});
  expect_margin(chaff::dcp{.beta = 1.5});
}

TEST(LabelMargin, RowThatHasTheMarginIsUnchanged) {
  EXPECT_EQ(answer(chaff::none{}, {.label_margin = 0.01}), answer(chaff::none{}, {}));
}

template <class T>
void expect_label_survives_two_decimals() {
  for (const std::size_t classes : {2u, 3u, 10u, 100u, 1000u}) {
    std::vector<std::vector<T>> rows = random_rows<T>(50, classes, 1);
    for (const auto& row : edge_case_rows<T>(classes)) rows.push_back(row.logits);
    for (const std::vector<T>& row : rows) {
      for (const auto& defense : every_defense<T>().keep_label) {
        std::vector<T> y(classes);
        defense->apply(row, y, {.label_margin = 0.011});
        EXPECT_TRUE(
            is_first_after([](double value) { return std::nearbyint(value * 100) / 100; }, y, argmax_by_scan(row)))
            << defense->name << ", K " << classes;
      }
    }
  }
}
TEST(LabelMargin, SurvivesRoundingToTwoDecimals) {
  expect_label_survives_two_decimals<float>();
  expect_label_survives_two_decimals<double>();
}

TEST(MaxL1, ScalesTheStepToExactlyTheBudget) {
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
  const auto within_budget = answer(chaff::dcp{.beta = 1.5}, {.max_l1 = 1.9});
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(within_budget[i], full[i], 1e-15);
}

TEST(MaxL1, BudgetAboveOneIsMetExactly) {
  const std::vector<double> confident{9, 0, 0};
  std::vector<double> p(3), y(3);
  chaff::apply(chaff::none{}, confident, p);
  for (const double budget : {1.2, 1.9}) {
    const chaff::misdirect defense{.key = chaff::key("000102030405060708090a0b0c0d0e0f")};
    chaff::apply(defense, confident, y, {.keep_label = false, .max_l1 = budget});
    EXPECT_NEAR(chaff::l1_distance(y, p), budget, 1e-12);
  }
}

TEST(MaxL1, MarginTakesPrecedenceAndNothingElseDoes) {
  const auto p = reference::softmax(z);
  const auto y = answer(chaff::dcp{.beta = 1.5}, {.label_margin = 0.4, .max_l1 = 0.01});
  const auto posterior_with_margin = answer(chaff::none{}, {.label_margin = 0.4});
  for (std::size_t i = 0; i < z.size(); ++i) EXPECT_NEAR(y[i], posterior_with_margin[i], 1e-12);
  EXPECT_GT(reference::l1(y, p), 0.01L);
}

// forms

TEST(LogProbabilities, OfMaskedClassesAreMinusInfinityAndOfOthersFinite) {
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

TEST(LogProbabilities, OfClosedRowArePreciseBelowTheSmallestProbability) {
  std::vector<float> far{0, -200, -1000}, y(3);
  chaff::apply(chaff::none{}, far, y, {.answer = chaff::form::log_probabilities});
  EXPECT_EQ(y, (std::vector<float>{0, -200, -1000}));
}

TEST(Form, SigmoidAnsweredAsLogitIsItsLogOdds) {
  const std::vector<double> logit{1.25};
  std::vector<double> y(1);
  chaff::apply(chaff::none{}, logit, y, {.answer = chaff::form::logits});
  EXPECT_NEAR(y[0], 1.25, 1e-14);
  const std::vector<double> log_p{std::log(0.8)};
  chaff::apply(chaff::none{}, log_p, y, {.input = chaff::form::log_probabilities});
  EXPECT_NEAR(y[0], 0.8, 1e-14);
  const std::vector<double> p{0.3};
  chaff::apply(chaff::none{}, p, y, {.input = chaff::form::probabilities});
  EXPECT_NEAR(y[0], 0.3, 1e-14);
}

TEST(Form, LogitOfAnUndecidedSigmoidIsZeroAndALabelDecides) {
  std::vector<double> y(1);
  chaff::apply(chaff::none{}, std::vector<double>{0}, y, {.answer = chaff::form::logits});
  EXPECT_EQ(y[0], 0);
  chaff::apply(chaff::none{}, std::vector<double>{0}, y);
  EXPECT_EQ(y[0], 0.5);
  chaff::apply(chaff::none{} | chaff::label_only{}, std::vector<double>{0}, y);
  EXPECT_EQ(y[0], 1);
}

TEST(Form, SigmoidIsPreciseForEveryLogProbability) {
  for (const double log_p : {-1e-300, -1e-15, -1e-8, -0.001, -0.2, -0.25, -0.3, -0.7, -5.0, -40.0, -700.0}) {
    std::vector<double> y(1);
    const chaff::policy policy{.input = chaff::form::log_probabilities, .answer = chaff::form::logits};
    chaff::apply(chaff::none{}, std::vector<double>{log_p}, y, policy);
    const real expected = log_p - std::log(-std::expm1(static_cast<real>(log_p)));
    EXPECT_NEAR(y[0], static_cast<double>(expected), 4e-14 * std::abs(static_cast<double>(expected))) << log_p;
  }
}

/// From some thousands of classes on, close probabilities have one logarithm.
template <class T>
void expect_label_first_among_logarithms() {
  for (const std::size_t classes : {10u, 4099u, 30000u}) {
    const std::vector<T> equal(classes, 1 / static_cast<T>(classes));
    std::vector<T> y(classes);
    chaff::apply(chaff::none{}, equal, y,
                 {.input = chaff::form::probabilities, .answer = chaff::form::log_probabilities});
    EXPECT_GT(y[0], *std::max_element(y.begin() + 1, y.end())) << classes;
  }
}

TEST(LogProbabilities, LabelIsStrictlyFirstWhereCloseProbabilitiesHaveOneLogarithm) {
  expect_label_first_among_logarithms<float>();
  expect_label_first_among_logarithms<double>();
}

TEST(LogProbabilities, OfClosedRowOfProbabilitiesAreTheirLogarithms) {
  const std::vector<double> p{0.0625, 0.5, 0.4375, 0}, expected{std::log(0.0625), std::log(0.5), std::log(0.4375), 0};
  std::vector<double> y(4);
  const chaff::policy policy{.input = chaff::form::probabilities, .answer = chaff::form::log_probabilities};
  for (const bool reduced : {false, true}) {
    if (reduced) {
      chaff::apply(chaff::none{} | chaff::top_k{.k = 4}, p, y, policy);
    } else {
      chaff::apply(chaff::none{}, p, y, policy);
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[i], expected[i], 1e-15);
    EXPECT_EQ(y[3], -std::numeric_limits<double>::infinity());
  }
}

TEST(LabelMarginAndMaxL1, ProbabilitiesGetTheOutputOfTheirLogits) {
  for (const auto& logits : random_rows<double>(50, 7, 2)) {
    std::vector<double> p(7), expected(7), y(7);
    chaff::apply(chaff::none{}, logits, p);
    for (const double margin : {0.05, 0.4}) {
      chaff::policy policy{.label_margin = margin, .max_l1 = 0.3};
      chaff::apply(chaff::dcp{.beta = 1.2}, logits, expected, policy);
      policy.input = chaff::form::probabilities;
      chaff::apply(chaff::dcp{.beta = 1.2}, p, y, policy);
      for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(y[i], expected[i], 1e-12);
    }
  }
}

TEST(Form, LogitsOfASigmoidStayFiniteFarFromZero) {
  for (const float logit : {20.0f, 80.0f, -20.0f, -80.0f}) {
    std::vector<float> y(1);
    chaff::apply(chaff::none{}, std::vector<float>{logit}, y, {.answer = chaff::form::logits});
    EXPECT_NEAR(y[0], logit, 1e-5f * std::abs(logit));
  }
}

TEST(Form, LogitOfASigmoidNearZeroIsTheLogOddsOfItsProbability) {
  for (const float logit : {1e-30f, 1e-9f, 3e-8f, -3e-8f, -1e-9f, -1e-30f}) {
    std::vector<float> p(1), answered(1);
    chaff::apply(chaff::none{}, std::vector<float>{logit}, p);
    chaff::apply(chaff::none{}, std::vector<float>{logit}, answered, {.answer = chaff::form::logits});
    const double q = static_cast<double>(p[0]), odds = std::log(q / (1 - q));
    EXPECT_NEAR(answered[0], odds, 1e-6 * std::abs(odds)) << logit;
  }
}

TEST(MaxL1, LeavesRowThatNothingMovesWhereTheMarginTakesTheBudget) {
  for (const bool constant_time : {false, true}) {
    std::vector<double> logits(210), y(210);
    for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<double>(i % 7) / 10;
    const chaff::policy policy{.label_margin = 1, .max_l1 = 0.1, .constant_time_gate = constant_time};
    chaff::apply(chaff::reverse_sigmoid{.beta = 0, .gamma = 0}, logits, y, policy);
    double sum = 0;
    for (const double each : y) sum += each;
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

}  // namespace
