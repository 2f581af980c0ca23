// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/argmax.hpp>

#include "support/edge_case_rows.hpp"

namespace {

template <class T>
void expect_agreement_with_a_scan() {
  for (const std::size_t classes : edge_case_sizes) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      EXPECT_EQ(chaff::argmax(std::span<const T>(z)), argmax_by_scan(z)) << name << ", K " << classes;
    }
  }
}
TEST(Argmax, IsTheLowestIndexOfTheLargestValue) {
  expect_agreement_with_a_scan<float>();
  expect_agreement_with_a_scan<double>();
}

template <class T>
void expect_label_and_nan_found() {
  for (std::size_t classes = 1; classes < 600; classes += 13) {
    for (std::size_t at = 0; at < classes; ++at) {
      std::vector<T> z(classes, T(-2));
      z[at] = 1;
      if (at + 1 < classes) z[classes - 1] = 1;
      EXPECT_EQ(chaff::detail::find_argmax(z.data(), classes).index, at);
      EXPECT_EQ(chaff::detail::find_argmax(z.data(), classes).value, T(1));
      EXPECT_FALSE(chaff::detail::find_argmax(z.data(), classes).has_nan);
      z[at] = std::numeric_limits<T>::quiet_NaN();
      EXPECT_TRUE(chaff::detail::find_argmax(z.data(), classes).has_nan);
    }
  }
}
TEST(Argmax, FindsTheLabelAndANaNAtEveryIndex) {
  expect_label_and_nan_found<float>();
  expect_label_and_nan_found<double>();
}

TEST(Argmax, InfinitiesOfBothSignsAreNoNaN) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (std::size_t classes = 2; classes < 200; classes += 7) {
    for (std::size_t at = 0; at < classes; ++at) {
      std::vector<double> z(classes, 2.0);
      z[at] = infinity;
      z[(at + 1) % classes] = -infinity;
      const auto top = chaff::detail::find_argmax(z.data(), classes);
      EXPECT_FALSE(top.has_nan);
      EXPECT_EQ(top.index, at);
      EXPECT_EQ(top.value, infinity);
    }
  }
}

}  // namespace
