// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/lanes/logarithm.hpp>
#include <random>

#include "support/close.hpp"
#include "support/sweep.hpp"

namespace {

TEST(log_nonnegative, every_float) {
  const double worst = worst_over_floats(
      std::numeric_limits<float>::denorm_min(), 1.0f,
      [](chaff::lanes<float> x) { return chaff::log_nonnegative<float>(x); },
      [](float x, float y) { return float_ulps(y, std::log(static_cast<double>(x))); });
  std::printf("largest error %.3f ULP\n", worst);
  EXPECT_LE(worst, 1);
}

TEST(log_nonnegative, sampled_doubles) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> draw(-740, 0), near_one(0.5, 1.0);
  double worst = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = n % 2 ? std::exp(draw(random)) : near_one(random);
    worst = std::max(worst, ulps<double>(chaff::log_nonnegative<double>(chaff::broadcast(x))[0],
                                         std::log(static_cast<long double>(x))));
  }
  std::printf("largest error %.3f ULP\n", worst);
  EXPECT_LE(worst, 1);
}

TEST(log_nonnegative, is_minus_infinity_at_zero_and_zero_at_one) {
  EXPECT_EQ(chaff::log_nonnegative<float>(chaff::broadcast(0.0f))[0], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(chaff::log_nonnegative<double>(chaff::broadcast(0.0))[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(chaff::log_nonnegative<float>(chaff::broadcast(1.0f))[0], 0);
  EXPECT_EQ(chaff::log_nonnegative<double>(chaff::broadcast(1.0))[0], 0);
}

TEST(minus_log1m, every_float) {
  const double worst = worst_over_floats(
      0.0f, 0.5f, [](chaff::lanes<float> x) { return chaff::minus_log1m<float>(x, chaff::lanes<float>{}); },
      [](float x, float y) { return std::abs(static_cast<double>(y) + std::log1p(-static_cast<double>(x))); });
  std::printf("largest error %.3g\n", worst);
  EXPECT_LE(worst, 1.5e-6);
}

TEST(minus_log1m, sampled_doubles) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> draw(0, 0.5);
  double worst = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = draw(random);
    worst = std::max(
        worst, std::abs(chaff::minus_log1m<double>(chaff::broadcast(x), chaff::lanes<double>{})[0] + std::log1p(-x)));
  }
  std::printf("largest error %.3g\n", worst);
  EXPECT_LE(worst, 5e-16);
}

}  // namespace
