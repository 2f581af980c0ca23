// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/lanes/exponential.hpp>
#include <random>

#include "support/close.hpp"
#include "support/sweep.hpp"

namespace {

TEST(exp_nonpositive, every_float) {
  const double worst = worst_over_floats(
      -0.0f, -0x1.5d589ep6f, [](chaff::lanes<float> x) { return chaff::exp_nonpositive<float>(x); },
      [](float x, float y) { return float_ulps(y, std::exp(static_cast<double>(x))); });
  std::printf("largest error %.3f ULP\n", worst);
  EXPECT_LE(worst, 1.1);
}

TEST(exp_nonpositive, sampled_doubles) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> draw(-708.3, 0);
  double worst = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = n % 2 ? draw(random) : draw(random) / 700;
    worst = std::max(worst, ulps<double>(chaff::exp_nonpositive<double>(chaff::broadcast(x))[0],
                                         std::exp(static_cast<long double>(x))));
  }
  std::printf("largest error %.3f ULP\n", worst);
  EXPECT_LE(worst, 1.1);
}

template <class T>
void ends() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto exp = [](T x) { return chaff::exp_nonpositive<T>(chaff::broadcast(x))[0]; };
  EXPECT_EQ(exp(T(0)), T(1));
  EXPECT_EQ(exp(-std::numeric_limits<T>::denorm_min()), T(1));
  EXPECT_EQ(exp(-infinity), T(0));
  EXPECT_EQ(exp(std::numeric_limits<T>::lowest()), T(0));
  EXPECT_EQ(exp(T(-1e5)), T(0));
}
TEST(exp_nonpositive, is_exact_at_both_ends) {
  ends<float>();
  ends<double>();
}

TEST(exp2_nonpositive, every_float_by_one) {
  const double worst = worst_over_floats(
      -0.0f, -126.0f, [](chaff::lanes<float> x) { return chaff::exp2_nonpositive<float>(x, chaff::broadcast(1.0f)); },
      [](float x, float y) { return std::abs(static_cast<double>(y) - std::exp2(static_cast<double>(x))); });
  std::printf("largest error %.3g\n", worst);
  EXPECT_LE(worst, 2e-7);
}

template <class T>
double worst_of_products() {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> draw_x(-28, 0), draw_factor(0, 4);
  double worst = 0;
  for (int n = 0; n < 4'000'000; ++n) {
    const T x = static_cast<T>(draw_x(random)), factor = static_cast<T>(draw_factor(random));
    const long double exact = std::exp2(static_cast<long double>(x) * static_cast<long double>(factor));
    const T y = chaff::exp2_nonpositive<T>(chaff::broadcast(x), chaff::broadcast(factor))[0];
    // of the product, which is rounded where the build has no fused multiply-add, the exponential has that error as
    // well
    const long double rounding = std::abs(exact * x * factor) * std::numeric_limits<T>::epsilon() / 2;
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(y) - exact) - rounding));
  }
  return worst;
}
TEST(exp2_nonpositive, sampled_products) {
  const double worst_float = worst_of_products<float>(), worst_double = worst_of_products<double>();
  std::printf("largest error %.3g in float, %.3g in double\n", worst_float, worst_double);
  EXPECT_LE(worst_float, 2e-7);
  EXPECT_LE(worst_double, 4e-16);
}

}  // namespace
