// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/ranking.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace {

TEST(confidence_auroc, is_worked_by_hand) {
  // right: 0.9, 0.6; wrong: 0.8, 0.6. Pairs: 0.9 beats both; 0.6 loses to 0.8 and ties with 0.6
  const std::vector<double> rows{0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.4, 0.6};
  EXPECT_DOUBLE_EQ(chaff::confidence_auroc(rows, 2, std::vector<int>{0, 0, 0, 0}), 2.5 / 4);
}

TEST(confidence_auroc, is_the_share_of_pairs) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> percent(50, 100);  // so that confidences tie
  std::vector<double> rows;
  std::vector<int> truth;
  for (int i = 0; i < 500; ++i) {
    const double p = percent(random) / 100.0;
    rows.insert(rows.end(), {1 - p, p});
    truth.push_back(percent(random) < p * 100);
  }
  double won = 0, pairs = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (std::size_t j = 0; j < truth.size(); ++j) {
      const auto named = [&](std::size_t row) {
        return static_cast<int>(chaff::named_label(std::span(&rows[2 * row], 2)));
      };
      const auto sure = [&](std::size_t row) { return std::max(rows[2 * row], rows[2 * row + 1]); };
      if (named(i) != truth[i] || named(j) == truth[j]) continue;
      ++pairs;
      won += sure(i) > sure(j) ? 1 : sure(i) == sure(j) ? 0.5 : 0;
    }
  }
  ASSERT_GT(pairs, 1000);
  EXPECT_NEAR(chaff::confidence_auroc(rows, 2, truth), won / pairs, 1e-12);
}

TEST(confidence_auroc, of_single_sigmoids_is_that_of_their_two_outcomes) {
  const std::vector<float> single{0.9f, 0.3f, 0.4f}, pairs{0.1f, 0.9f, 0.7f, 0.3f, 0.6f, 0.4f};
  const std::vector<int> truth{1, 0, 1};
  EXPECT_EQ(chaff::confidence_auroc(single, 1, truth), 1);
  EXPECT_EQ(chaff::confidence_auroc(pairs, 2, truth), 1);
}

TEST(confidence_auroc, is_not_a_number_where_all_are_right_or_none_is) {
  const std::vector<double> rows{0.9, 0.1, 0.8, 0.2};
  EXPECT_TRUE(std::isnan(chaff::confidence_auroc(rows, 2, std::vector<int>{0, 0})));
  EXPECT_TRUE(std::isnan(chaff::confidence_auroc(rows, 2, std::vector<int>{1, 1})));
}

TEST(accuracy, is_the_share_of_true_labels) {
  const std::vector<double> rows{0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.5, 0.5};
  EXPECT_EQ(chaff::accuracy(rows, 2, std::vector<unsigned char>{0, 1, 1, 0}), 0.75);
}

TEST(ranking_and_accuracy, refuse_sizes_that_do_not_match) {
  const std::vector<double> rows(6);
  EXPECT_THROW(chaff::confidence_auroc(rows, 2, std::vector<int>(2)), std::invalid_argument);
  EXPECT_THROW(chaff::accuracy(rows, 4, std::vector<int>(1)), std::invalid_argument);
  EXPECT_THROW(chaff::accuracy(std::vector<double>(), 2, std::vector<int>()), std::invalid_argument);
}

}  // namespace
