// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/form.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/posterior/row.hpp>
#include <chaff/posterior/softmax.hpp>
#include <random>

#include "support/edge_case_rows.hpp"
#include "support/reference.hpp"

namespace {

using chaff::detail::fault;
using real = long double;

template <class T>
void expect_agreement_with_long_double() {
  using limits = std::numeric_limits<T>;
  for (const std::size_t classes : edge_case_sizes) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      const auto exact = reference::softmax(z);
      std::vector<T> p(classes);
      chaff::softmax<T>(std::span<const T>(z), std::span<T>(p));
      std::vector<T> in_place = z;
      chaff::softmax<T>(std::span<const T>(in_place), std::span<T>(in_place));
      ASSERT_EQ(p, in_place);
      for (std::size_t i = 0; i < classes; ++i) {
        const double expected = static_cast<double>(exact[i]);
        if (expected < 2 * static_cast<double>(limits::min())) {
          ASSERT_LE(static_cast<double>(p[i]), 4 * static_cast<double>(limits::min()));
        } else {
          ASSERT_NEAR(static_cast<double>(p[i]) / expected, 1, 25 * static_cast<double>(limits::epsilon()))
              << name << ", K " << classes << ", class " << i;
        }
      }
    }
  }
}
TEST(Softmax, AgreesWithLongDouble) {
  expect_agreement_with_long_double<float>();
  expect_agreement_with_long_double<double>();
}

TEST(Softmax, RefusesRowsWithoutAPosteriorAndLeavesTheOutput) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> p(3, 7.0f);
  for (const float bad : {infinity, std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> z{0, bad, 1};
    EXPECT_THROW(chaff::softmax<float>(z, p), std::domain_error);
  }
  const std::vector<float> z(3, -infinity);
  EXPECT_THROW(chaff::softmax<float>(z, p), std::domain_error);
  EXPECT_EQ(p, std::vector<float>(3, 7.0f));
}

template <class T>
void expect_faults_found() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto fault_of = [](const std::vector<T>& z) {
    return chaff::detail::fault_of(chaff::detail::find_argmax(z.data(), z.size()));
  };
  for (std::size_t classes = 1; classes < 200; classes += 7) {
    EXPECT_EQ(fault_of(std::vector<T>(classes, -infinity)), fault::all_masked);
    for (std::size_t at = 0; at < classes; ++at) {
      std::vector<T> z(classes, T(2));
      EXPECT_EQ(fault_of(z), fault::none);
      z[at] = infinity;
      EXPECT_EQ(fault_of(z), fault::infinite);
      z[at] = std::numeric_limits<T>::quiet_NaN();
      EXPECT_EQ(fault_of(z), fault::nan);
      z[at] = -infinity;
      EXPECT_EQ(fault_of(z), classes == 1 ? fault::all_masked : fault::none) << "a masked class is no fault";
      std::vector<T> masked(classes, -infinity);
      masked[at] = std::numeric_limits<T>::lowest();
      EXPECT_EQ(fault_of(masked), fault::none) << "one class is not masked";
    }
  }
}
TEST(Fault, IsFoundAtEveryIndex) {
  expect_faults_found<float>();
  expect_faults_found<double>();
}

/// The facts about a row, as a gate receives them.
template <class T>
chaff::row<T> facts_of(const std::vector<T>& values, chaff::form input = chaff::form::logits) {
  chaff::row<T> facts{};
  std::vector<T> output(values.size());
  const auto recorder = [&](const chaff::row<T>& row) {
    facts = row;
    return 0.0;
  };
  chaff::apply(chaff::gated{recorder, chaff::reverse_sigmoid{}}, values, output, {.input = input});
  return facts;
}

TEST(Row, HasConfidenceLogSumExpOddsAndPosterior) {
  const std::vector<double> z{1, 3, -2, 0.5};
  const auto row = facts_of(z);
  double sum = 0;
  for (const double x : z) sum += std::exp(x);
  const double p = std::exp(3) / sum;
  EXPECT_EQ(row.label, 1u);
  EXPECT_EQ(row.label_value, 3);
  EXPECT_EQ(row.classes(), 4u);
  EXPECT_NEAR(row.confidence(), p, 1e-15);
  EXPECT_NEAR(row.log_sum_exp(), std::log(sum), 1e-14);
  EXPECT_NEAR(std::log(row.odds_against_label()), std::log((1 - p) / p), 1e-13);
  EXPECT_NEAR(row.posterior(1), p, 1e-15);
  EXPECT_NEAR(row.posterior(3), std::exp(0.5) / sum, 1e-15);
}

