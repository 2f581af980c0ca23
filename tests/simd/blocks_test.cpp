// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/blocks.hpp>
#include <numeric>
#include <vector>

template <class T>
struct Blocks : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(Blocks, types);

TYPED_TEST(Blocks, PartialLoadAndStoreAccessOnlyTheFirstLanes) {
  using T = TypeParam;
  constexpr std::size_t width = chaff::simd::width<T>;
  for (std::size_t count = 0; count < width; ++count) {
    // exactly `count` values on the heap, so that a sanitizer detects an access past them
    std::vector<T> from(count);
    std::iota(from.begin(), from.end(), T(1));
    std::vector<T> to(count, T(-1));
    const chaff::simd::vec<T> value = chaff::simd::load<T>(from.data(), count, T(7));
    for (std::size_t i = 0; i < width; ++i) EXPECT_EQ(value[i], i < count ? T(i + 1) : T(7));
    chaff::simd::store<T>(to.data(), value, count);
    EXPECT_EQ(to, from);
  }
}

TYPED_TEST(Blocks, LoadSomeAndStoreSomeTakeAnyCount) {
  using T = TypeParam;
  constexpr std::size_t width = chaff::simd::width<T>;
  for (std::size_t count = 0; count < 3 * width; ++count) {
    std::vector<T> from(count);
    std::iota(from.begin(), from.end(), T(1));
    std::vector<T> to(count, T(-1));
    const chaff::simd::vec<T> value = chaff::simd::load_some<T>(from.data(), count, T(7));
    for (std::size_t i = 0; i < width; ++i) EXPECT_EQ(value[i], i < count ? T(i + 1) : T(7));
    chaff::simd::store_some<T>(to.data(), value, count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(to[i], i < width ? from[i] : T(-1));
  }
}

TYPED_TEST(Blocks, ForEachBlockCoversARowOnceAndInOrder) {
  using T = TypeParam;
  constexpr std::size_t width = chaff::simd::width<T>;
  for (std::size_t classes = 0; classes < 3 * width + 2; ++classes) {
    std::size_t next = 0;
    chaff::simd::for_each_block<T>(classes, [&](std::size_t first, auto count) {
      EXPECT_EQ(first, next);
      EXPECT_LE(count, width);
      EXPECT_EQ((std::is_same_v<decltype(count), chaff::simd::full_block<T>>), count == width);
      next += count;
    });
    EXPECT_EQ(next, classes);
    next = 0;
    chaff::simd::for_each_block_compact<T>(classes, [&](std::size_t first, std::size_t count) {
      EXPECT_EQ(first, next);
      EXPECT_EQ(count, classes - first);
      next += std::min(count, width);
    });
    EXPECT_EQ(next, classes);
  }
}
