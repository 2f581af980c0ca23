// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/defense.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/policy.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "support/reference.hpp"

namespace {

const std::vector<std::vector<double>> rows{
    {1, 2, 3, 2.5, 0}, {4, 0, 0, 0, 0}, {9, 0, 1, 2, 3}, {0.1, 0, 0.2, 0, -0.1}, {-3, -1, -2, -1.5, -4}};

std::vector<double> answer(const auto& defense, const std::vector<double>& row, const chaff::policy& policy = {}) {
  std::vector<double> y(row.size());
  chaff::apply(defense, row, y, policy);
  return y;
}

/// The message of the error that a defense is refused with.
std::string error_of(const auto& defense, const chaff::policy& policy = {}) {
  try {
    chaff::check(defense, policy);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Dcp, TauIsBetaWhereItIsNotSet) {
  for (const double beta : {0.0, 0.4, 0.7, 0.9, 1.2}) {
    for (const auto& row : rows) {
      EXPECT_EQ(answer(chaff::dcp{.beta = beta}, row), answer(chaff::dcp{.beta = beta, .tau = beta}, row)) << beta;
    }
  }
}

TEST(Dcp, TauFollowsABetaThatIsAssigned) {
  chaff::dcp defense;
  defense.beta = 1.2;
  EXPECT_FALSE(defense.tau.has_value());
  for (const auto& row : rows) EXPECT_EQ(answer(defense, row), answer(chaff::dcp{.beta = 1.2}, row));
  // at the default tau of 0.9 this confident row would be the posterior
  EXPECT_NE(answer(defense, rows[2]), answer(chaff::none{}, rows[2]));
  const auto defended = chaff::defend([] { return rows[2]; }, defense);
  EXPECT_EQ(defended(), answer(defense, rows[2]));
}

TEST(Dcp, TauThatIsSetStaysWhereBetaIsAssigned) {
  chaff::dcp defense{.tau = 0.5};
  defense.beta = 1.2;
  for (const auto& row : rows) EXPECT_EQ(answer(defense, row), answer(chaff::dcp{.beta = 1.2, .tau = 0.5}, row));
  EXPECT_EQ(answer(defense, rows[2]), answer(chaff::none{}, rows[2]));
}

TEST(Dcp, ErrorNamesBetaWhereTauFollowsIt) {
  EXPECT_EQ(error_of(chaff::dcp{.beta = -1}), "chaff: beta is -1, allowed is [0, 1000]");
  EXPECT_EQ(error_of(chaff::dcp{.beta = std::nan("")}), "chaff: beta is nan, allowed is [0, 1000]");
  EXPECT_EQ(error_of(chaff::dcp{.beta = 1001}), "chaff: beta is 1001, allowed is [0, 1000]");
  EXPECT_EQ(error_of(chaff::dcp{.tau = -1}), "chaff: tau is -1, allowed is [0, 10]");
}

TEST(Dcp, EveryBetaInItsRangeIsAcceptedWithoutTau) {
  for (const double beta : {0.0, 1.5, 10.0, 11.0, 1000.0}) {
    EXPECT_EQ(error_of(chaff::dcp{.beta = beta}), "") << beta;
  }
}

TEST(EnergyDcp, UnsetTauIsAnErrorThatNamesCalibrate) {
  const char* message =
      "chaff: tau of the energy gate is not set, and no default fits every model: take it from calibrate";
  EXPECT_EQ(error_of(chaff::energy_dcp{}), message);
  EXPECT_THROW(static_cast<void>(chaff::defend([] { return rows[0]; }, chaff::energy_dcp{})), std::invalid_argument);
}

TEST(EnergyDcp, IsTheReverseSigmoidBehindAnEnergyGate) {
  for (const double tau : {-2.0, 1.0, 3.5, 5.0}) {
    for (const double nu : {1.0, 5.0, 1000.0}) {
      const chaff::energy_dcp defense{.beta = 1.1, .gamma = 0.3, .nu = nu, .tau = tau};
      for (const auto& row : rows) {
        const auto y = answer(defense, row, {.keep_label = false});
        reference::real sum = 0;
        for (const double value : row) sum += std::exp(static_cast<reference::real>(value));
        const auto alpha = reference::falling_step(std::log(sum), tau, nu);
        const auto expected = reference::reverse_sigmoid(row, {.beta = 1.1, .gamma = 0.3}, alpha);
        for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(y[i], static_cast<double>(expected[i]), 1e-12);
      }
    }
  }
}

TEST(EnergyDcp, RefusesInputThatIsNotLogits) {
  const chaff::energy_dcp defense{.tau = 5.0};
  for (const chaff::form input : {chaff::form::probabilities, chaff::form::log_probabilities}) {
    EXPECT_EQ(error_of(defense, {.input = input}),
              "chaff: an energy gate needs logits: policy.input must be form::logits");
  }
}

}  // namespace
