// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <algorithm>
#include <chaff/apply.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/metrics/distance.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/random_vertex.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/posterior/row.hpp>
#include <chaff/reductions/gaussian_noise.hpp>
#include <chaff/reductions/top_k.hpp>

#include "support/statistics.hpp"

namespace {

const chaff::key key("0f1e2d3c4b5a69788796a5b4c3d2e1f0");

template <class D>
std::vector<double> output_of(const D& defense, const std::vector<double>& z) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y);
  return y;
}

TEST(GaussianNoise, AddsNormalNoiseOfItsDeviation) {
  // of two classes y = (p + s a) / (1 + s (a + b)), so for a small s, y - p is close to s ((1 - p) a - p b)
  const double sigma = 1e-5;
  std::vector<double> numbers;
  for (int i = 0; i < 20000; ++i) {
    const std::vector<double> z{i / 64.0 + 0.2, i / 64.0};
    const double p = output_of(chaff::none{}, z)[0];
    const double y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = key}, z)[0];
    numbers.push_back((y - p) / sigma / std::hypot(1 - p, p));
  }
  EXPECT_LT(kolmogorov_smirnov(numbers, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }), 1.95);
}

/// max(0, p_i + sigma n_i) in long double, capped at 63/64 of the label's and normalised.
std::vector<double> formula(const std::vector<double>& z, double sigma, std::size_t label) {
  std::vector<double> y(z.size()), n(z.size());
  const auto recorder = [&](const chaff::row<double>& row) {
    const chaff::detail::keyed_noise noise(key, chaff::detail::noise_purpose::gaussian, row);
    for (std::size_t i = 0; i < n.size(); ++i) {
      // two classes, half a chunk apart, share two words; a row of up to 16 classes has 16 words in all
      const std::size_t chunk = n.size() <= 16 ? 16 : 128, place = i % (chunk / 2);
      std::uint32_t words[128];
      if (n.size() <= 16) {
        noise.write_16(words);
      } else {
        noise.in_bulk().fill(i / chunk, words);
      }
      using word = chaff::simd::vec<std::uint64_t>;
      const auto pair = chaff::detail::normals(word{} + words[place], word{} + words[chunk / 2 + place]);
      n[i] = i % chunk < chunk / 2 ? pair.by_cosine[0] : pair.by_sine[0];
    }
    return 0.0;
  };
  chaff::apply(chaff::gated{recorder, chaff::reverse_sigmoid{}}, z, y);  // the posterior
  using real = long double;
  std::vector<real> w;
  for (std::size_t i = 0; i < y.size(); ++i) {
    w.push_back(std::max<real>(0, static_cast<real>(y[i]) + static_cast<real>(sigma) * static_cast<real>(n[i])));
  }
  w[label] = std::max(w[label], 1e-6L);
  real mass = 0;
  for (std::size_t i = 0; i < w.size(); ++i) mass += w[i] = i == label ? w[i] : std::min(w[i], w[label] * 63 / 64);
  for (std::size_t i = 0; i < w.size(); ++i) y[i] = static_cast<double>(w[i] / mass);
  return y;
}

TEST(GaussianNoise, AgreesWithItsFormulaInLongDouble) {
  for (const double sigma : {0.01, 0.2, 3.0}) {
    for (int i = 0; i < 200; ++i) {
      const std::vector<double> z{0.5, i / 64.0, 1.25, 0, -2, 1, 0.75, 0.1, 0.2};
      const std::size_t label = i / 64.0 >= 1.25 ? 1 : 2;
      const auto y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = key}, z);
      const auto exact = formula(z, sigma, label);
      // the label's weight is 1e-6 or more, and carries the rounding of noise as large as 20
      for (std::size_t j = 0; j < z.size(); ++j) ASSERT_NEAR(y[j], exact[j], 1e-9) << i << ", class " << j;
    }
  }
}

TEST(GaussianNoise, AgreesWithItsFormulaInRowsOfAnyLength) {
  for (const std::size_t classes : {15u, 16u, 17u, 33u, 64u, 65u, 127u, 128u, 129u, 300u}) {
    std::vector<double> z(classes);
    for (std::size_t i = 0; i < classes; ++i) z[i] = static_cast<double>(i * 29 % 31) / 16;
    z[classes / 3] = 2.5;
    const auto y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 0.05, .key = key}, z);
    const auto exact = formula(z, 0.05, classes / 3);
    for (std::size_t j = 0; j < classes; ++j) ASSERT_NEAR(y[j], exact[j], 1e-9) << classes << ", class " << j;
  }
}

