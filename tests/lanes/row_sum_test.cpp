// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/lanes/row_sum.hpp>
#include <random>
#include <vector>

template <class T>
struct row_sum_test : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(row_sum_test, types);

TYPED_TEST(row_sum_test, stays_precise_on_long_rows) {
  using T = TypeParam;
  chaff::row_sum<T> sum;
  const std::size_t blocks = 100'000;
  for (std::size_t i = 0; i < blocks; ++i) sum.add(chaff::broadcast(T(0.1)));
  const double exact = static_cast<double>(T(0.1)) * static_cast<double>(blocks * chaff::lanes_of<T>);
  EXPECT_NEAR(sum.total() / exact, 1, 70 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

TYPED_TEST(row_sum_test, sum_over_adds_in_the_same_order) {
  using T = TypeParam;
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> draw(0, 1);
  for (std::size_t classes = 1; classes < 70 * chaff::lanes_of<T>; classes += 1 + classes / 7) {
    std::vector<T> row(classes);
    for (T& x : row) x = static_cast<T>(draw(random));
    chaff::row_sum<T> sum;
    const auto term = [&](std::size_t first, auto count) { return chaff::load<T>(row.data() + first, count, T(0)); };
    chaff::for_each_block<T>(classes, [&](std::size_t first, auto count) { sum.add(term(first, count)); });
    ASSERT_EQ(chaff::sum_over<T>(classes, term), sum.total()) << classes;
  }
}
