// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/label_lead.hpp>
#include <numeric>
#include <vector>

namespace {

template <class T>
std::vector<T> normalised(std::vector<T> weights, std::size_t label, double margin = 0) {
  chaff::normalise_behind_label<T>(weights, {label, margin});
  return weights;
}

TEST(normalise_behind_label, scales_to_a_sum_of_one) {
  EXPECT_EQ(normalised<double>({1, 0.5, 0, 0.5}, 0), (std::vector<double>{0.5, 0.25, 0, 0.25}));
}

TEST(normalise_behind_label, cuts_the_others_below_the_label) {
  const auto y = normalised<double>({0.25, 0.5, 0.25, 0.125}, 0);
  EXPECT_GT(y[0], y[1]);
  EXPECT_EQ(y[1], y[2]);
  EXPECT_NEAR(y[0], 2.0 / 7, 1e-14);
  EXPECT_NEAR(y[3], 1.0 / 7, 1e-14);
}

TEST(normalise_behind_label, lifts_a_label_of_nothing) {
  for (const float weight : {0.0f, 1e-30f}) {
    const auto y = normalised<float>({0.5f, weight, 0.5f}, 1);
    EXPECT_GT(y[1], y[0]);
    EXPECT_NEAR(y[1], 1.0 / 3, 1e-6);
  }
  EXPECT_EQ(normalised<float>({0, 0, 0}, 1), (std::vector<float>{0, 1, 0}));
}

TEST(normalise_behind_label, gives_the_label_its_margin_by_a_level) {
  const auto y = normalised<double>({0.4, 0.35, 0.25}, 0, 0.2);
  // cut at c: 0.4 + (0.35 - c) = c + 0.2
  EXPECT_NEAR(y[1], 0.275, 1e-12);
  EXPECT_NEAR(y[0], 0.475, 1e-12);
  EXPECT_NEAR(y[2], 0.25, 1e-12);
  EXPECT_GE(y[0] - y[1], 0.2);
  const auto alone = normalised<float>({0.4f, 0.35f, 0.25f}, 2, 1);
  EXPECT_EQ(alone, (std::vector<float>{0, 0, 1}));
}

TEST(level_for, is_where_what_is_cut_off_and_given_to_the_label_makes_the_lead) {
  // others that fall by a factor, so that the search takes a step for each that is cut
  std::vector<double> others;
  for (double q = 0.2; others.size() < 8 * chaff::lanes_of<double>; q *= 0.8) others.push_back(q);
  for (const double margin : {0.1, 0.3, 0.5, 0.7}) {
    const auto level = chaff::level_for<double>(0.2, margin, [&](auto visit) {
      for (std::size_t i = 0; i < others.size(); i += chaff::lanes_of<double>) visit(chaff::load(&others[i]));
    });
    double low = 0, high = 1;  // by bisection, the level c with 0.2 + sum of what lies above c = c + margin
    for (int i = 0; i < 60; ++i) {
      const double c = (low + high) / 2;
      double above = 0;
      for (const double q : others) above += std::max(0.0, q - c);
      (0.2 + above > c + margin ? low : high) = c;
    }
    EXPECT_NEAR(level.level, low, 1e-12);
    EXPECT_NEAR(level.label, low + margin, 1e-12);
  }
}

TEST(level_for, a_lead_of_one_leaves_nothing_even_where_the_sum_was_rounded_up) {
  chaff::lanes<float> q{};
  q[1] = 0.25f + 0x1p-24f;
  const chaff::levelled<float> level = chaff::level_for<float>(0.75, 1, [&](auto visit) { visit(q); });
  EXPECT_EQ(level.level, 0);
  EXPECT_EQ(level.label, 1);
}

}  // namespace