TEST(GaussianNoise, LeavesTheLabelAheadByOneSixtyFourth) {
  for (int i = 0; i < 500; ++i) {
    const std::vector<double> z{0.2, i / 64.0, 0.1, 0.3};
    const auto label = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
    const auto y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, z);
    for (std::size_t j = 0; j < z.size(); ++j) {
      ASSERT_TRUE(j == label || y[j] <= y[label] * 63 / 64 * (1 + 1e-15)) << i;
    }
  }
}

TEST(GaussianNoise, HasDifferentNoiseForEachClass) {
  const std::vector<double> z(40, 0.0);
  const auto y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 1e-3, .key = key}, z);
  std::vector<double> sorted(y.begin() + 1, y.end());
  std::sort(sorted.begin(), sorted.end());
  // those above 63/64 of the label's entry are cut to it; the others all differ
  EXPECT_NEAR(sorted.back(), y[0] * 63 / 64, 1e-15);
  const auto first_cut = std::lower_bound(sorted.begin(), sorted.end(), sorted.back());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), first_cut), first_cut);
  EXPECT_GE(first_cut - sorted.begin(), 5);
}

TEST(GaussianNoise, TakesNoClassBelowZero) {
  for (int i = 0; i < 50; ++i) {
    std::vector<double> z(10, 0.0);
    z[0] = i / 16.0;
    const auto y = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, z);
    EXPECT_GE(*std::min_element(y.begin(), y.end()), 0);
  }
}

TEST(GaussianNoise, LeavesEntriesOfZero) {
  const auto y = output_of(chaff::none{} | chaff::top_k{.k = 2} | chaff::gaussian_noise{.sigma = 0.2, .key = key},
                           {3, 1, 2.5, 2, 0});
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[3], 0);
  EXPECT_EQ(y[4], 0);
  EXPECT_GT(y[2], 0);
}

TEST(GaussianNoise, RefusesADeviationOutOfRange) {
  EXPECT_THROW(output_of(chaff::none{} | chaff::gaussian_noise{.sigma = -1, .key = key}, {1, 2}),
               std::invalid_argument);
  EXPECT_THROW(output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 11, .key = key}, {1, 2}),
               std::invalid_argument);
}

template <class Defense>
void expect_mean_of_repeats_is_one_output(const Defense& defense) {
  const std::vector<double> z{2.1, 1.7, 0.3, -0.4, 1.1};
  const auto first = output_of(defense, z);
  std::vector<double> mean(z.size());
  for (int i = 0; i < 1000; ++i) {
    const auto again = output_of(defense, z);
    ASSERT_EQ(again, first);
    for (std::size_t j = 0; j < z.size(); ++j) mean[j] += again[j] / 1000;
  }
  EXPECT_LT(chaff::l1_distance(mean, first), 1e-12);
  EXPECT_GT(chaff::l1_distance(first, output_of(chaff::none{}, z)), 0.02) << "the output is not the posterior";
}

TEST(KeyedNoise, AveragedOverAThousandRepeatsIsTheSingleOutput) {
  expect_mean_of_repeats_is_one_output(chaff::none{} | chaff::gaussian_noise{.sigma = 0.05, .key = key});
  expect_mean_of_repeats_is_one_output(chaff::random_vertex{.epsilon = 0.5, .key = key});
}

TEST(KeyedNoise, DrawnAnewForEachRepeatWouldAverageAway) {
  // with a fresh key for each repeat the mean is close to the posterior, so the test above would notice such noise
  const std::vector<double> z{2.1, 0.7, 0.3, 0.4, 1.1};
  std::vector<double> mean(z.size());
  for (int i = 0; i < 1000; ++i) {
    char hex[33];
    std::snprintf(hex, sizeof hex, "%032x", i);
    const auto once = output_of(chaff::none{} | chaff::gaussian_noise{.sigma = 0.05, .key = chaff::key(hex)}, z);
    for (std::size_t j = 0; j < z.size(); ++j) mean[j] += once[j] / 1000;
  }
  EXPECT_LT(chaff::l1_distance(mean, output_of(chaff::none{}, z)), 0.02);
}

}  // namespace
