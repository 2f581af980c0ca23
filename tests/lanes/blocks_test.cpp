// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/lanes/blocks.hpp>
#include <numeric>
#include <vector>

template <class T>
struct blocks_test : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(blocks_test, types);

TYPED_TEST(blocks_test, partial_load_and_store_touch_only_the_first_lanes) {
  using T = TypeParam;
  constexpr std::size_t n = chaff::lanes_of<T>;
  for (std::size_t count = 0; count < n; ++count) {
    // exactly `count` values on the heap, so that a sanitizer sees one read or written too many
    std::vector<T> from(count);
    std::iota(from.begin(), from.end(), T(1));
    std::vector<T> to(count, T(-1));
    const chaff::lanes<T> value = chaff::load<T>(from.data(), count, T(7));
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(value[i], i < count ? T(i + 1) : T(7));
    chaff::store<T>(to.data(), value, count);
    EXPECT_EQ(to, from);
  }
}

TYPED_TEST(blocks_test, blocks_cover_a_row_once_and_in_order) {
  using T = TypeParam;
  for (std::size_t classes = 0; classes < 3 * chaff::lanes_of<T> + 2; ++classes) {
    std::size_t next = 0;
    chaff::for_each_block<T>(classes, [&](std::size_t first, auto count) {
      EXPECT_EQ(first, next);
      EXPECT_LE(count, chaff::lanes_of<T>);
      EXPECT_EQ((std::is_same_v<decltype(count), chaff::full_block<T>>), count == chaff::lanes_of<T>);
      next += count;
    });
    EXPECT_EQ(next, classes);
  }
}
