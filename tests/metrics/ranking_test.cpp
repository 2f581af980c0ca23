// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/ranking.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace {

TEST(ConfidenceAuroc, AgreesWithHandComputation) {
  // correct: 0.9, 0.6; incorrect: 0.8, 0.6. Pairs: 0.9 ranks before both; 0.6 ranks after 0.8 and ties with 0.6
  const std::vector<double> rows{0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.4, 0.6};
  EXPECT_DOUBLE_EQ(chaff::confidence_auroc(rows, 2, std::vector<int>{0, 0, 0, 0}), 2.5 / 4);
}

TEST(ConfidenceAuroc, ReturnsForConfidencesThatAreNotNumbers) {
  const std::vector<double> sigmoids{0.9, std::nan(""), 0.2, std::nan("")};
  const double auroc = chaff::confidence_auroc(sigmoids, 1, std::vector<int>{1, 1, 1, 0});
  EXPECT_TRUE(std::isnan(auroc) || (auroc >= 0 && auroc <= 1));
}

TEST(ConfidenceAuroc, IsTheShareOfPairsInOrder) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> percent(50, 100);  // so that confidences tie
  std::vector<double> rows;
  std::vector<int> labels;
  for (int i = 0; i < 500; ++i) {
    const double p = percent(random) / 100.0;
    rows.insert(rows.end(), {1 - p, p});
    labels.push_back(percent(random) < p * 100);
  }
  double in_order = 0, pairs = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < labels.size(); ++j) {
      const auto predicted = [&](std::size_t row) {
        return static_cast<int>(chaff::predicted_label(std::span(&rows[2 * row], 2)));
      };
      const auto confidence = [&](std::size_t row) { return std::max(rows[2 * row], rows[2 * row + 1]); };
      if (predicted(i) != labels[i] || predicted(j) == labels[j]) continue;
      ++pairs;
      in_order += confidence(i) > confidence(j) ? 1 : confidence(i) == confidence(j) ? 0.5 : 0;
    }
  }
  ASSERT_GT(pairs, 1000);
  EXPECT_NEAR(chaff::confidence_auroc(rows, 2, labels), in_order / pairs, 1e-12);
}

TEST(ConfidenceAuroc, OfSingleSigmoidsEqualsThatOfTheirTwoOutcomes) {
  const std::vector<float> single{0.9f, 0.3f, 0.4f}, pairs{0.1f, 0.9f, 0.7f, 0.3f, 0.6f, 0.4f};
  const std::vector<int> labels{1, 0, 1};
  EXPECT_EQ(chaff::confidence_auroc(single, 1, labels), 1);
  EXPECT_EQ(chaff::confidence_auroc(pairs, 2, labels), 1);
}

TEST(ConfidenceAuroc, IsNanWhereAllAreCorrectOrNoneIs) {
  const std::vector<double> rows{0.9, 0.1, 0.8, 0.2};
  EXPECT_TRUE(std::isnan(chaff::confidence_auroc(rows, 2, std::vector<int>{0, 0})));
  EXPECT_TRUE(std::isnan(chaff::confidence_auroc(rows, 2, std::vector<int>{1, 1})));
}

TEST(ConfidenceAuroc, RefusesSizesThatDoNotMatch) {
  const std::vector<double> rows(6);
  EXPECT_THROW(static_cast<void>(chaff::confidence_auroc(rows, 2, std::vector<int>(2))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::confidence_auroc(rows, 4, std::vector<int>(1))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::confidence_auroc(std::vector<double>(), 2, std::vector<int>())),
               std::invalid_argument);
}

}  // namespace
