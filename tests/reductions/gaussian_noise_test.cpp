// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

#include "support/statistics.hpp"

namespace {

const chaff::key key("0f1e2d3c4b5a69788796a5b4c3d2e1f0");

template <class D>
std::vector<double> answer(const D& defense, const std::vector<double>& z) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y);
  return y;
}

TEST(gaussian_noise, adds_normal_noise_of_its_deviation) {
  // of two classes y = (p + s a) / (1 + s (a + b)): with a small s, (y - p) / s is close to (a - b) / 2 at p = 1/2
  const double sigma = 1e-5;
  std::vector<double> numbers;
  for (int i = 0; i < 20000; ++i) {
    const std::vector<double> z{i / 64.0 + 0.2, i / 64.0};
    const double p = answer(chaff::none{}, z)[0];
    const double y = answer(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = key}, z)[0];
    // dy = s (a - p (a + b)) = s ((1 - p) a - p b)
    numbers.push_back((y - p) / sigma / std::hypot(1 - p, p));
  }
  EXPECT_LT(kolmogorov_smirnov(numbers, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }), 1.95);
}

TEST(gaussian_noise, has_other_noise_for_each_class) {
  const std::vector<double> z(40, 0.0);
  const auto y = answer(chaff::none{} | chaff::gaussian_noise{.sigma = 1e-3, .key = key}, z);
  std::vector<double> sorted(y.begin() + 1, y.end());
  std::sort(sorted.begin(), sorted.end());
  // those above the label's own are cut to one level; the others all differ
  const auto first_cut = std::lower_bound(sorted.begin(), sorted.end(), sorted.back());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), first_cut), first_cut);
}

TEST(gaussian_noise, takes_no_class_below_0) {
  for (int i = 0; i < 50; ++i) {
    std::vector<double> z(10, 0.0);
    z[0] = i / 16.0;
    const auto y = answer(chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, z);
    EXPECT_GE(*std::min_element(y.begin(), y.end()), 0);
  }
}

TEST(gaussian_noise, leaves_what_is_nothing) {
  const auto y =
      answer(chaff::none{} | chaff::top_k{.k = 2} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, {3, 1, 2.5, 2, 0});
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[3], 0);
  EXPECT_EQ(y[4], 0);
  EXPECT_GT(y[2], 0);
}

TEST(gaussian_noise, refuses_other_deviations) {
  EXPECT_THROW(answer(chaff::none{} | chaff::gaussian_noise{.sigma = -1, .key = key}, {1, 2}), std::invalid_argument);
  EXPECT_THROW(answer(chaff::none{} | chaff::gaussian_noise{.sigma = 11, .key = key}, {1, 2}), std::invalid_argument);
}

template <class Defense>
void averages_to_the_single_answer(const Defense& defense) {
  const std::vector<double> z{2.1, 1.7, 0.3, -0.4, 1.1};
  const auto single = answer(defense, z);
  std::vector<double> mean(z.size());
  for (int i = 0; i < 1000; ++i) {
    const auto again = answer(defense, z);
    ASSERT_EQ(again, single);
    for (std::size_t j = 0; j < z.size(); ++j) mean[j] += again[j] / 1000;
  }
  EXPECT_LT(chaff::l1_distance(mean, single), 1e-12);
  EXPECT_GT(chaff::l1_distance(single, answer(chaff::none{}, z)), 0.02) << "and that is not the clean one";
}

TEST(keyed_noise, averaged_over_a_thousand_repeats_is_the_single_answer) {
  averages_to_the_single_answer(chaff::none{} | chaff::gaussian_noise{.sigma = 0.05, .key = key});
  averages_to_the_single_answer(chaff::random_vertex{.epsilon = 0.5, .key = key});
}

TEST(keyed_noise, would_average_away_if_it_were_drawn_anew) {
  // what the test above is worth: with a fresh key for each repeat the mean comes close to the clean answer
  const std::vector<double> z{2.1, 0.7, 0.3, 0.4, 1.1};
  std::vector<double> mean(z.size());
  for (int i = 0; i < 1000; ++i) {
    char hex[33];
    std::snprintf(hex, sizeof hex, "%032x", i);
    const auto once = answer(chaff::none{} | chaff::gaussian_noise{.sigma = 0.05, .key = chaff::key(hex)}, z);
    for (std::size_t j = 0; j < z.size(); ++j) mean[j] += once[j] / 1000;
  }
  EXPECT_LT(chaff::l1_distance(mean, answer(chaff::none{}, z)), 0.02);
}

}  // namespace
