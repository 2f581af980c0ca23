// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/metrics/distance.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/random_vertex.hpp>
#include <chaff/policy.hpp>

#include "support/statistics.hpp"

namespace {

const chaff::key key("101112131415161718191a1b1c1d1e1f");
constexpr chaff::policy any_label{.keep_label = false};

/// The class that received mass. Fails where the output differs from the formula.
std::size_t vertex_of(const std::vector<double>& z, double epsilon) {
  std::vector<double> p(z.size()), y(z.size());
  chaff::apply(chaff::none{}, z, p, any_label);
  chaff::apply(chaff::random_vertex{.epsilon = epsilon, .key = key}, z, y, any_label);
  std::size_t vertex = z.size();
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (y[i] > (1 - epsilon / 2) * p[i] + 1e-9) {
      EXPECT_EQ(vertex, z.size()) << "two classes gained";
      vertex = i;
      EXPECT_NEAR(y[i], (1 - epsilon / 2) * p[i] + epsilon / 2, 1e-14);
    } else {
      EXPECT_NEAR(y[i], (1 - epsilon / 2) * p[i], 1e-14);
    }
  }
  EXPECT_NEAR(chaff::l1_distance(y, p), epsilon * (1 - p[vertex]), 1e-13);
  return vertex;
}

TEST(RandomVertex, MovesMassToOneClassOtherThanTheLabel) {
  for (int i = 0; i < 200; ++i) EXPECT_NE(vertex_of({i / 64.0, 1, 2, 0, 1.5, 2.5}, 0.6), i >= 160 ? 0u : 5u) << i;
}

TEST(RandomVertex, IsUniformOverTheOthersThatAreNotMasked) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> counts(6);
  for (int i = 0; i < 6000; ++i) ++counts[vertex_of({i / 64.0, 0.3, -infinity, 0.1, 200, -0.7}, 1)];
  EXPECT_EQ(counts[2], 0) << "masked";
  EXPECT_EQ(counts[4], 0) << "the label";
  EXPECT_LT(chi_square({counts[0], counts[1], counts[3], counts[5]}, std::vector<double>(4, 1500)), 16.27)
      << "3 degrees of freedom, p = 0.001";
}

TEST(RandomVertex, IsUniformOverTheOthersOfALongRow) {
  std::vector<double> counts(100);
  for (int i = 0; i < 20000; ++i) {
    std::vector<double> z(100, 0.0);
    z[40] = 3;
    z[99] = i / 64.0 - 400;
    ++counts[vertex_of(z, 1)];
  }
  EXPECT_EQ(counts[40], 0) << "the label";
  counts.erase(counts.begin() + 40);
  EXPECT_LT(chi_square(counts, std::vector<double>(99, 20000 / 99.0)), 147.0) << "98 degrees of freedom, p = 0.001";
}

TEST(RandomVertex, LeavesARowWithASingleUnmaskedClass) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> y(3);
  chaff::apply(chaff::random_vertex{.key = key}, std::vector<double>{-infinity, 2, -infinity}, y);
  EXPECT_EQ(y, (std::vector<double>{0, 1, 0}));
}

TEST(RandomVertex, RefusesAnEpsilonOutOfRange) {
  for (const double epsilon : {2.1, -0.1}) {
    std::vector<double> y{1, 2};
    EXPECT_THROW(chaff::apply(chaff::random_vertex{.epsilon = epsilon, .key = key}, y, y), std::invalid_argument);
    EXPECT_EQ(y, (std::vector<double>{0, 0})) << "the output is zeroed";
  }
}

}  // namespace
