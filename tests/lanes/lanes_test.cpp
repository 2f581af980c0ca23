// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/lanes/lanes.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

template <class T>
struct lanes_test : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(lanes_test, types);

TYPED_TEST(lanes_test, folds_reach_every_lane) {
  using T = TypeParam;
  for (std::size_t i = 0; i < chaff::lanes_of<T>; ++i) {
    chaff::lanes<T> value{};
    value[i] = T(5);
    EXPECT_EQ(chaff::sum_of<T>(value), T(5));
    EXPECT_EQ(chaff::most_of<T>(value), T(5));
    value[i] = T(-5);
    EXPECT_EQ(chaff::least_of<T>(value), T(-5));
  }
}

TYPED_TEST(lanes_test, any_of_sees_every_lane) {
  using T = TypeParam;
  EXPECT_FALSE(chaff::any_of<T>(chaff::mask<T>{}));
  for (std::size_t i = 0; i < chaff::lanes_of<T>; ++i) {
    chaff::mask<T> one{};
    one[i] = -1;
    EXPECT_TRUE(chaff::any_of<T>(one)) << i;
  }
}

TYPED_TEST(lanes_test, folds_add_by_halves) {
  using T = TypeParam;
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> draw(0, 1);
  for (int n = 0; n < 1000; ++n) {
    chaff::lanes<T> value;
    std::vector<T> parts(chaff::lanes_of<T>);
    for (std::size_t i = 0; i < parts.size(); ++i) value[i] = parts[i] = static_cast<T>(draw(random));
    for (std::size_t half = parts.size() / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) parts[i] += parts[i + half];
    }
    ASSERT_EQ(chaff::sum_of<T>(value), parts[0]);
  }
}

TYPED_TEST(lanes_test, least_and_most_take_the_second_where_one_is_nan) {
  using T = TypeParam;
  const auto of = [](T x) { return chaff::broadcast(x); };
  const T nan = std::numeric_limits<T>::quiet_NaN();
  EXPECT_EQ(chaff::least<T>(of(1), of(2))[0], T(1));
  EXPECT_EQ(chaff::least<T>(of(2), of(1))[0], T(1));
  EXPECT_EQ(chaff::most<T>(of(1), of(2))[0], T(2));
  EXPECT_EQ(chaff::most<T>(of(2), of(1))[0], T(2));
  EXPECT_EQ(chaff::least<T>(of(nan), of(1))[0], T(1));
  EXPECT_EQ(chaff::most<T>(of(nan), of(1))[0], T(1));
  EXPECT_TRUE(std::isnan(chaff::least<T>(of(1), of(nan))[0]));
  EXPECT_TRUE(std::isnan(chaff::most<T>(of(1), of(nan))[0]));
}

TYPED_TEST(lanes_test, fused_horner_and_estrin_are_what_they_say) {
  using T = TypeParam;
  const auto of = [](T x) { return chaff::broadcast(x); };
  EXPECT_EQ(chaff::fused<T>(of(2), of(3), of(4))[0], T(10));
  // exact in T whatever the order of the steps, for every number of coefficients
  EXPECT_EQ(chaff::horner<T>(of(3), T(5))[0], T(5));
  EXPECT_EQ(chaff::horner<T>(of(3), T(5), T(7), T(2))[0], T(5 + 7 * 3 + 2 * 9));
  EXPECT_EQ(chaff::estrin<T>(of(3), T(5))[0], T(5));
  EXPECT_EQ(chaff::estrin<T>(of(3), T(5), T(7))[0], T(5 + 7 * 3));
  EXPECT_EQ(chaff::estrin<T>(of(3), T(5), T(7), T(2))[0], T(5 + 7 * 3 + 2 * 9));
  EXPECT_EQ(chaff::estrin<T>(of(3), T(5), T(7), T(2), T(1), T(4), T(6), T(8))[0],
            T(5 + 7 * 3 + 2 * 9 + 27 + 4 * 81 + 6 * 243 + 8 * 729));
}
