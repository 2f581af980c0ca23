// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/distance.hpp>
#include <vector>

namespace {

const std::vector<float> a{0.5f, 0.25f, 0.25f};
const std::vector<double> b{0.25, 0.75, 0};

TEST(Distance, AddsUpAbsoluteDifferences) {
  EXPECT_EQ(chaff::l1_distance(a, b), 1.0);
  EXPECT_EQ(chaff::l1_distance(a, a), 0.0);
  EXPECT_EQ(chaff::total_variation(a, b), 0.5);
}

TEST(Distance, OfASingleSigmoidEqualsThatOfItsTwoOutcomes) {
  EXPECT_EQ(chaff::l1_distance(std::vector<double>{0.25}, std::vector<double>{0.75}),
            chaff::l1_distance(std::vector<double>{0.25, 0.75}, std::vector<double>{0.75, 0.25}));
}

TEST(Distance, OfBatchesIsTheMeanOverRows) {
  const std::vector<double> rows{0.5, 0.5, 0.25, 0.75}, others{0.5, 0.5, 0.5, 0.5};
  EXPECT_EQ(chaff::l1_distance(rows, others, 2), 0.25);
  EXPECT_EQ(chaff::total_variation(rows, others, 2), 0.125);
}

TEST(Distance, RefusesSizesThatDoNotMatch) {
  const std::vector<double> three(3), two(2), none;
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(three, two)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(none, none)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(three, two, 1)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(three, three, 2)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(three, three, 0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::l1_distance(none, none, 2)), std::invalid_argument);
}

}  // namespace
