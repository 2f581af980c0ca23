// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/defense.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/always.hpp>
#include <chaff/gates/confidence_gate.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/row.hpp>
#include <chaff/reductions/top_k.hpp>
#include <string>
#include <vector>

namespace {

using vector = std::vector<double>;

/// What a gate returns for a row of logits.
template <class G>
double alpha(const G& gate, const vector& logits) {
  double returned = -1;
  vector output(logits.size());
  const auto recorder = [&](const chaff::row<double>& row) {
    returned = gate(row);
    return 0.0;
  };
  chaff::apply(chaff::gated{recorder, chaff::reverse_sigmoid{}}, logits, output);
  return returned;
}

/// The message of the std::invalid_argument that a call raises, or nothing.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

/// Fails unless chaff::check, apply, apply_rows and defend refuse a defense with a message that contains `part`, and
/// the output is zeroed.
template <class Defense>
void expect_refused(const Defense& defense, const chaff::policy& policy, const std::string& part) {
  const vector logits{1, 2, 3, 4};
  vector output(4, 7.0);
  EXPECT_NE(message_of([&] { chaff::check(defense, policy); }).find(part), std::string::npos);
  EXPECT_NE(message_of([&] { chaff::apply(defense, logits, output, policy); }).find(part), std::string::npos);
  EXPECT_EQ(output, vector(4, 0.0));
  output.assign(4, 7.0);
  EXPECT_NE(message_of([&] { chaff::apply_rows(defense, logits, 2, output, policy); }).find(part), std::string::npos);
  EXPECT_EQ(output, vector(4, 0.0));
  EXPECT_NE(message_of([&] { static_cast<void>(chaff::defend([&] { return logits; }, defense, policy)); }).find(part),
            std::string::npos);
}

long double exact_step(double x) {
  return 1 / (1 + std::exp(static_cast<long double>(x)));
}

TEST(FallingStep, IsTheLogisticFormulaWithin1Em15) {
  double largest = 0;
  for (int i = -60 * 1024; i <= 60 * 1024; ++i) {
    const double x = i / 1024.0;
    const long double exact = exact_step(x);
    const auto error = static_cast<double>(static_cast<long double>(chaff::detail::falling_step(x)) - exact);
    ASSERT_NEAR(error, 0, x > 40 ? 5e-18 : 1e-15 * static_cast<double>(exact)) << x;
    if (x <= 40) largest = std::max(largest, std::abs(error) / static_cast<double>(exact));
  }
  std::printf("largest relative error up to 40: %.3g\n", largest);
}

TEST(FallingStep, IsExactlyOneOrZeroPast40) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double x :
       {std::nextafter(40.0, 41.0), 40.5, 60.0, 708.0, 1e9, std::numeric_limits<double>::max(), infinity}) {
    EXPECT_EQ(chaff::detail::falling_step(x), 0) << x;
    EXPECT_EQ(chaff::detail::falling_step(-x), 1) << x;
  }
  EXPECT_GT(chaff::detail::falling_step(40), 0);
  EXPECT_EQ(chaff::detail::falling_step(0), 0.5);
  EXPECT_EQ(chaff::detail::falling_step(-0.0), 0.5);
}

TEST(FallingStep, DoesNotRise) {
  double previous = 1;
  for (double x = -41; x <= 41; x += 1.0 / 512) {
    const double here = chaff::detail::falling_step(x);
    ASSERT_LE(here, previous * (1 + 1e-15)) << x;
    previous = here;
  }
}

TEST(ConfidenceGate, OpensWhereTheModelIsUnsure) {
  const vector z{std::log(0.7), std::log(0.3)};
  EXPECT_NEAR(alpha(chaff::confidence_gate{.tau = 0.7, .nu = 1000}, z), 0.5, 1e-10);
  EXPECT_NEAR(alpha(chaff::confidence_gate{.tau = 0.701, .nu = 1000}, z), 1 / (1 + std::exp(-1)), 1e-10);
  EXPECT_EQ(alpha(chaff::confidence_gate{.tau = 0.9, .nu = 1000}, z), 1);
  EXPECT_EQ(alpha(chaff::confidence_gate{.tau = 0.5, .nu = 1000}, z), 0);
}

TEST(ConfidenceGate, RefusesParametersOutOfRange) {
  const auto gated = [](double tau, double nu) {
    return chaff::gated{chaff::confidence_gate{.tau = tau, .nu = nu}, chaff::reverse_sigmoid{}};
  };
  expect_refused(gated(-0.1, 1000), {}, "tau is -0.1, allowed is [0, 10]");
  expect_refused(gated(10.5, 1000), {}, "tau is 10.5, allowed is [0, 10]");
  expect_refused(gated(0.9, 0), {}, "nu is 0, allowed is [1e-06, 1e+09]");
  expect_refused(gated(0.9, 2e9), {}, "nu is 2e+09, allowed is [1e-06, 1e+09]");
  expect_refused(gated(std::nan(""), 1000), {}, "tau is ");
}

