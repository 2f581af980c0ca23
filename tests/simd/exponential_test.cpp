// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/exponential.hpp>
#include <random>

#include "support/close.hpp"
#include "support/sweep.hpp"

namespace {

TEST(ExpNonpositive, EveryFloatHasAnErrorBelow1Point1Ulp) {
  const double largest = max_error_over_floats(
      -0.0f, -0x1.5d589ep6f, [](chaff::simd::vec<float> x) { return chaff::simd::exp_nonpositive<float>(x); },
      [](float x, float y) { return float_ulps(y, std::exp(static_cast<double>(x))); });
  std::printf("largest error %.3f ULP\n", largest);
  EXPECT_LE(largest, 1.1);
}

TEST(ExpNonpositive, SampledDoublesHaveAnErrorBelow1Point1Ulp) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> draw(-708.3, 0);
  double largest = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const double x = n % 2 ? draw(random) : draw(random) / 700;
    largest = std::max(largest, ulps<double>(chaff::simd::exp_nonpositive<double>(chaff::simd::broadcast(x))[0],
                                             std::exp(static_cast<long double>(x))));
  }
  std::printf("largest error %.3f ULP\n", largest);
  EXPECT_LE(largest, 1.1);
}

template <class T>
void expect_exact_ends() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto exp = [](T x) { return chaff::simd::exp_nonpositive<T>(chaff::simd::broadcast(x))[0]; };
  EXPECT_EQ(exp(T(0)), T(1));
  EXPECT_EQ(exp(-std::numeric_limits<T>::denorm_min()), T(1));
  EXPECT_EQ(exp(-infinity), T(0));
  EXPECT_EQ(exp(std::numeric_limits<T>::lowest()), T(0));
  EXPECT_EQ(exp(T(-1e5)), T(0));
}
TEST(ExpNonpositive, IsExactAtBothEnds) {
  expect_exact_ends<float>();
  expect_exact_ends<double>();
}

TEST(Exp2Nonpositive, EveryFloatTimesOneHasAnErrorBelow2Em7) {
  const double largest = max_error_over_floats(
      -0.0f, -126.0f,
      [](chaff::simd::vec<float> x) { return chaff::simd::exp2_nonpositive<float>(x, chaff::simd::broadcast(1.0f)); },
      [](float x, float y) { return std::abs(static_cast<double>(y) - std::exp2(static_cast<double>(x))); });
  std::printf("largest error %.3g\n", largest);
  EXPECT_LE(largest, 2e-7);
}

template <class T>
double max_error_of_products() {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> draw_x(-28, 0), draw_factor(0, 4);
  double largest = 0;
  for (int n = 0; n < 4'000'000; ++n) {
    const T x = static_cast<T>(draw_x(random)), factor = static_cast<T>(draw_factor(random));
    const long double exact = std::exp2(static_cast<long double>(x) * static_cast<long double>(factor));
    const T y = chaff::simd::exp2_nonpositive<T>(chaff::simd::broadcast(x), chaff::simd::broadcast(factor))[0];
    // a build without fused multiply-add rounds the product, and the exponential has that error as well
    const long double rounding = std::abs(exact * x * factor) * std::numeric_limits<T>::epsilon() / 2;
    largest = std::max(largest, static_cast<double>(std::abs(static_cast<long double>(y) - exact) - rounding));
  }
  return largest;
}
TEST(Exp2Nonpositive, SampledProductsAreWithinTheStatedError) {
  const double of_floats = max_error_of_products<float>(), of_doubles = max_error_of_products<double>();
  std::printf("largest error %.3g in float, %.3g in double\n", of_floats, of_doubles);
  EXPECT_LE(of_floats, 2e-7);
  EXPECT_LE(of_doubles, 4e-16);
}

}  // namespace
