// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/vec.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

template <class T>
struct Vec : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(Vec, types);

TYPED_TEST(Vec, FoldsIncludeEveryLane) {
  using T = TypeParam;
  for (std::size_t i = 0; i < chaff::simd::width<T>; ++i) {
    chaff::simd::vec<T> value{};
    value[i] = T(5);
    EXPECT_EQ(chaff::simd::sum_across<T>(value), T(5));
    EXPECT_EQ(chaff::simd::max_across<T>(value), T(5));
    value[i] = T(-5);
    EXPECT_EQ(chaff::simd::min_across<T>(value), T(-5));
  }
}

TYPED_TEST(Vec, AnyOfTestsEveryLane) {
  using T = TypeParam;
  EXPECT_FALSE(chaff::simd::any_of<T>(chaff::simd::mask<T>{}));
  for (std::size_t i = 0; i < chaff::simd::width<T>; ++i) {
    chaff::simd::mask<T> one{};
    one[i] = -1;
    EXPECT_TRUE(chaff::simd::any_of<T>(one)) << i;
  }
}

TYPED_TEST(Vec, SumAcrossAddsByHalves) {
  using T = TypeParam;
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> draw(0, 1);
  for (int n = 0; n < 1000; ++n) {
    chaff::simd::vec<T> value;
    std::vector<T> parts(chaff::simd::width<T>);
    for (std::size_t i = 0; i < parts.size(); ++i) value[i] = parts[i] = static_cast<T>(draw(random));
    for (std::size_t half = parts.size() / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) parts[i] += parts[i + half];
    }
    ASSERT_EQ(chaff::simd::sum_across<T>(value), parts[0]);
  }
}

TYPED_TEST(Vec, MinimumAndMaximumReturnTheSecondWhereOneIsNaN) {
  using T = TypeParam;
  const auto of = [](T x) { return chaff::simd::broadcast(x); };
  const T nan = std::numeric_limits<T>::quiet_NaN();
  EXPECT_EQ(chaff::simd::minimum<T>(of(1), of(2))[0], T(1));
  EXPECT_EQ(chaff::simd::minimum<T>(of(2), of(1))[0], T(1));
  EXPECT_EQ(chaff::simd::maximum<T>(of(1), of(2))[0], T(2));
  EXPECT_EQ(chaff::simd::maximum<T>(of(2), of(1))[0], T(2));
  EXPECT_EQ(chaff::simd::minimum<T>(of(nan), of(1))[0], T(1));
  EXPECT_EQ(chaff::simd::maximum<T>(of(nan), of(1))[0], T(1));
  EXPECT_TRUE(std::isnan(chaff::simd::minimum<T>(of(1), of(nan))[0]));
  EXPECT_TRUE(std::isnan(chaff::simd::maximum<T>(of(1), of(nan))[0]));
}

TYPED_TEST(Vec, MultiplyAddHornerAndEstrinEvaluateTheirFormulas) {
  using T = TypeParam;
  const auto of = [](T x) { return chaff::simd::broadcast(x); };
  EXPECT_EQ(chaff::simd::multiply_add<T>(of(2), of(3), of(4))[0], T(10));
  // all values are exact in T, whatever the order of the steps and for every number of coefficients
  EXPECT_EQ(chaff::simd::horner<T>(of(3), T(5))[0], T(5));
  EXPECT_EQ(chaff::simd::horner<T>(of(3), T(5), T(7), T(2))[0], T(5 + 7 * 3 + 2 * 9));
  EXPECT_EQ(chaff::simd::estrin<T>(of(3), T(5))[0], T(5));
  EXPECT_EQ(chaff::simd::estrin<T>(of(3), T(5), T(7))[0], T(5 + 7 * 3));
  EXPECT_EQ(chaff::simd::estrin<T>(of(3), T(5), T(7), T(2))[0], T(5 + 7 * 3 + 2 * 9));
  EXPECT_EQ(chaff::simd::estrin<T>(of(3), T(5), T(7), T(2), T(1), T(4), T(6), T(8))[0],
            T(5 + 7 * 3 + 2 * 9 + 27 + 4 * 81 + 6 * 243 + 8 * 729));
}
