// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/row_sum.hpp>
#include <random>
#include <vector>

template <class T>
struct RowSum : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(RowSum, types);

TYPED_TEST(RowSum, StaysPreciseOnLongRows) {
  using T = TypeParam;
  chaff::simd::row_sum<T> sum;
  const std::size_t blocks = 100'000;
  for (std::size_t i = 0; i < blocks; ++i) sum.add(chaff::simd::broadcast(T(0.1)));
  const double exact = static_cast<double>(T(0.1)) * static_cast<double>(blocks * chaff::simd::width<T>);
  EXPECT_NEAR(sum.total() / exact, 1, 21 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

TYPED_TEST(RowSum, SumOverRowAddsInTheSameOrder) {
  using T = TypeParam;
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> draw(0, 1);
  for (std::size_t classes = 1; classes < 70 * chaff::simd::width<T>; classes += 1 + classes / 7) {
    std::vector<T> row(classes);
    for (T& x : row) x = static_cast<T>(draw(random));
    const auto term = [&](std::size_t first, auto count) {
      return chaff::simd::load<T>(row.data() + first, count, T(0));
    };
    chaff::simd::row_sum<T> sum;
    chaff::simd::for_each_block<T>(classes, [&](std::size_t first, auto count) { sum.add(term(first, count)); });
    ASSERT_EQ(chaff::simd::sum_over_row<T>(classes, term), sum.total()) << classes;
  }
}
