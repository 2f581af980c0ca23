// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/n_largest.hpp>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

namespace {

using chaff::detail::n_largest;
using chaff::detail::numbers_of_row;

TEST(NLargest, OrdersNumbersOfEitherSign) {
  const std::vector<double> numbers{-std::numeric_limits<double>::infinity(), -1e300, -2, -1e-310, 0, 1e-310, 1, 1e300};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(chaff::detail::number_of<double>(chaff::detail::order_of(numbers[i])), numbers[i]);
    if (i > 0) {
      EXPECT_LT(chaff::detail::order_of(numbers[i - 1]), chaff::detail::order_of(numbers[i]));
    }
  }
  EXPECT_EQ(chaff::detail::order_of(-0.0f), chaff::detail::order_of(0.0f));
  EXPECT_LT(chaff::detail::order_of(std::int32_t{-1}), chaff::detail::order_of(std::int32_t{0}));
  EXPECT_EQ(chaff::detail::number_of<std::int32_t>(chaff::detail::order_of(std::int32_t{-7})), -7);
}

/// Compares the selection with a stable sort: for every n of a short row, and for some n of a long one.
template <class T>
void expect_agreement_with_sorting(const std::vector<T>& row) {
  std::vector<std::size_t> order(row.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return row[i] > row[j]; });
  for (std::size_t n = 1; n <= row.size(); n += n < 12 || row.size() < 200 ? 1 : row.size() / 5) {
    std::vector<bool> expected(row.size());
    for (std::size_t i = 0; i < n; ++i) expected[order[i]] = true;
    const auto found = n_largest(numbers_of_row<T>{row}, n);
    for (std::size_t i = 0; i < row.size(); ++i) {
      ASSERT_EQ(found.has(i, row[i]), expected[i]) << "class " << i << " of " << row.size() << ", n = " << n;
    }
    for (std::size_t first = 0; first < row.size(); first += chaff::simd::width<T>) {
      const auto block = chaff::simd::load_some<T>(row.data() + first, row.size() - first, T(0));
      const auto mask = found.of_block(first, block);
      for (std::size_t i = first; i < std::min(row.size(), first + chaff::simd::width<T>); ++i) {
        ASSERT_EQ(mask[i - first], expected[i] ? -1 : 0) << "class " << i << " of a block, n = " << n;
      }
    }
  }
}

template <class T>
void expect_agreement_on_rows_of_all_kinds() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, 2);
  const std::function<T(std::size_t)> kinds[] = {
      [&](std::size_t) { return static_cast<T>(std::exp(normal(random))); },
      [&](std::size_t) { return static_cast<T>(random() % 6); },     // many ties
      [&](std::size_t) { return random() % 9 == 0 ? T(1) : T(0); },  // hardly any other than 0
      [&](std::size_t) { return T(0.01); },                          // all equal
      [&](std::size_t i) { return static_cast<T>(std::ldexp(1.0, -static_cast<int>(i % 140))); },  // far apart
      [&](std::size_t i) { return i % 7 == 0   ? infinity
                                  : i % 5 == 0 ? -infinity
                                               : static_cast<T>(normal(random)); },
      [&](std::size_t i) { return i % 2 == 0 ? T(0) : -T(0); },
      [&](std::size_t i) { return i % 16 == 3 ? static_cast<T>(1 + i) : T(0); },  // the largest in one group
  };
  for (const auto& kind : kinds) {
    for (const std::size_t size : {1u, 2u, 3u, 7u, 10u, 16u, 31u, 32u, 33u, 40u, 64u, 100u, 1000u, 1003u}) {
      std::vector<T> row(size);
      for (std::size_t i = 0; i < size; ++i) row[i] = kind(i);
      expect_agreement_with_sorting(row);
    }
  }
}

TEST(NLargest, AgreesWithSortingOfFloats) {
  expect_agreement_on_rows_of_all_kinds<float>();
}
TEST(NLargest, AgreesWithSortingOfDoubles) {
  expect_agreement_on_rows_of_all_kinds<double>();
}

/// Numbers that count the passes over them.
struct counted_numbers {
  using number = float;
  std::span<const float> row;
  std::size_t* blocks;

  std::size_t size() const { return row.size(); }
  float at(std::size_t i) const { return row[i]; }
  chaff::simd::vec<float> block(std::size_t first, float fill) const {
    ++*blocks;
    return numbers_of_row<float>{row}.block(first, fill);
  }
};

TEST(NLargest, TakesAtMostTwoPassesForEachBitWhateverTheRow) {
  std::vector<float> row(1024);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = std::bit_cast<float>(static_cast<std::uint32_t>((std::uint64_t{1} << (i % 31)) - 1));  // far apart as bits
  }
  row[3] = std::numeric_limits<float>::infinity();
  for (const std::size_t n : {1u, 5u, 8u, 9u, 100u, 512u, 1000u, 1023u}) {
    std::size_t blocks = 0;
    n_largest(counted_numbers{row, &blocks}, n);
    EXPECT_LE(blocks, 67 * row.size() / chaff::simd::width<float>) << "n = " << n;
  }
}

}  // namespace
