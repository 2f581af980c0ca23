// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/calibration_error.hpp>
#include <random>
#include <vector>

namespace {

TEST(CalibrationError, AgreesWithHandComputation) {
  // confidences 0.9 (correct), 0.9 (incorrect), 0.6 (correct); the bins of 0.9 and 0.6 differ
  const std::vector<double> rows{0.9, 0.1, 0.9, 0.1, 0.4, 0.6};
  EXPECT_NEAR(chaff::expected_calibration_error(rows, 2, std::vector<int>{0, 1, 1}), (2 * 0.4 + 0.4) / 3, 1e-15);
}

TEST(CalibrationError, OfOneOutputIsItsDistanceFromTheTrueLabel) {
  const std::vector<float> row{0.25f, 0.75f};
  EXPECT_EQ(chaff::expected_calibration_error(row, 1), 0.25);
  EXPECT_EQ(chaff::expected_calibration_error(row, 0), 0.75);
}

TEST(CalibrationError, OfSingleSigmoidsEqualsThatOfTheirTwoOutcomes) {
  const std::vector<double> single{0.9, 0.3}, pairs{0.1, 0.9, 0.7, 0.3};
  for (const auto& labels : {std::vector<int>{1, 0}, std::vector<int>{0, 0}, std::vector<int>{1, 1}}) {
    EXPECT_NEAR(chaff::expected_calibration_error(single, 1, labels),
                chaff::expected_calibration_error(pairs, 2, labels), 1e-15);
  }
}

TEST(CalibrationError, PutsABoundaryIntoTheBinBelow) {
  // 0.6 = 9 / 15 and 0.61 lie in two bins: |0 - 0.6| and |1 - 0.61| do not cancel
  const std::vector<double> rows{0.6, 0.4, 0.61, 0.39};
  EXPECT_NEAR(chaff::expected_calibration_error(rows, 2, std::vector<int>{1, 0}), (0.6 + 0.39) / 2, 1e-12);
  // 0.59 and 0.6 lie in one: they do
  const std::vector<double> together{0.59, 0.41, 0.6, 0.4};
  EXPECT_NEAR(chaff::expected_calibration_error(together, 2, std::vector<int>{1, 0}), std::abs(-0.59 + 0.4) / 2, 1e-12);
}

TEST(CalibrationError, HasFifteenBinsThatHoldEveryConfidence) {
  EXPECT_EQ(chaff::calibration_bin(0), 0u);
  EXPECT_EQ(chaff::calibration_bin(0.0666), 0u);
  EXPECT_EQ(chaff::calibration_bin(0.0667), 1u);
  EXPECT_EQ(chaff::calibration_bin(0.9333), 13u);
  EXPECT_EQ(chaff::calibration_bin(0.9334), 14u);
  EXPECT_EQ(chaff::calibration_bin(1), 14u);
  EXPECT_EQ(chaff::calibration_bin(1 + 1e-6), 14u) << "a confidence that rounding lifted above 1";
}

TEST(CalibrationError, OfCalibratedOutputsIsSmall) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<double> rows;
  std::vector<int> labels;
  for (int i = 0; i < 100000; ++i) {
    const double p = 0.5 + uniform(random) / 2;
    rows.insert(rows.end(), {1 - p, p});
    labels.push_back(uniform(random) < p);
  }
  EXPECT_LT(chaff::expected_calibration_error(rows, 2, labels), 0.01);
  for (double& p : rows) p = p > 0.5 ? 1 : 0;
  EXPECT_NEAR(chaff::expected_calibration_error(rows, 2, labels), 0.25, 0.01);
}

TEST(CalibrationError, RefusesSizesThatDoNotMatch) {
  const std::vector<double> rows(6);
  EXPECT_THROW(static_cast<void>(chaff::expected_calibration_error(rows, 2, std::vector<int>(2))),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::expected_calibration_error(rows, 4, std::vector<int>(1))),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::expected_calibration_error(rows, 0, std::vector<int>(1))),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::expected_calibration_error(std::vector<double>(), 2, std::vector<int>())),
               std::invalid_argument);
}

}  // namespace
