// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/distance.hpp>
#include <vector>

TEST(l1_distance, adds_up_absolute_differences) {
  const std::vector<float> a{0.5f, 0.25f, 0.25f}, b{0.25f, 0.75f, 0};
  EXPECT_EQ(chaff::l1_distance<float>(a, b), 1.0);
  EXPECT_EQ(chaff::l1_distance<float>(a, a), 0.0);
}

TEST(l1_distance, refuses_rows_of_two_sizes) {
  const std::vector<double> a(3), b(2);
  EXPECT_THROW(chaff::l1_distance<double>(a, b), std::invalid_argument);
}
