// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/logarithm.hpp>
#include <random>

#include "support/close.hpp"
#include "support/sweep.hpp"

namespace {

using chaff::simd::broadcast;
using chaff::simd::log_nonnegative;
using chaff::simd::log_normal;
using chaff::simd::log_odds;

TEST(LogNonnegative, EveryFloatUpToOneHasAnErrorBelow1Ulp) {
  const double largest = max_error_over_floats(
      std::numeric_limits<float>::denorm_min(), 1.0f,
      [](chaff::simd::vec<float> x) { return log_nonnegative<float>(x); },
      [](float x, float y) { return float_ulps(y, std::log(static_cast<double>(x))); });
  std::printf("largest error %.3f ULP\n", largest);
  EXPECT_LE(largest, 1);
}

TEST(LogNonnegative, SampledDoublesHaveAnErrorBelow1Ulp) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> draw(-740, 0), near_one(0.5, 1.0);
  double largest = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = n % 2 ? std::exp(draw(random)) : near_one(random);
    largest = std::max(largest,
                       ulps<double>(log_nonnegative<double>(broadcast(x))[0], std::log(static_cast<long double>(x))));
  }
  std::printf("largest error %.3f ULP\n", largest);
  EXPECT_LE(largest, 1);
}

TEST(LogNonnegative, IsMinusInfinityAtZeroAndZeroAtOne) {
  EXPECT_EQ(log_nonnegative<float>(broadcast(0.0f))[0], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(log_nonnegative<double>(broadcast(0.0))[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(log_nonnegative<float>(broadcast(1.0f))[0], 0);
  EXPECT_EQ(log_nonnegative<double>(broadcast(1.0))[0], 0);
}

template <class T>
void expect_finite_ends() {
  using limits = std::numeric_limits<T>;
  const auto log = [](T x) { return static_cast<double>(log_normal<T>(broadcast(x))[0]); };
  const double lowest = std::log(static_cast<double>(limits::min()));
  EXPECT_NEAR(log(limits::min()), lowest, 1e-6 * -lowest);
  EXPECT_NEAR(log(T(0)), lowest, 1);
  EXPECT_NEAR(log(limits::denorm_min()), lowest, 1);
  EXPECT_NEAR(log(limits::infinity()), std::log(static_cast<double>(limits::max())), 1);
}
TEST(LogNormal, OfZeroSubnormalNumbersAndInfinityIsThatOfTheNearestNormalNumber) {
  expect_finite_ends<float>();
  expect_finite_ends<double>();
}

TEST(LogComplement, SampledDoublesHaveAnErrorBelow3Ulp) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> exponent(-60, 9.4);
  double largest = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = -std::exp2(exponent(random));
    const long double expected = std::log(-std::expm1(static_cast<long double>(x)));
    const double y = chaff::simd::log_complement_of(x);
    if (expected == 0) {
      EXPECT_EQ(y, 0) << x;
      continue;
    }
    const double unit = std::abs(std::nextafter(static_cast<double>(expected), 0) - static_cast<double>(expected));
    // a complement that rounds to 1 has the logarithm 0
    largest = std::max(largest, static_cast<double>(std::abs(y - expected)) / std::max(unit, 0x1p-53));
  }
  std::printf("largest error %.3g\n", largest);
  EXPECT_LE(largest, 3);
  EXPECT_EQ(chaff::simd::log_complement_of(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(chaff::simd::log_complement_of(-std::numeric_limits<double>::infinity()), 0);
}

TEST(LogOdds, EveryFloatUpToOneHalfHasAnErrorBelow1Point5Em6) {
  const double largest = max_error_over_floats(
      0.0f, 0.5f, [](chaff::simd::vec<float> x) { return log_odds<float>(x, chaff::simd::vec<float>{}); },
      [](float x, float y) { return std::abs(static_cast<double>(y) + std::log1p(-static_cast<double>(x))); });
  std::printf("largest error %.3g\n", largest);
  EXPECT_LE(largest, 1.5e-6);
}

TEST(LogOdds, SampledDoublesUpToOneHalfHaveAnErrorBelow5Em16) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> draw(0, 0.5);
  double largest = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = draw(random);
    largest =
        std::max(largest, std::abs(log_odds<double>(broadcast(x), chaff::simd::vec<double>{})[0] + std::log1p(-x)));
  }
  std::printf("largest error %.3g\n", largest);
  EXPECT_LE(largest, 5e-16);
}

TEST(LogOdds, AddsTheLogarithmOfP) {
  for (const double p : {0.5, 0.25, 1e-3, 1e-12}) {
    EXPECT_NEAR(log_odds<double>(broadcast(p), broadcast(std::log(p)))[0], std::log(p) - std::log1p(-p), 4e-15) << p;
    EXPECT_NEAR(log_odds<float>(broadcast(static_cast<float>(p)), broadcast(static_cast<float>(std::log(p))))[0],
                std::log(p) - std::log1p(-p), 3e-6)
        << p;
  }
}

}  // namespace
