// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

namespace {

chaff::row<double> row_of(const std::vector<double>& z) {
  chaff::row<double> seen{};
  EXPECT_EQ(chaff::observe<double>(z, chaff::form::logits, seen), chaff::fault::none);
  return seen;
}

TEST(falling_step, is_one_divided_by_one_and_the_exponential) {
  for (double x = -60; x <= 60; x += 0.25) {
    const long double exact = 1 / (1 + std::exp(static_cast<long double>(x)));
    const auto found = static_cast<long double>(chaff::falling_step(x));
    EXPECT_NEAR(static_cast<double>(found - exact), 0, x > 40 ? 5e-18 : 2e-16 * static_cast<double>(exact)) << x;
  }
}

TEST(confidence_gate, opens_where_the_model_is_unsure) {
  const std::vector<double> z{std::log(0.7), std::log(0.3)};
  const auto seen = row_of(z);
  EXPECT_NEAR((chaff::confidence_gate{.tau = 0.7, .nu = 1000}(seen)), 0.5, 1e-10);
  EXPECT_NEAR((chaff::confidence_gate{.tau = 0.701, .nu = 1000}(seen)), 1 / (1 + std::exp(-1)), 1e-10);
  EXPECT_EQ((chaff::confidence_gate{.tau = 0.9, .nu = 1000}(seen)), 1);
  EXPECT_EQ((chaff::confidence_gate{.tau = 0.5, .nu = 1000}(seen)), 0);
}

TEST(energy_gate, opens_where_log_sum_exp_is_small) {
  const std::vector<double> z{4, 4};
  const auto seen = row_of(z);
  const double lse = 4 + std::log(2);
  EXPECT_NEAR((chaff::energy_gate{.tau = lse, .nu = 10}(seen)), 0.5, 1e-12);
  EXPECT_NEAR((chaff::energy_gate{.tau = lse - 0.1, .nu = 10}(seen)), 1 / (1 + std::exp(1)), 1e-12);
  EXPECT_EQ((chaff::energy_gate{.tau = lse + 5, .nu = 10}(seen)), 1);
  EXPECT_EQ((chaff::energy_gate{.tau = lse - 5, .nu = 10}(seen)), 0);
}

TEST(gates, decide_between_the_posterior_and_the_perturbation) {
  const std::vector<double> strange{0.2, 0.1, 0}, familiar{9, 0.1, 0};
  const chaff::gated defense{chaff::energy_gate{.tau = 5}, chaff::reverse_sigmoid{.beta = 1}};
  std::vector<double> answer(3), posterior(3), bare(3);
  chaff::apply(defense, familiar, answer);
  chaff::apply(chaff::none{}, familiar, posterior);
  EXPECT_EQ(answer, posterior);
  chaff::apply(defense, strange, answer);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1}, strange, bare);
  EXPECT_EQ(answer, bare);
}

}  // namespace
