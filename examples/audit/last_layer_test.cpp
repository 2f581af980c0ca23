// SPDX-License-Identifier: MIT
/// Looks for the width of the last hidden layer in answers of nets whose width is known.
#include <gtest/gtest.h>
#include <chaff/any_defense.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "last_layer.hpp"
#include "read.hpp"

namespace {

using matrix = Eigen::MatrixXd;

/// The logits W h + b of a random net with a ReLU before its last layer.
matrix logits_of_net(Eigen::Index rows, Eigen::Index width, Eigen::Index classes, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  const auto draw = [&] { return normal(random); };
  const matrix hidden = matrix::NullaryExpr(rows, width, draw).cwiseMax(0);
  const matrix weights = matrix::NullaryExpr(width, classes, draw) * (3 / std::sqrt(static_cast<double>(width)));
  const Eigen::RowVectorXd bias = Eigen::RowVectorXd::NullaryExpr(classes, draw);
  return (hidden * weights).rowwise() + bias;
}

matrix gaussian_logits(Eigen::Index rows, Eigen::Index classes, double sigma, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, sigma);
  return matrix::NullaryExpr(rows, classes, [&] { return normal(random); });
}

/// The answers of a defense to logits, as float.
std::vector<float> answers_to(const matrix& logits, const std::string& defense) {
  const Eigen::Matrix<float, -1, -1, Eigen::RowMajor> values = logits.cast<float>();
  std::vector<float> answers(static_cast<std::size_t>(values.size()));
  chaff::apply_rows(chaff::parse_defense(defense),
                    std::span<const float>(values.data(), static_cast<std::size_t>(values.size())),
                    static_cast<std::size_t>(values.cols()), answers);
  return answers;
}

audit::last_layer last_layer_of(const matrix& logits, const std::string& defense = "none") {
  return audit::find_last_layer(answers_to(logits, defense), static_cast<std::size_t>(logits.cols()));
}

struct shape {
  Eigen::Index width, classes;
};

TEST(LastLayer, WidthOfRandomNetsIsReadOffCleanAnswers) {
  std::mt19937_64 random(1);
  for (const auto& [width, classes] :
       {shape{1, 4}, {2, 10}, {7, 10}, {8, 10}, {16, 40}, {32, 34}, {32, 111}, {90, 100}, {98, 100}, {200, 300}}) {
    for (const Eigen::Index spare : {Eigen::Index{12}, Eigen::Index{30}, Eigen::Index{300}}) {
      const Eigen::Index rows = width + spare;
      const audit::last_layer found = last_layer_of(logits_of_net(rows, width, classes, random));
      if (rows < 64 && width < 4) continue;  // rows of a narrow layer may have no unit above 0
      ASSERT_TRUE(found.width.has_value()) << width << ", " << classes << " classes, " << rows << " rows";
      EXPECT_EQ(*found.width, static_cast<std::size_t>(width)) << classes << " classes, " << rows << " rows";
      EXPECT_GT(found.drop, 1e3);
    }
  }
}

TEST(LastLayer, WidthOfRandomNetsIsReadOffLogitsRoundedToFloat16) {
  std::mt19937_64 random(1);
  // eleven binary digits
  const auto round = [](double z) {
    int exponent = 0;
    const double digits = std::nearbyint(std::ldexp(std::frexp(z, &exponent), 11));
    return std::ldexp(digits, exponent - 11);
  };
  for (const auto& [width, classes] : {shape{2, 10}, {7, 10}, {16, 40}, {32, 36}, {32, 111}, {90, 100}, {200, 300}}) {
    const matrix logits = logits_of_net(width + 300, width, classes, random);
    const audit::last_layer found = last_layer_of(logits.unaryExpr([&](double z) { return round(z); }));
    ASSERT_TRUE(found.width.has_value()) << width << ", " << classes << " classes, drop " << found.drop;
    EXPECT_EQ(*found.width, static_cast<std::size_t>(width));
  }
}

TEST(LastLayer, NoWidthIsReadOffGaussianLogits) {
  std::mt19937_64 random(1);
  for (int repeat = 0; repeat < 20; ++repeat) {
    for (const auto& [rows, classes] : {shape{13, 3},
                                        {20, 10},
                                        {22, 10},
                                        {64, 10},
                                        {50, 50},
                                        {52, 50},
                                        {60, 50},
                                        {40, 50},
                                        {121, 111},
                                        {14, 300},
                                        {600, 3},
                                        {600, 10}}) {
      const audit::last_layer found = last_layer_of(gaussian_logits(rows, classes, 3, random));
      EXPECT_FALSE(found.width.has_value()) << rows << " rows, " << classes << " classes, drop " << found.drop;
      EXPECT_FALSE(found.drop >= 5) << rows << " rows, " << classes << " classes";
    }
  }
}