TEST(Row, OfProbabilitiesAndTheirLogarithmsHasTheSameFacts) {
  const std::vector<double> p{0.1, 0.6, 0.25, 0.05};
  std::vector<double> log_p;
  for (const double x : p) log_p.push_back(std::log(x));
  const auto of_p = facts_of(p, chaff::form::probabilities), of_logs = facts_of(log_p, chaff::form::log_probabilities);
  for (const auto& row : {of_p, of_logs}) {
    EXPECT_EQ(row.label, 1u);
    EXPECT_NEAR(row.confidence(), 0.6, 1e-15);
    EXPECT_NEAR(row.odds_against_label(), 0.4 / 0.6, 1e-15);
    EXPECT_NEAR(row.log_sum_exp(), 0, 1e-15);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(row.posterior(i), p[i], 1e-15) << i;
  }
}

TEST(Row, KnowsItsMaskedClasses) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> z{1, -infinity, std::numeric_limits<float>::lowest()}, p{0.5f, 0, 0.5f};
  const auto of_logits = facts_of(z), of_p = facts_of(p, chaff::form::probabilities);
  for (const auto& row : {of_logits, of_p}) {
    EXPECT_FALSE(row.is_masked(0));
    EXPECT_TRUE(row.is_masked(1));
    EXPECT_FALSE(row.is_masked(2));
    EXPECT_EQ(row.posterior(1), 0);
  }
  EXPECT_EQ(of_logits.masked_value(), -infinity);
  EXPECT_EQ(of_p.masked_value(), 0);
}

TEST(Row, OddsAgainstAConfidentLabelKeepTheirPrecision) {
  // 1 - p_k = e^-60, which a difference of doubles would lose
  const auto row = facts_of(std::vector<double>{60, 0});
  EXPECT_NEAR(row.odds_against_label() / std::exp(-60.0), 1, 1e-15);
}

/// Fails where log_sum_exp of an edge case differs from long double by more than `bound` (1 + |z_k|).
template <class T>
void expect_exact_log_sum_exp(double bound) {
  double largest = 0;
  for (const std::size_t classes : edge_case_sizes) {
    if (classes == 1) continue;  // a sigmoid logit is answered as two classes
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      const real top = static_cast<real>(*std::max_element(z.begin(), z.end()));
      real sum = 0;
      for (const T x : z) sum += std::exp(static_cast<real>(x) - top);
      const real error = std::abs(static_cast<real>(facts_of(z).log_sum_exp()) - (top + std::log(sum)));
      const auto relative = static_cast<double>(error / (1 + std::abs(top)));
      EXPECT_LE(relative, bound) << name << ", K " << classes;
      largest = std::max(largest, relative);
    }
  }
  std::printf("largest error %.3g (1 + |z_k|)\n", largest);
}
TEST(Row, LogSumExpAgreesWithLongDouble) {
  expect_exact_log_sum_exp<double>(1e-15);
  // a row of floats sums its exponentials in float
  expect_exact_log_sum_exp<float>(25 * static_cast<double>(std::numeric_limits<float>::epsilon()));
}

TEST(Row, LogSumExpOfAMassHasAnErrorBelow1Em15) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> draw_log(0, std::log(131072.0)), draw_value(-30, 30);
  double largest = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double value = n % 4 == 0 ? 0 : draw_value(random);
    const double others = n % 2 == 0 ? std::exp(draw_log(random)) - 1 : std::exp(-draw_log(random));
    const chaff::row<double> row{{}, chaff::form::logits, 0, value, 1, others};
    const real exact = static_cast<real>(value) + std::log(static_cast<real>(row.mass()));
    const real error = std::abs(static_cast<real>(row.log_sum_exp()) - exact);
    largest = std::max(largest, static_cast<double>(error / (1 + std::abs(static_cast<real>(value)))));
  }
  std::printf("largest error %.3g (1 + |z_k|)\n", largest);
  EXPECT_LE(largest, 1e-15);
}

}  // namespace
