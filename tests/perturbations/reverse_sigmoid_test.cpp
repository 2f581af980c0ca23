// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>
#include <random>

#include "support/reference.hpp"
#include "support/sweep.hpp"

namespace {

TEST(reverse_sigmoid, by_hand_for_two_classes) {
  // p = (3/4, 1/4): the label's odds are clamped to 1, so r = 0; the other's are 1/3, and with gamma 1 its r is
  // beta (1/4 - 1/2) = -1/4 for beta 1, its weight 1/2: the answer is (3/5, 2/5)
  const std::vector<double> z{std::log(3.0), 0};
  std::vector<double> y(2);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1}, z, y);
  EXPECT_NEAR(y[0], 0.6, 1e-14);
  EXPECT_NEAR(y[1], 0.4, 1e-14);
  // with exact odds the label's are 3, r = beta (3/4 - 1/2) = 1/4, and both weights are 1/2
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y, {.keep_label = false});
  EXPECT_NEAR(y[0], 0.5, 1e-14);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y);
  EXPECT_GT(y[0], y[1]);
}

TEST(reverse_sigmoid, a_weight_below_0_is_0_before_it_is_blended) {
  // p = (3/4, 1/4), gamma 1, exact odds, beta 8: r = 8 (3/4 - 1/2) = 2 and -2, so w = (0, 9/4); half of it in: the
  // weights are (3/8, 5/4), and the answer has 3/13 for the label
  const std::vector<double> z{std::log(3.0), 0};
  std::vector<double> y(2);
  const chaff::reverse_sigmoid part{.beta = 8, .gamma = 1, .rule = chaff::odds::exact};
  chaff::apply(chaff::gated{[](const auto&) { return 0.5; }, part}, z, y, {.keep_label = false});
  EXPECT_NEAR(y[0], 3.0 / 13, 1e-14);
}

TEST(reverse_sigmoid, minus_tanh_of_every_float) {
  const auto at = [](double gamma) { return chaff::reverse_sigmoid{.gamma = gamma}.classwise<float>(); };
  for (const double gamma : {0.1, 0.2, 1.0}) {
    const double exact_gamma = static_cast<double>(at(gamma).gamma_log2e) / 1.4426950408889634;
    const double worst = worst_over_floats(
        -0x1p-10f, -27.631f, [&](chaff::lanes<float> x) { return at(gamma).minus_tanh(x); },
        [&](float x, float y) {
          return std::abs(static_cast<double>(y) + std::tanh(exact_gamma / 2 * static_cast<double>(x)));
        });
    std::printf("gamma %g: largest error %.3g\n", gamma, worst);
    EXPECT_LE(worst, 2e-7);
  }
}

template <class T>
double worst_weight(double gamma) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> draw(std::log(1e-14), std::log(0.5));
  const chaff::reverse_sigmoid part{.beta = 1, .gamma = gamma};
  const chaff::row<T> two_alike{{}, chaff::form::logits, 0, 0, 1, 1};
  const auto weights = part.weights(two_alike);
  double worst = 0;
  for (int n = 0; n < 200'000; ++n) {
    const T log_p = static_cast<T>(n == 0 ? std::log(0.5) : draw(random));
    const long double p = std::exp(static_cast<long double>(log_p));
    const long double log_odds = std::max(log_p - std::log1p(-p), std::log(1e-12L));
    const long double exact = p - 0.5L * std::tanh(static_cast<long double>(gamma) / 2 * log_odds);
    const chaff::block<T> at{0, 1, chaff::broadcast(static_cast<T>(p)), chaff::broadcast(log_p)};
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(weights(at)[0]) - exact)));
  }
  return worst;
}
TEST(reverse_sigmoid, weights_within_their_error) {
  for (const double gamma : {0.0, 0.1, 0.2, 1.0, 10.0, 1000.0}) {
    const double worst_float = worst_weight<float>(gamma), worst_double = worst_weight<double>(gamma);
    std::printf("gamma %g: largest error %.3g in float, %.3g in double\n", gamma, worst_float, worst_double);
    EXPECT_LE(worst_float, 2e-7 * (1 + 2 * gamma)) << gamma;
    EXPECT_LE(worst_double, 1e-15 * (1 + 2 * gamma)) << gamma;
  }
}

TEST(reverse_sigmoid, changes_labels_unless_they_are_kept) {
  // p - r is not monotone in p: a hopeless class is lifted above an unsure label
  const std::vector<float> z{1.0f, 0.9f, 0.8f, -13.0f};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y, {.keep_label = false});
  EXPECT_NE(std::max_element(y.begin(), y.end()) - y.begin(), 0);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y);
  EXPECT_EQ(std::max_element(y.begin(), y.end()) - y.begin(), 0);
}

TEST(reverse_sigmoid, a_label_pushed_to_nothing_leaves_a_flat_answer_with_the_label_ahead) {
  const std::vector<float> z{-1, 4, 0, 1};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 100, .rule = chaff::odds::exact}, z, y);
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(y[i]), 0.25, 1e-6);
    if (i != 1) {
      EXPECT_LT(y[i], y[1]);
    }
  }
}

}  // namespace
