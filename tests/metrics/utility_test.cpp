// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/utility.hpp>
#include <cmath>
#include <vector>

namespace {

const std::vector<float> posteriors{0.7f, 0.2f, 0.1f, 0.1f, 0.8f, 0.1f, 0.4f, 0.3f, 0.3f, 0.2f, 0.2f, 0.6f};
const std::vector<float> outputs{0.7f, 0.2f, 0.1f, 0.3f, 0.4f, 0.3f, 0.3f, 0.4f, 0.3f, 0.2f, 0.2f, 0.6f};

TEST(Utility, AgreesWithHandComputation) {
  const chaff::utility result = chaff::utility_of(outputs, posteriors, 3);
  EXPECT_EQ(result.rows, 4u);
  EXPECT_EQ(result.perturbed, 0.5);
  EXPECT_NEAR(result.l1, (0.8 + 0.2) / 4, 1e-6);
  EXPECT_EQ(result.label_changes, 0.25);
  EXPECT_TRUE(std::isnan(result.undefended.accuracy) && std::isnan(result.defended.auroc));
}

TEST(Utility, WithTrueLabelsEqualsTheSingleMetrics) {
  const std::vector<int> labels{0, 1, 0, 1};
  const chaff::utility result = chaff::utility_of(outputs, posteriors, 3, labels);
  EXPECT_EQ(result.undefended.accuracy, 0.75);
  EXPECT_EQ(result.defended.accuracy, 0.5);
  EXPECT_EQ(result.undefended.ece, chaff::expected_calibration_error(posteriors, 3, labels));
  EXPECT_EQ(result.defended.ece, chaff::expected_calibration_error(outputs, 3, labels));
  EXPECT_EQ(result.undefended.auroc, chaff::confidence_auroc(posteriors, 3, labels));
  EXPECT_EQ(result.defended.auroc, chaff::confidence_auroc(outputs, 3, labels));
}

TEST(Utility, DoesNotCountRoundingAsPerturbed) {
  std::vector<float> near = posteriors;
  near[0] += 4e-6f;
  EXPECT_EQ(chaff::utility_of(near, posteriors, 3).perturbed, 0);
  near[0] += 2e-5f;
  EXPECT_EQ(chaff::utility_of(near, posteriors, 3).perturbed, 0.25);
}

TEST(Utility, RefusesSizesThatDoNotMatch) {
  EXPECT_THROW(static_cast<void>(chaff::utility_of(std::vector<float>(6), posteriors, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::utility_of(outputs, posteriors, 5)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::utility_of(outputs, posteriors, 3, std::vector<int>(3))),
               std::invalid_argument);
}

}  // namespace
