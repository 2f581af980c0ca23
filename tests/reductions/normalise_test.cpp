// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <algorithm>
#include <chaff/reductions/normalise.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using real = long double;

template <class T>
std::vector<T> label_first(std::vector<T> weights, std::size_t label, double margin = 0) {
  chaff::normalise_with_label_first<T>(weights, {label, margin});
  return weights;
}

template <class T>
std::vector<T> label_ahead(std::vector<T> weights, std::size_t label, double margin = 0) {
  chaff::normalise_with_label_ahead<T>(weights, {label, margin});
  return weights;
}

template <class T>
void expect_near(const std::vector<T>& y, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(y.size(), expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(y[i]), expected[i], tolerance) << "class " << i;
  }
}

TEST(NormaliseWithLabelFirst, ScalesToASumOfOne) {
  EXPECT_EQ(label_first<double>({1, 0.5, 0, 0.5}, 0), (std::vector<double>{0.5, 0.25, 0, 0.25}));
}

TEST(NormaliseWithLabelFirst, CutsTheOthersJustBelowTheLabel) {
  const auto y = label_first<double>({0.25, 0.5, 0.25, 0.125}, 0);
  expect_near(y, {2.0 / 7, 2.0 / 7, 2.0 / 7, 1.0 / 7}, 1e-14);
  EXPECT_GT(y[0], y[1]);
  EXPECT_EQ(y[1], y[2]);
}

TEST(NormaliseWithLabelFirst, MakesALabelThatTiesStrictlyFirst) {
  for (std::size_t classes = 2; classes < 300; ++classes) {
    const auto y = label_first(std::vector<float>(classes, 1.0f / static_cast<float>(classes)), classes / 2);
    for (std::size_t i = 0; i < classes; ++i) ASSERT_TRUE(i == classes / 2 || y[i] < y[classes / 2]) << classes;
  }
}

TEST(NormaliseWithLabelFirst, LiftsALabelOfWeightZero) {
  for (const float weight : {0.0f, 1e-30f}) {
    const auto y = label_first<float>({0.5f, weight, 0.5f}, 1);
    EXPECT_GT(y[1], y[0]);
    expect_near(y, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1e-6);
  }
  EXPECT_EQ(label_first<float>({0, 0, 0}, 1), (std::vector<float>{0, 1, 0}));
}

TEST(NormaliseWithLabelFirst, LiftsALabelToOneMillionth) {
  // 1e-6 beside 4e-7 and 0
  expect_near(label_first<double>({1e-9, 4e-7, 0}, 0), {1 / 1.4, 0.4 / 1.4, 0}, 1e-14);
}

TEST(NormaliseWithLabelFirst, GivesTheLabelItsMargin) {
  // lead 0.05, t = 0.15 / 0.95 = 3/19: y = 16/19 (0.4, 0.35, 0.25) + 3/19 (1, 0, 0)
  const auto y = label_first<double>({0.4, 0.35, 0.25}, 0, 0.2);
  expect_near(y, {9.4 / 19, 5.6 / 19, 4.0 / 19}, 1e-14);
  EXPECT_GE(y[0] - y[1], 0.2);
}

TEST(NormaliseWithLabelFirst, GivesALabelThatIsCutAheadItsMarginFromALeadOfZero) {
  // cut to (1/3, 1/3, 1/3): t = 0.4, y = 0.6 (1/3, 1/3, 1/3) + 0.4 (0, 0, 1)
  expect_near(label_first<double>({0.4, 0.35, 0.25}, 2, 0.4), {0.2, 0.2, 0.6}, 1e-14);
}

TEST(NormaliseWithLabelFirst, AMarginOfOneLeavesTheLabelAlone) {
  EXPECT_EQ(label_first<float>({0.4f, 0.35f, 0.25f}, 2, 1), (std::vector<float>{0, 0, 1}));
  EXPECT_EQ(label_first<double>({0, 1, 0}, 1, 1), (std::vector<double>{0, 1, 0}));
}

