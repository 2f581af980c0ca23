// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <bit>
#include <chaff/lanes/exponential.hpp>
#include <random>

#include "support/close.hpp"

namespace {

TEST(exp_nonpositive, every_seventh_float) {
  double worst = 0;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(-0.0f);
  const std::uint32_t end = std::bit_cast<std::uint32_t>(-87.3365f);
  while (bits < end) {
    chaff::lanes<float> x;
    for (std::size_t i = 0; i < chaff::lanes_of<float>; ++i)
      x[i] = std::bit_cast<float>(bits + 7 * static_cast<std::uint32_t>(i));
    bits += 7 * static_cast<std::uint32_t>(chaff::lanes_of<float>);
    const chaff::lanes<float> y = chaff::exp_nonpositive<float>(x);
    for (std::size_t i = 0; i < chaff::lanes_of<float>; ++i) {
      if (x[i] < -87.3365f) continue;
      const double exact = std::exp(static_cast<double>(x[i]));
      if (exact < 0x1p-126) continue;
      worst = std::max(worst, ulps<float>(y[i], exact));
    }
  }
  RecordProperty("worst_ulp", std::to_string(worst));
  std::printf("largest error %.3f ULP\n", worst);
  EXPECT_LE(worst, 1.5);
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
  EXPECT_LE(worst, 1.5);
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

TEST(exp2_nonpositive, within_its_absolute_error) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> draw(-126, 0);
  double worst_float = 0, worst_double = 0;
  for (int n = 0; n < 4'000'000; ++n) {
    const double x = n % 2 ? draw(random) : draw(random) / 40;
    const float narrow = static_cast<float>(x);
    worst_float = std::max(worst_float,
                           std::abs(static_cast<double>(chaff::exp2_nonpositive<float>(chaff::broadcast(narrow))[0]) -
                                    std::exp2(static_cast<double>(narrow))));
    worst_double =
        std::max(worst_double, std::abs(chaff::exp2_nonpositive<double>(chaff::broadcast(x))[0] - std::exp2(x)));
  }
  std::printf("largest error %.3g in float, %.3g in double\n", worst_float, worst_double);
  EXPECT_LE(worst_float, 2e-7);
  EXPECT_LE(worst_double, 4e-16);
}

}  // namespace
