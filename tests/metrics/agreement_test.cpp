// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/metrics/agreement.hpp>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace {

TEST(LabelAgreement, IsTheShareOfRowsWithTheSamePrediction) {
  const std::vector<float> a{0.5f, 0.25f, 0.25f, 0.2f, 0.2f, 0.6f}, b{0.4f, 0.4f, 0.2f, 0.1f, 0.5f, 0.4f};
  EXPECT_EQ(chaff::label_agreement(a, b, 3), 0.5) << "a tie predicts the lowest index";
  EXPECT_EQ(chaff::label_agreement(a, a, 3), 1.0);
  EXPECT_EQ(chaff::label_agreement(std::vector<double>{0.1, 0.9}, std::vector<double>{0.4, 0.6}), 1.0);
  EXPECT_EQ(chaff::label_agreement(std::vector<double>{0.1, 0.9}, std::vector<double>{0.6, 0.4}), 0.0);
}

TEST(LabelAgreement, OfSingleSigmoidsIsTheSideOfOneHalf) {
  EXPECT_EQ(chaff::label_agreement(std::vector<double>{0.9, 0.4, 0.5}, std::vector<double>{0.6, 0.6, 0.1}, 1), 2.0 / 3);
}

TEST(Accuracy, IsTheShareThatPredictsTheTrueLabel) {
  const std::vector<double> rows{0.9, 0.1, 0.2, 0.8, 0.5, 0.5};
  EXPECT_EQ(chaff::accuracy(rows, 2, std::vector<int>{0, 0, 0}), 2.0 / 3);
  for (const std::size_t labels : {0u, 2u, 4u}) {
    EXPECT_THROW(static_cast<void>(chaff::accuracy(rows, 2, std::vector<int>(labels))), std::invalid_argument);
  }
}

TEST(Accuracy, TakesLabelsOfAnyIntegerType) {
  const std::vector<double> rows{0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.5, 0.5};
  EXPECT_EQ(chaff::accuracy(rows, 2, std::vector<unsigned char>{0, 1, 1, 0}), 0.75);
}

TEST(Accuracy, RefusesATrueLabelThatIsNoClass) {
  const std::vector<double> rows{0.9, 0.1, 0.8, 0.2};
  EXPECT_THROW(static_cast<void>(chaff::accuracy(rows, 2, std::vector<int>{0, 2})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::accuracy(rows, 2, std::vector<int>{-1, 0})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::accuracy(rows, 1, std::vector<int>{0, 1, 2, 0})), std::invalid_argument);
  EXPECT_EQ(chaff::accuracy(rows, 1, std::vector<int>{1, 0, 1, 0}), 1);
}

TEST(Accuracy, RefusesSizesThatDoNotMatch) {
  const std::vector<double> rows(6);
  EXPECT_THROW(static_cast<void>(chaff::accuracy(rows, 4, std::vector<int>(1))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::accuracy(std::vector<double>(), 2, std::vector<int>())), std::invalid_argument);
}

TEST(TopKAgreement, CountsCommonClasses) {
  const std::vector<double> a{0.4, 0.3, 0.2, 0.1}, b{0.4, 0.1, 0.2, 0.3};
  EXPECT_EQ(chaff::top_k_agreement(a, b, 1), 1.0);
  EXPECT_EQ(chaff::top_k_agreement(a, b, 2), 0.5);
  EXPECT_EQ(chaff::top_k_agreement(a, b, 3), 2.0 / 3);
  EXPECT_EQ(chaff::top_k_agreement(a, b, 4), 1.0);
  const std::vector<double> twice{0.4, 0.3, 0.2, 0.1, 0.4, 0.3, 0.2, 0.1},
      mixed{0.4, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1};
  EXPECT_EQ(chaff::top_k_agreement(twice, mixed, 4, 2), 0.75);
}

TEST(TopKAgreement, EqualsThatOfSortedRows) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> rows[2];
    std::set<std::size_t> top[2];
    const std::size_t classes = 2 + random() % 40, k = 1 + random() % classes;
    for (int side = 0; side < 2; ++side) {
      for (std::size_t i = 0; i < classes; ++i) rows[side].push_back(static_cast<float>(random() % 8));  // many ties
      std::vector<std::size_t> order(classes);
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t i, std::size_t j) { return rows[side][i] > rows[side][j]; });
      top[side].insert(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k));
    }
    std::size_t common = 0;
    for (const std::size_t i : top[0]) common += top[1].count(i);
    ASSERT_EQ(chaff::top_k_agreement(rows[0], rows[1], k), static_cast<double>(common) / static_cast<double>(k));
  }
}

TEST(TopKAgreement, RefusesKOutOfRange) {
  const std::vector<double> a{0.4, 0.6};
  EXPECT_THROW(static_cast<void>(chaff::top_k_agreement(a, a, 0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::top_k_agreement(a, a, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::top_k_agreement(a, a, 1, 1)), std::invalid_argument);
}

}  // namespace
