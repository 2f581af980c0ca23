// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/effect.hpp>
#include <cmath>
#include <vector>

namespace {

const std::vector<float> posteriors{0.7f, 0.2f, 0.1f, 0.1f, 0.8f, 0.1f, 0.4f, 0.3f, 0.3f, 0.2f, 0.2f, 0.6f};
const std::vector<float> answers{0.7f, 0.2f, 0.1f, 0.3f, 0.4f, 0.3f, 0.3f, 0.4f, 0.3f, 0.2f, 0.2f, 0.6f};

TEST(effect, is_worked_by_hand) {
  const chaff::effect found = chaff::effect_of(answers, posteriors, 3);
  EXPECT_EQ(found.rows, 4u);
  EXPECT_EQ(found.touched, 0.5);
  EXPECT_NEAR(found.l1, (0.8 + 0.2) / 4, 1e-6);
  EXPECT_EQ(found.changed, 0.25);
  EXPECT_TRUE(std::isnan(found.before.accuracy) && std::isnan(found.after.auroc));
}

TEST(effect, of_labelled_data_tells_what_the_measures_tell) {
  const std::vector<int> truth{0, 1, 0, 1};
  const chaff::effect found = chaff::effect_of(answers, posteriors, 3, truth);
  EXPECT_EQ(found.before.accuracy, 0.75);
  EXPECT_EQ(found.after.accuracy, 0.5);
  EXPECT_EQ(found.before.calibration_error, chaff::expected_calibration_error(posteriors, 3, truth));
  EXPECT_EQ(found.after.calibration_error, chaff::expected_calibration_error(answers, 3, truth));
  EXPECT_EQ(found.before.auroc, chaff::confidence_auroc(posteriors, 3, truth));
  EXPECT_EQ(found.after.auroc, chaff::confidence_auroc(answers, 3, truth));
}

TEST(effect, counts_no_rounding_as_a_touch) {
  std::vector<float> near = posteriors;
  near[0] += 4e-6f;
  EXPECT_EQ(chaff::effect_of(near, posteriors, 3).touched, 0);
  near[0] += 2e-5f;
  EXPECT_EQ(chaff::effect_of(near, posteriors, 3).touched, 0.25);
}

TEST(effect, refuses_sizes_that_do_not_match) {
  EXPECT_THROW(chaff::effect_of(std::vector<float>(6), posteriors, 3), std::invalid_argument);
  EXPECT_THROW(chaff::effect_of(answers, posteriors, 5), std::invalid_argument);
  EXPECT_THROW(chaff::effect_of(answers, posteriors, 3, std::vector<int>(3)), std::invalid_argument);
}

}  // namespace