TEST(LastLayer, NoWidthIsReadOffRealLogitsOfTenClasses) {
  for (const char* file : {"logits.csv", "other_logits.csv", "ood.csv"}) {
    const audit::table table = audit::read_logits(file, false);
    ASSERT_EQ(table.columns, 10u);
    std::vector<float> answers(table.values.size());
    chaff::apply_rows(chaff::none{}, std::span<const float>(table.values), table.columns, answers);
    for (const std::size_t rows : {std::size_t{30}, std::size_t{200}, table.rows()}) {
      for (std::size_t first = 0; first + rows <= table.rows(); first += rows) {
        const std::span<const float> part = std::span(answers).subspan(first * 10, rows * 10);
        EXPECT_FALSE(audit::find_last_layer(part, 10).width) << file << ", " << rows << " rows from " << first;
      }
    }
  }
}

TEST(LastLayer, DefensesHideTheWidthWhereTheyPerturbAllRows) {
  std::mt19937_64 random(1);
  const matrix logits = logits_of_net(300, 32, 111, random);
  EXPECT_EQ(last_layer_of(logits).width, 32u);
  const std::string key = "key=000102030405060708090a0b0c0d0e0f";
  for (const std::string& defense :
       {std::string("dcp(beta=1.2)"), std::string("none | rounded(decimals=4)"),
        "none | gaussian_noise(sigma=0.0001, " + key + ")", std::string("none | top_k(k=5)"),
        std::string("none | label_only"), std::string("reverse_sigmoid")}) {
    const audit::last_layer found = last_layer_of(logits, defense);
    EXPECT_FALSE(found.width.has_value()) << defense << ", drop " << found.drop << " after " << found.drop_after;
  }
  // noise on the logarithms hides it less than noise on probabilities
  EXPECT_EQ(last_layer_of(logits + gaussian_logits(300, 111, 0.01, random)).width, 32u);
}

TEST(LastLayer, ConfidentAnswersOfAGateThatLeavesThemAsTheyAreGiveTheWidthAway) {
  std::mt19937_64 random(1);
  const audit::last_layer found = last_layer_of(logits_of_net(2000, 32, 111, random), "dcp(beta=0.5)");
  EXPECT_EQ(found.width, 32u);
  EXPECT_GT(found.share, 1u);
  EXPECT_NE(audit::verdict_on(found).find("can be read off the most confident "), std::string::npos);
}

TEST(LastLayer, VerdictSaysWhyNothingCanBeTold) {
  std::mt19937_64 random(1);
  const auto verdict = [](const matrix& logits, const std::string& defense = "none") {
    return audit::verdict_on(last_layer_of(logits, defense));
  };
  const matrix net = logits_of_net(300, 32, 111, random);
  EXPECT_EQ(verdict(net.topRows(12)),
            "No width can be read off: 12 different rows are too few to tell; 121 rows show every width up to 109, "
            "which is all that 111 classes can show.");
  EXPECT_NE(verdict(net.topRows(30)).find("30 different rows are too few to show a width above 18; 121 rows"),
            std::string::npos);
  EXPECT_EQ(verdict(net.leftCols(2)), "No width can be read off: 2 classes are too few to tell; 3 show a width of 1.");
  EXPECT_NE(verdict(net.leftCols(1)).find("1 classes are too few to tell"), std::string::npos);
  EXPECT_NE(verdict(net.leftCols(10)).find("10 classes are too few to show a width above 8."), std::string::npos);
  EXPECT_NE(verdict(net, "none | label_only").find("without zeros are too few to tell"), std::string::npos);
  EXPECT_NE(verdict(net.topRows(1).replicate(300, 1)).find(": 1 different rows are too few"), std::string::npos);
  EXPECT_NE(verdict(net.topRows(12).replicate(25, 1)).find(": 12 different rows are too few"), std::string::npos);
  EXPECT_NE(verdict(matrix::Zero(300, 111)).find(": 1 different rows are too few"), std::string::npos);
}

TEST(LastLayer, MaskedClassesAreLeftOut) {
  std::mt19937_64 random(1);
  matrix logits = logits_of_net(300, 8, 40, random);
  logits.col(3).setConstant(-std::numeric_limits<double>::infinity());
  logits.col(17).setConstant(-std::numeric_limits<double>::infinity());
  const audit::last_layer found = last_layer_of(logits);
  EXPECT_TRUE(found.has_zeros);
  EXPECT_EQ(found.classes, 38u);
  EXPECT_EQ(found.rows * found.share, 300u);
  EXPECT_EQ(found.width, 8u);
}

TEST(LastLayer, PatternOfADefenseIsNotTakenForAWidth) {
  audit::last_layer before{.rows = 300, .classes = 10, .drop = 2, .drop_after = 1};
  audit::last_layer after{.rows = 300, .classes = 10, .drop = 23456, .drop_after = 7, .width = 7};
  EXPECT_FALSE(audit::shows_width(after, before));
  EXPECT_EQ(audit::verdict_on(after, before),
            "No width can be read off: singular values fall by a factor of 23,000 after 7, and do so only after the "
            "defense.");
  before.width = 5;
  EXPECT_FALSE(audit::shows_width(after, before));
  EXPECT_NE(audit::verdict_on(after, before).find("after 7, and after 5 before the defense"), std::string::npos);
  before.width = 7;
  EXPECT_TRUE(audit::shows_width(after, before));
}

}  // namespace