TEST(NormaliseWithLabelFirst, ALeadThatSufficesIsLeftAlone) {
  const std::vector<double> weights{0.125, 0.75, 0.125};
  EXPECT_EQ(label_first(weights, 1, 0.5), weights);
  EXPECT_EQ(label_first(weights, 1, 0.625 - 1e-12), weights);
  expect_near(label_first(weights, 1, 0.625), weights, 2e-15);
}

TEST(NormaliseWithLabelAhead, CutsTheOthersAt63Over64OfTheLabel) {
  // the weights become 64, 63, 63 and 32 of 222
  expect_near(label_ahead<double>({0.25, 0.5, 0.25, 0.125}, 0), {64.0 / 222, 63.0 / 222, 63.0 / 222, 32.0 / 222},
              1e-15);
  expect_near(label_ahead<float>({0.25f, 0.5f, 0.25f, 0.125f}, 0), {64.0 / 222, 63.0 / 222, 63.0 / 222, 32.0 / 222},
              1e-7);
}

TEST(NormaliseWithLabelAhead, IsNormaliseWithLabelFirstWhereTheCapDoesNotBind) {
  const std::vector<double> weights{0.2, 0.5, 0.49, 0.01};
  EXPECT_EQ(label_ahead(weights, 1), label_first(weights, 1));
}

TEST(NormaliseWithLabelAhead, LiftsALabelOfWeightZero) {
  expect_near(label_ahead<float>({0.5f, 0, 0.5f}, 1), {63.0 / 190, 64.0 / 190, 63.0 / 190}, 1e-7);
  EXPECT_EQ(label_ahead<float>({0, 0, 0}, 1), (std::vector<float>{0, 1, 0}));
}

TEST(NormaliseWithLabelAhead, GivesTheLabelItsMarginFromItsLead) {
  // cut to (64, 63) / 127: t = (0.2 - 1/127) / (126/127), y = (0.6, 0.4)
  expect_near(label_ahead<double>({0.5, 0.5}, 0, 0.2), {0.6, 0.4}, 1e-14);
  EXPECT_EQ(label_ahead<float>({0.4f, 0.35f, 0.25f}, 2, 1), (std::vector<float>{0, 0, 1}));
}

/// The formula in long double: lift, cap, normalise, mix with the label's vertex.
template <class T>
std::vector<real> formula(const std::vector<T>& weights, std::size_t label, double margin, real share) {
  std::vector<real> y(weights.begin(), weights.end());
  y[label] = std::max<real>(y[label], 1e-6L);
  real mass = 0, largest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) mass += y[i] = i == label ? y[i] : std::min(y[i], y[label] * share);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] /= mass;
    if (i != label) largest = std::max(largest, y[i]);
  }
  const real lead = y[label] - largest;
  const real t = lead < margin ? (margin - lead) / (1 - lead) : 0;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = (1 - t) * y[i] + (i == label ? t : 0);
  return y;
}

template <class T>
void expect_formula(std::uint32_t seed) {
  const real eps = std::numeric_limits<T>::epsilon();
  std::mt19937 random(seed);
  std::exponential_distribution<double> draw(1);
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<T> weights(2 + random() % 150);
    for (T& w : weights) w = random() % 4 == 0 ? T(0) : static_cast<T>(std::pow(draw(random), 3));
    real sum = 1e-30L;
    for (const T w : weights) sum += static_cast<real>(w);
    for (T& w : weights) w = static_cast<T>(static_cast<real>(w) / sum);
    std::size_t label = random() % weights.size();
    if (trial % 2 == 0)
      label = static_cast<std::size_t>(std::max_element(weights.begin(), weights.end()) - weights.begin());
    const double margins[] = {0, 0.011, 0.2, 0.9, 1};
    const double margin = margins[random() % 5];
    for (const bool ahead : {false, true}) {
      const auto y = ahead ? label_ahead(weights, label, margin) : label_first(weights, label, margin);
      const auto exact = formula(weights, label, margin, ahead ? 63.0L / 64 : 1 - 4 * eps);
      real total = 0;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const real value = static_cast<real>(y[i]);
        total += value;
        // the aim of 4 eps past the margin moves an entry by as much; the sums add up to 25 eps of an entry
        ASSERT_NEAR(static_cast<double>(value - exact[i]), 0, static_cast<double>(5 * eps + 25 * eps * exact[i]));
        ASSERT_TRUE(i == label || y[i] < y[label]);
        ASSERT_TRUE(i == label || margin == 1 || (y[i] > 0) == (weights[i] > 0));
        ASSERT_TRUE(i == label || static_cast<real>(y[label]) - value >= static_cast<real>(margin));
      }
      ASSERT_NEAR(static_cast<double>(total), 1, static_cast<double>(4 * eps * static_cast<real>(y.size())));
    }
  }
}
TEST(Normalise, AgreesWithTheFormulaInLongDouble) {
  expect_formula<float>(21);
  expect_formula<double>(22);
}

