// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/simd/widen.hpp>
#include <numeric>
#include <vector>

namespace {

constexpr std::size_t width = chaff::simd::width<float>;
constexpr std::size_t half = chaff::simd::width<double>;

template <class T>
void expect_numbers_in_order_and_zeros_after_them() {
  for (std::size_t count = 0; count <= 2 * width; ++count) {
    std::vector<T> from(count);  // on the heap, so that a sanitizer detects an access past them
    std::iota(from.begin(), from.end(), T(0.5));
    const auto wide = chaff::simd::load_wide<T>(from.data(), count);
    for (std::size_t i = 0; i < width; ++i) {
      EXPECT_EQ(wide[i / half][i % half], i < count ? static_cast<double>(i) + 0.5 : 0.0) << count;
    }
  }
}

TEST(Widen, LoadsFloatsAndDoublesInOrder) {
  expect_numbers_in_order_and_zeros_after_them<float>();
  expect_numbers_in_order_and_zeros_after_them<double>();
}

TEST(Widen, WordsAreTheLowAndTheHighHalves) {
  chaff::simd::wide_block<std::uint64_t> wide{};
  for (std::size_t i = 0; i < width; ++i) wide[i / half][i % half] = (std::uint64_t{100 + i} << 32) | (7 * i + 1);
  const auto low = chaff::simd::words_of<0>(wide), high = chaff::simd::words_of<1>(wide);
  for (std::size_t i = 0; i < width; ++i) {
    EXPECT_EQ(low[i], 7 * i + 1);
    EXPECT_EQ(high[i], 100 + i);
  }
}

}  // namespace
