// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/adapters/eigen.hpp>
#include <chaff/defend.hpp>
#include <chaff/metrics/distance.hpp>
#include <chaff/perturbations/gradient_redirection.hpp>
#include <chaff/perturbations/surrogate.hpp>
#include <chaff/posterior/softmax.hpp>
#include <random>

namespace {

using vector = std::vector<double>;

vector softmax(const vector& z) {
  vector p(z.size());
  chaff::softmax<double>(z, p);
  return p;
}

vector output_of(const vector& z, const vector& g, double epsilon) {
  const auto model = [&] { return z; };
  return chaff::defend(model, chaff::gradient_redirection{chaff::redirection{[&] { return g; }}, epsilon},
                       {.keep_label = false})();
}

double product(const vector& a, const vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(GradientRedirection, IsAsWorkedByHand) {
  // p = (1/2, 1/4, 1/4); the last class receives 0.4, from the first one, whose g is the largest
  const vector z{std::log(2.0), 0, 0};
  const vector y = output_of(z, {3, 2, 1}, 0.8);
  EXPECT_NEAR(y[0], 0.1, 1e-15);
  EXPECT_NEAR(y[1], 0.25, 1e-15);
  EXPECT_NEAR(y[2], 0.65, 1e-15);
  const vector limit = output_of(z, {3, 2, 1}, 2);
  EXPECT_NEAR(limit[2], 1, 1e-15);
  const vector ties = output_of(z, {1, 1, 1}, 0.2);
  EXPECT_NEAR(ties[0], 0.6, 1e-15) << "the lowest index receives";
  EXPECT_NEAR(ties[1], 0.15, 1e-15) << "the lowest index of the others gives";
  const vector label_last = output_of({0, 0, std::log(2.0)}, {1, 1, 1}, 0.2);
  EXPECT_NEAR(label_last[0], 0.35, 1e-15) << "the lowest index receives, although another class is the label";
}

TEST(GradientRedirection, SpendsExactlyItsBudget) {
  std::mt19937 random(2);
  std::normal_distribution<double> draw;
  for (int trial = 0; trial < 300; ++trial) {
    vector z(2 + random() % 12), g(z.size());
    for (double& v : z) v = 2 * draw(random);
    for (double& v : g) v = draw(random);
    const double epsilon = static_cast<double>(random() % 200) / 100;
    const vector p = softmax(z), y = output_of(z, g, epsilon);
    const std::size_t receiver = static_cast<std::size_t>(std::min_element(g.begin(), g.end()) - g.begin());
    ASSERT_NEAR(chaff::l1_distance(y, p), std::min(epsilon, 2 * (1 - p[receiver])), 1e-12);
  }
}

/// The minimum of g'y over all vertices of {y in the simplex, |y - p|_1 <= epsilon}: one class receives, each class of
/// a set gives all that it has, and one gives the rest.
double minimum_by_enumeration(const vector& p, const vector& g, double epsilon) {
  const std::size_t classes = p.size();
  double minimum = product(g, p);
  for (std::size_t receiver = 0; receiver < classes; ++receiver) {
    const double m = std::min(1 - p[receiver], epsilon / 2);
    for (std::uint32_t emptied = 0; emptied < 1u << classes; ++emptied) {
      if (emptied >> receiver & 1) continue;
      vector y = p;
      double left = m;
      for (std::size_t i = 0; i < classes; ++i) {
        if (emptied >> i & 1) {
          left -= p[i];
          y[i] = 0;
        }
      }
      if (left < -1e-12) continue;
      for (std::size_t giver = 0; giver < classes; ++giver) {
        if (giver == receiver || (emptied >> giver & 1) || p[giver] < left - 1e-12) continue;
        vector vertex = y;
        vertex[giver] -= left;
        vertex[receiver] += m;
        minimum = std::min(minimum, product(g, vertex));
      }
    }
  }
  return minimum;
}

TEST(GradientRedirection, SolvesItsLinearProgram) {
  std::mt19937 random(4);
  std::normal_distribution<double> draw;
  for (int trial = 0; trial < 300; ++trial) {
    vector z(2 + random() % 5), g(z.size());
    for (double& v : z) v = draw(random);
    for (double& v : g) v = std::round(2 * draw(random));  // with ties
    const double epsilon = static_cast<double>(random() % 200) / 100;
    const vector p = softmax(z), y = output_of(z, g, epsilon);
    ASSERT_NEAR(product(g, y), minimum_by_enumeration(p, g, epsilon), 1e-12);
  }
}

TEST(GradientRedirection, TakesAJacobianAndATarget) {
  const vector z{1, 0.5, 0};
  const Eigen::Matrix<double, 3, 4> jacobian{{1, 2, 0, -1}, {0, 1, 1, 0}, {-2, 0, 3, 1}};
  const auto model = [&] { return z; };
  const auto surrogate = chaff::jacobian{[&] { return jacobian; }};
  const vector ones = chaff::defend(model, chaff::gradient_redirection{surrogate, 0.5}, {.keep_label = false})();
  EXPECT_EQ(ones, output_of(z, {2, 2, 2}, 0.5));
  const vector target{1, -1, 2, 0.5};
  const vector y = chaff::defend(model, chaff::gradient_redirection{surrogate, 0.5, target}, {.keep_label = false})();
  EXPECT_EQ(y, output_of(z, {1 - 2 - 0.5, -1 + 2, -2 + 6 + 0.5}, 0.5));
}

TEST(GradientRedirection, GivesNothingToAMaskedClass) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const vector y = output_of({0, 1, -infinity}, {1, 2, -5}, 0.5);
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(chaff::l1_distance(y, softmax({0, 1, -infinity})), 0.5, 1e-12);
}

TEST(GradientRedirection, OfASingleSigmoidHasTwoOutcomes) {
  const auto defended = chaff::defend([] { return std::array{0.0}; },
                                      chaff::gradient_redirection{chaff::redirection{[] {
                                                                    return vector{1, 0};
                                                                  }},
                                                                  0.4},
                                      {.keep_label = false});
  EXPECT_NEAR(defended()[0], 0.3, 1e-15);
}

}  // namespace