TEST(EnergyGate, OpensWhereLogSumExpIsSmall) {
  const vector z{4, 4};
  const double lse = 4 + std::log(2);
  EXPECT_NEAR(alpha(chaff::energy_gate{.tau = lse, .nu = 10}, z), 0.5, 1e-12);
  EXPECT_NEAR(alpha(chaff::energy_gate{.tau = lse - 0.1, .nu = 10}, z), 1 / (1 + std::exp(1)), 1e-12);
  EXPECT_EQ(alpha(chaff::energy_gate{.tau = lse + 5, .nu = 10}, z), 1);
  EXPECT_EQ(alpha(chaff::energy_gate{.tau = lse - 5, .nu = 10}, z), 0);
}

TEST(EnergyGate, WithoutTauIsRefusedWithTheAdviceToCalibrate) {
  expect_refused(chaff::gated{chaff::energy_gate{}, chaff::reverse_sigmoid{}}, {}, "take it from calibrate");
  expect_refused(chaff::gated{chaff::energy_gate{.nu = 10}, chaff::reverse_sigmoid{}}, {}, "take it from calibrate");
  expect_refused(chaff::energy_dcp{}, {}, "take it from calibrate");
  expect_refused(chaff::energy_dcp{} | chaff::top_k{}, {}, "take it from calibrate");
}

TEST(EnergyGate, RefusesInputThatIsNotLogits) {
  const chaff::gated defense{chaff::energy_gate{.tau = 5}, chaff::reverse_sigmoid{}};
  expect_refused(defense, {.input = chaff::form::probabilities}, "policy.input must be form::logits");
  expect_refused(defense, {.input = chaff::form::log_probabilities}, "policy.input must be form::logits");
}

TEST(EnergyGate, RefusesParametersOutOfRange) {
  const auto gated = [](double tau, double nu) {
    return chaff::gated{chaff::energy_gate{.tau = tau, .nu = nu}, chaff::reverse_sigmoid{}};
  };
  expect_refused(gated(2e6, 1000), {}, "tau is 2e+06, allowed is [-1e+06, 1e+06]");
  expect_refused(gated(-2e6, 1000), {}, "tau is -2e+06, allowed is [-1e+06, 1e+06]");
  expect_refused(gated(5, 0), {}, "nu is 0, allowed is [1e-06, 1e+09]");
}

TEST(Gates, DecideBetweenThePosteriorAndThePerturbation) {
  const vector out_of_distribution{0.2, 0.1, 0}, in_distribution{9, 0.1, 0};
  const chaff::gated defense{chaff::energy_gate{.tau = 5}, chaff::reverse_sigmoid{.beta = 1}};
  vector output(3), posterior(3), bare(3);
  chaff::apply(defense, in_distribution, output);
  chaff::apply(chaff::none{}, in_distribution, posterior);
  EXPECT_EQ(output, posterior);
  chaff::apply(defense, out_of_distribution, output);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1}, out_of_distribution, bare);
  EXPECT_EQ(output, bare);
}

TEST(Gates, BlendThePosteriorAndThePerturbationByAlpha) {
  // p = (3/4, 1/4), w = (3/4, 1/2) for beta 1 and gamma 1; alpha 1/2 gives (3/4, 3/8), normalised (2/3, 1/3)
  const vector z{std::log(3.0), 0};
  vector output(2);
  const chaff::gated defense{chaff::energy_gate{.tau = std::log(4.0), .nu = 10},
                             chaff::reverse_sigmoid{.beta = 1, .gamma = 1}};
  chaff::apply(defense, z, output);
  EXPECT_NEAR(output[0], 2.0 / 3, 1e-13);
  EXPECT_NEAR(output[1], 1.0 / 3, 1e-13);
}

TEST(Gates, AreExactlyOpenOrClosedAtTheEndsOfTheRange) {
  constexpr double highest = std::numeric_limits<double>::max();
  for (const double nu : {100.0, 1000.0, 1e9}) {
    EXPECT_EQ(alpha(chaff::energy_gate{.tau = 0, .nu = nu}, {highest, 0}), 0);
    EXPECT_EQ(alpha(chaff::energy_gate{.tau = 0, .nu = nu}, {highest, highest}), 0);
    EXPECT_EQ(alpha(chaff::energy_gate{.tau = 0, .nu = nu}, {-highest, -highest}), 1);
    EXPECT_EQ(alpha(chaff::confidence_gate{.tau = 10, .nu = nu}, {highest, -highest}), 1);
    EXPECT_EQ(alpha(chaff::confidence_gate{.tau = 0, .nu = nu}, {-highest, -highest}), 0);
  }
}

TEST(Always, IsOpen) {
  EXPECT_EQ(alpha(chaff::always{}, {50, 0}), 1);
}

}  // namespace
