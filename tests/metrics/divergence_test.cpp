// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/divergence.hpp>
#include <vector>

namespace {

const std::vector<double> a{0.5, 0.5, 0}, b{0.25, 0.5, 0.25};

TEST(KlDivergence, AgreesWithHandComputation) {
  EXPECT_NEAR(chaff::kl_divergence(a, b), 0.5 * std::log(2.0), 1e-15);
  EXPECT_EQ(chaff::kl_divergence(b, a), std::numeric_limits<double>::infinity());
  EXPECT_EQ(chaff::kl_divergence(a, a), 0.0);
  const std::vector<double> sure{0.25}, unsure{0.5};
  EXPECT_NEAR(chaff::kl_divergence(sure, unsure), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-15);
}

TEST(JensenShannon, AgreesWithHandComputationAndIsSymmetric) {
  // m = (0.375, 0.5, 0.125)
  const double exact = (0.5 * std::log(0.5 / 0.375) + 0.25 * std::log(0.25 / 0.375) + 0.25 * std::log(2.0)) / 2;
  EXPECT_NEAR(chaff::jensen_shannon(a, b), exact, 1e-15);
  EXPECT_NEAR(chaff::jensen_shannon(b, a), exact, 1e-15);
  EXPECT_NEAR(chaff::jensen_shannon(std::vector<float>{1, 0}, std::vector<float>{0, 1}), std::log(2.0), 1e-15);
}

TEST(Divergence, OfBatchesIsTheMeanOverRows) {
  const std::vector<double> rows{0.5, 0.5, 0.25, 0.75}, others{0.5, 0.5, 0.5, 0.5};
  const double second = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(chaff::kl_divergence(rows, others, 2), second / 2, 1e-15);
  EXPECT_NEAR(chaff::jensen_shannon(rows, others, 2),
              chaff::jensen_shannon(std::vector<double>{0.25, 0.75}, std::vector<double>{0.5, 0.5}) / 2, 1e-15);
  EXPECT_THROW(static_cast<void>(chaff::kl_divergence(rows, others, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::jensen_shannon(rows, a)), std::invalid_argument);
}

}  // namespace
