// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/label.hpp>

#include "support/hostile_rows.hpp"

namespace {

template <class T>
void agrees_with_a_scan() {
  for (const std::size_t classes : hostile_sizes) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      EXPECT_EQ(chaff::label(std::span<const T>(z)), label_by_scan(z)) << name << ", K " << classes;
    }
  }
}
TEST(label, is_the_lowest_index_of_the_largest_value) {
  agrees_with_a_scan<float>();
  agrees_with_a_scan<double>();
}

TEST(label, is_found_at_every_place_and_a_nan_too) {
  for (std::size_t classes = 1; classes < 600; classes += 13) {
    for (std::size_t at = 0; at < classes; ++at) {
      std::vector<float> z(classes, -2.0f);
      z[at] = 1;
      if (at + 1 < classes) z[classes - 1] = 1;
      EXPECT_EQ(chaff::find_argmax(z.data(), classes).index, at);
      EXPECT_FALSE(chaff::find_argmax(z.data(), classes).has_nan);
      z[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(chaff::find_argmax(z.data(), classes).has_nan);
    }
  }
}

TEST(label, a_value_that_is_not_finite_is_noticed_at_every_place) {
  for (std::size_t classes = 1; classes < 200; classes += 7) {
    std::vector<double> z(classes, 2.0);
    EXPECT_TRUE(chaff::find_argmax(z.data(), classes).all_finite);
    for (std::size_t at = 0; at < classes; ++at) {
      z[at] = -std::numeric_limits<double>::infinity();
      EXPECT_FALSE(chaff::find_argmax(z.data(), classes).all_finite);
      z[at] = 2;
    }
  }
}

}  // namespace
