// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

#include "support/reference.hpp"

namespace {

TEST(reverse_sigmoid, by_hand_for_two_classes) {
  // p = (3/4, 1/4): the label's odds are clamped to 1, so r = 0; the other's are 1/3, and with gamma 1 its r is
  // beta (1/4 - 1/2) = -1/4 for beta 1, its weight 1/2: the answer is (3/5, 2/5)
  const std::vector<double> z{std::log(3.0), 0};
  std::vector<double> y(2);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1}, z, y);
  EXPECT_NEAR(y[0], 0.6, 1e-14);
  EXPECT_NEAR(y[1], 0.4, 1e-14);
  // with exact odds the label's are 3, r = beta (3/4 - 1/2) = 1/4, and both weights are 1/2
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y, {.keep_label = false});
  EXPECT_NEAR(y[0], 0.5, 1e-14);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1, .gamma = 1, .rule = chaff::odds::exact}, z, y);
  EXPECT_GT(y[0], y[1]);
}

TEST(reverse_sigmoid, rise_within_its_error) {
  double worst_float = 0, worst_double = 0;
  for (int i = 0; i <= 1'000'000; ++i) {
    const double t = i / 1e6, exact = (1 - t) / (1 + t);
    const float narrow = static_cast<float>(t);
    const double exact_of_narrow = (1 - static_cast<double>(narrow)) / (1 + static_cast<double>(narrow));
    worst_double = std::max(
        worst_double, std::abs(chaff::reverse_sigmoid::weights_of_row<double>::rise(chaff::broadcast(t))[0] - exact));
    worst_float = std::max(
        worst_float,
        std::abs(static_cast<double>(chaff::reverse_sigmoid::weights_of_row<float>::rise(chaff::broadcast(narrow))[0]) -
                 exact_of_narrow));
  }
  std::printf("largest error %.3g in float, %.3g in double\n", worst_float, worst_double);
  EXPECT_LE(worst_float, 2e-7);
  EXPECT_LE(worst_double, 2e-15);
}

TEST(reverse_sigmoid, changes_labels_unless_they_are_kept) {
  // p - r is not monotone in p: a hopeless class is lifted above an unsure label
  const std::vector<float> z{1.0f, 0.9f, 0.8f, -13.0f};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y, {.keep_label = false});
  EXPECT_NE(std::max_element(y.begin(), y.end()) - y.begin(), 0);
  chaff::apply(chaff::reverse_sigmoid{.beta = 1.5}, z, y);
  EXPECT_EQ(std::max_element(y.begin(), y.end()) - y.begin(), 0);
}

TEST(reverse_sigmoid, a_label_pushed_to_nothing_leaves_a_flat_answer_with_the_label_ahead) {
  const std::vector<float> z{-1, 4, 0, 1};
  std::vector<float> y(z.size());
  chaff::apply(chaff::reverse_sigmoid{.beta = 100, .rule = chaff::odds::exact}, z, y);
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(y[i]), 0.25, 1e-6);
    if (i != 1) {
      EXPECT_LT(y[i], y[1]);
    }
  }
}

}  // namespace
