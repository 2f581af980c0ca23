// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <algorithm>
#include <chaff/apply.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/form.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/posterior/row.hpp>
#include <random>

#include "support/sweep.hpp"

namespace {

TEST(ReverseSigmoid, IsAsWorkedByHandForTwoClasses) {
  // p = (3/4, 1/4): the label's odds are clamped to 1, so r = 0; the other's are 1/3, and with gamma 1 its r is
  // beta (1/4 - 1/2) = -1/4 for beta 1, its weight 1/2: the output is (3/5, 2/5)
  const std::vector<double> z{std::log(3.0), 0};
  std::vector<double> y(2);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1}, z, y);
  EXPECT_NEAR(y[0], 0.6, 1e-14);
  EXPECT_NEAR(y[1], 0.4, 1e-14);
  // with exact odds the label's are 3, r = beta (3/4 - 1/2) = 1/4, and both weights are 1/2; a kept label caps the
  // other one at 63/64
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y, {.keep_label = false});
  EXPECT_NEAR(y[0], 0.5, 1e-14);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y);
  EXPECT_NEAR(y[0], 64.0 / 127, 1e-14);
  EXPECT_NEAR(y[1], 63.0 / 127, 1e-14);
}

TEST(ReverseSigmoid, ClipsAWeightBelowZeroBeforeBlending) {
  // p = (3/4, 1/4), gamma 1, exact odds, beta 8: r = 8 (3/4 - 1/2) = 2 and -2, so w = (0, 9/4); with
  // alpha 1/2 the weights are (3/8, 5/4), and the output has 3/13 for the label
  const std::vector<double> z{std::log(3.0), 0};
  std::vector<double> y(2);
  const chaff::reverse_sigmoid perturbation{.beta = 8, .gamma = 1, .rule = chaff::odds::exact};
  chaff::apply(chaff::gated{[](const auto&) { return 0.5; }, perturbation}, z, y, {.keep_label = false});
  EXPECT_NEAR(y[0], 3.0 / 13, 1e-14);
}

TEST(ReverseSigmoid, MinusTanhOfEveryFloatHasAnErrorBelow2Em7) {
  const auto at = [](double gamma) { return chaff::reverse_sigmoid{.gamma = gamma}.classwise<float>(); };
  for (const double gamma : {0.1, 0.2, 1.0}) {
    const double exact_gamma = static_cast<double>(at(gamma).gamma_log2e) / 1.4426950408889634;
    const double largest = max_error_over_floats(
        -0x1p-10f, -27.631f, [&](chaff::simd::vec<float> x) { return at(gamma).minus_tanh(x); },
        [&](float x, float y) {
          return std::abs(static_cast<double>(y) + std::tanh(exact_gamma / 2 * static_cast<double>(x)));
        });
    std::printf("gamma %g: largest error %.3g\n", gamma, largest);
    EXPECT_LE(largest, 2e-7);
  }
}

template <class T>
double max_error_of_weights(double gamma) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> draw(std::log(1e-14), std::log(0.5));
  const chaff::reverse_sigmoid perturbation{.beta = 1, .gamma = gamma};
  const chaff::row<T> two_alike{{}, chaff::form::logits, 0, 0, 1, 1};
  const auto weights = perturbation.weights(two_alike);
  double largest = 0;
  for (int n = 0; n < 200'000; ++n) {
    const T log_p = static_cast<T>(n == 0 ? std::log(0.5) : draw(random));
    const long double p = std::exp(static_cast<long double>(log_p));
    const long double log_odds = std::max(log_p - std::log1p(-p), std::log(1e-12L));
    const long double exact = p - 0.5L * std::tanh(static_cast<long double>(gamma) / 2 * log_odds);
    const chaff::block<T> at{0, 1, chaff::simd::broadcast(static_cast<T>(p)), chaff::simd::broadcast(log_p)};
    largest = std::max(largest, static_cast<double>(std::abs(static_cast<long double>(weights(at)[0]) - exact)));
  }
  return largest;
}
TEST(ReverseSigmoid, WeightsAreWithinTheirStatedError) {
  for (const double gamma : {0.0, 0.1, 0.2, 1.0, 10.0, 1000.0}) {
    const double of_floats = max_error_of_weights<float>(gamma), of_doubles = max_error_of_weights<double>(gamma);
    std::printf("gamma %g: largest error %.3g in float, %.3g in double\n", gamma, of_floats, of_doubles);
    EXPECT_LE(of_floats, 2e-7 * (1 + 2 * gamma)) << gamma;
    EXPECT_LE(of_doubles, 1e-15 * (1 + 2 * gamma)) << gamma;
  }
}

TEST(ReverseSigmoid, ChangesLabelsUnlessTheyAreKept) {
  // p - r is not monotone in p: an improbable class is lifted above the label
  const std::vector<float> z{1.0f, 0.9f, 0.8f, -13.0f};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y, {.keep_label = false});
  EXPECT_NE(std::max_element(y.begin(), y.end()) - y.begin(), 0);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y);
  EXPECT_EQ(std::max_element(y.begin(), y.end()) - y.begin(), 0);
}

TEST(ReverseSigmoid, ALabelOfWeightZeroGivesAFlatOutputWithTheLabelAhead) {
  const std::vector<float> z{-1, 4, 0, 1};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 100, .rule = chaff::odds::exact}, z, y);
  // the label's weight is lifted to 1e-6, and the others are capped at 63/64 of it
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(y[i]), (i == 1 ? 64.0 : 63.0) / (64 + 3 * 63), 1e-6);
  }
}

TEST(ReverseSigmoid, RefusesParametersOutOfRange) {
  for (const chaff::reverse_sigmoid& perturbation :
       {chaff::reverse_sigmoid{.beta = -0.1}, chaff::reverse_sigmoid{.beta = 1001}, chaff::reverse_sigmoid{.gamma = -1},
        chaff::reverse_sigmoid{.gamma = 1001}, chaff::reverse_sigmoid{.beta = std::nan("")}}) {
    std::vector<float> z{1, 2};
    EXPECT_THROW(chaff::apply(perturbation, z, z), std::invalid_argument);
    EXPECT_EQ(z, (std::vector<float>{0, 0})) << "the output is zeroed";
  }
}

}  // namespace