TEST(LabelCap, Is63Over64OfAPerturbedRowAndFourUnitsInATie) {
  static_assert(chaff::detail::perturbed_label_cap<float> == 0.984375f);
  static_assert(chaff::detail::perturbed_label_cap<double> == 0.984375);
  static_assert(chaff::detail::tie_label_cap<float> == 1 - 0x1p-21f);
  static_assert(chaff::detail::tie_label_cap<double> == 1 - 0x1p-50);
  static_assert(chaff::detail::min_label_weight == 1e-6);
}

TEST(LeadToAimAt, IsFourUnitsPastTheMarginAndAtMostOne) {
  using chaff::detail::lead_to_aim_at;
  EXPECT_EQ(lead_to_aim_at<double>(0.25), 0.25 + 0x1p-50);
  EXPECT_EQ(lead_to_aim_at<float>(0.25), 0.25 + 0x1p-21);
  EXPECT_EQ(lead_to_aim_at<float>(0), 0x1p-21);
  EXPECT_EQ(lead_to_aim_at<float>(1), 1);
  EXPECT_EQ(lead_to_aim_at<double>(1), 1);
  EXPECT_EQ(lead_to_aim_at<float>(1 - 0x1p-23), 1);
}

TEST(ShareForMargin, IsTheShareThatGivesTheLead) {
  using chaff::detail::share_for_margin;
  EXPECT_NEAR(share_for_margin<double>(0.05, 0.2), 3.0 / 19, 2e-15);
  EXPECT_NEAR(share_for_margin<double>(0, 0.4), 0.4, 2e-15);
  EXPECT_NEAR(share_for_margin<double>(-0.3, 0.5), 0.8 / 1.3, 2e-15);
  EXPECT_NEAR(share_for_margin<float>(0.05, 0.2), 3.0 / 19, 6e-7);
  for (double lead = -0.9; lead < 1; lead += 0.1) {
    for (double margin = lead + 0.05; margin <= 1; margin += 0.1) {
      if (margin <= 0) continue;
      const double t = share_for_margin<double>(lead, margin);
      EXPECT_NEAR((1 - t) * lead + t, margin, 2e-15) << lead << ", " << margin;
      EXPECT_GE((1 - t) * lead + t, margin) << lead << ", " << margin;
    }
  }
}

TEST(ShareForMargin, IsZeroWithoutAMarginOrWhereTheLeadSuffices) {
  using chaff::detail::share_for_margin;
  EXPECT_EQ(share_for_margin<double>(-0.5, 0), 0);
  EXPECT_EQ(share_for_margin<double>(0.3, 0.2), 0);
  EXPECT_EQ(share_for_margin<double>(0.2 + 0x1p-49, 0.2), 0);
  EXPECT_EQ(share_for_margin<double>(1, 1), 0);
  EXPECT_EQ(share_for_margin<float>(1, 1), 0);
}

TEST(ShareForMargin, IsOneForAMarginOfOne) {
  using chaff::detail::share_for_margin;
  for (const double lead : {-0.5, 0.0, 0.3, 0.999}) EXPECT_EQ(share_for_margin<double>(lead, 1), 1) << lead;
}

}  // namespace
