// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/adapters/eigen.hpp>
#include <chaff/defend.hpp>
#include <chaff/perturbations/mad.hpp>
#include <chaff/perturbations/surrogate.hpp>
#include <random>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// |a/|a| - b/|b||^2, as in the definition: how far the gradient a is turned from b.
double turn(const VectorXd& a, const VectorXd& b) {
  return (a / a.norm() - b / b.norm()).squaredNorm();
}

VectorXd softmax(const VectorXd& z) {
  const VectorXd e = (z.array() - z.maxCoeff()).exp();
  return e / e.sum();
}

VectorXd random_vector(std::mt19937& random, Eigen::Index size, double deviation = 1) {
  std::normal_distribution<double> draw(0, deviation);
  return VectorXd::NullaryExpr(size, [&] { return draw(random); });
}

MatrixXd random_matrix(std::mt19937& random, Eigen::Index rows, Eigen::Index columns) {
  std::normal_distribution<double> draw;
  return MatrixXd::NullaryExpr(rows, columns, [&] { return draw(random); });
}

/// (1 - a) p + a v, at the distance epsilon from p, or v where that is nearer.
VectorXd move_towards(const VectorXd& p, const VectorXd& v, double epsilon) {
  const double distance = (p - v).lpNorm<1>();
  const double a = std::min(1.0, epsilon / distance);
  return (1 - a) * p + a * v;
}

template <class Surrogate>
VectorXd output_of(const VectorXd& z, const Surrogate& surrogate, double epsilon, bool keep_argmax = false) {
  return chaff::defend([&] { return z; }, chaff::mad{surrogate, epsilon, keep_argmax}, {.keep_label = false})();
}

/// The Jacobian of log softmax in the weights of a last layer with features h: d log s_i / d W_cd. Its derivative in
/// the logits is a difference quotient, which the chain rule multiplies by h.
MatrixXd last_layer_jacobian(const VectorXd& logits, const VectorXd& h) {
  const Eigen::Index classes = logits.size();
  const auto log_softmax = [](const VectorXd& z) -> VectorXd {
    return z.array() - z.maxCoeff() - std::log((z.array() - z.maxCoeff()).exp().sum());
  };
  MatrixXd jacobian(classes, classes * h.size());
  for (Eigen::Index c = 0; c < classes; ++c) {
    const double step = 1e-5;
    const VectorXd up = logits + step * VectorXd::Unit(classes, c), down = logits - step * VectorXd::Unit(classes, c);
    const VectorXd slope = (log_softmax(up) - log_softmax(down)) / (2 * step);
    jacobian.middleCols(c * h.size(), h.size()) = slope * h.transpose();
  }
  return jacobian;
}

TEST(Mad, IsAsWorkedByHand) {
  // s uniform over three classes, p = (1/2, 1/4, 1/4): p - s = (1/6, -1/12, -1/12). The vertex that turns it most is
  // the one at the widest angle, 120 degrees from the first: the second and third tie, and the lower index wins
  const VectorXd z = Eigen::Vector3d(std::log(2.0), 0, 0);
  const VectorXd y = output_of(z, chaff::last_layer{[] { return Eigen::Vector3d(1, 1, 1); }}, 0.3);
  // |p - e_2|_1 = 1.5, a = 0.2
  EXPECT_NEAR(y[0], 0.4, 1e-14);
  EXPECT_NEAR(y[1], 0.4, 1e-14);
  EXPECT_NEAR(y[2], 0.2, 1e-14);
}

TEST(Mad, WithAJacobianIsTheBestOfAllVertices) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const Eigen::Index classes = 2 + static_cast<Eigen::Index>(random() % 8);
    const VectorXd z = random_vector(random, classes);
    const MatrixXd g = random_matrix(random, classes, 1 + static_cast<Eigen::Index>(random() % 20));
    const VectorXd p = softmax(z);
    Eigen::Index best = 0;
    double largest = -1;
    for (Eigen::Index j = 0; j < classes; ++j) {
      const double here = turn(g.row(j).transpose(), g.transpose() * p);
      if (here > largest + 1e-12) {
        largest = here;
        best = j;
      }
    }
    const VectorXd expected = move_towards(p, VectorXd::Unit(classes, best), 0.7);
    ASSERT_LT((output_of(z, chaff::jacobian{[&] { return g; }}, 0.7) - expected).lpNorm<1>(), 1e-12);
  }
}

TEST(Mad, KeepingTheArgmaxIsTheBestVertexOfThatPolytope) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 100; ++trial) {
    const Eigen::Index classes =
        3 + static_cast<Eigen::Index>(random() % 7);  // of two classes all vertices lie on a line, and tie
    const VectorXd z = random_vector(random, classes), surrogate = random_vector(random, classes);
    const MatrixXd g = random_matrix(random, classes, 5);
    const VectorXd p = softmax(z), s = softmax(surrogate);
    Eigen::Index label = 0;
    p.maxCoeff(&label);
    VectorXd best_of_jacobian, best_of_layer;
    double largest_of_jacobian = -1, largest_of_layer = -1;
    for (std::uint32_t members = 0; members < 1u << classes; ++members) {
      if (!(members >> label & 1)) continue;
      VectorXd v(classes);
      for (Eigen::Index i = 0; i < classes; ++i) v[i] = members >> i & 1;
      v /= v.sum();
      if (const double here = turn(g.transpose() * v, g.transpose() * p); here > largest_of_jacobian) {
        largest_of_jacobian = here;
        best_of_jacobian = v;
      }
      if (const double here = turn(v - s, p - s); here > largest_of_layer) {
        largest_of_layer = here;
        best_of_layer = v;
      }
    }
    ASSERT_LT((output_of(z, chaff::jacobian{[&] { return g; }}, 0.4, true) - move_towards(p, best_of_jacobian, 0.4))
                  .lpNorm<1>(),
              1e-12);
    const VectorXd y = output_of(z, chaff::last_layer{[&] { return surrogate; }}, 0.4, true);
    ASSERT_LT((y - move_towards(p, best_of_layer, 0.4)).lpNorm<1>(), 1e-12);
    ASSERT_GE(y[label], y.maxCoeff() - 1e-15) << "the argmax is kept without the label cap";
  }
}

TEST(Mad, AboveTwelveClassesGrowsASetThatNoClassImproves) {
  std::mt19937 random(3);
  double share_of_best = 0;
  const int trials = 20;
  for (int trial = 0; trial < trials; ++trial) {
    const Eigen::Index classes = 13;
    const VectorXd z = random_vector(random, classes), surrogate = random_vector(random, classes);
    const VectorXd p = softmax(z), s = softmax(surrogate);
    // with epsilon 2 the output is the vertex itself
    const VectorXd v = output_of(z, chaff::last_layer{[&] { return surrogate; }}, 2, true);
    Eigen::Index label = 0;
    p.maxCoeff(&label);
    const auto spread = [&](std::uint32_t members) {
      VectorXd even(classes);
      for (Eigen::Index i = 0; i < classes; ++i) even[i] = members >> i & 1;
      return VectorXd(even / even.sum());
    };
    std::uint32_t grown = 0;
    for (Eigen::Index i = 0; i < classes; ++i) grown |= std::uint32_t{v[i] > 0} << i;
    ASSERT_TRUE(grown >> label & 1);
    ASSERT_LT((spread(grown) - v).lpNorm<1>(), 1e-12);
    const double here = turn(v - s, p - s);
    ASSERT_GE(here, turn(spread(1u << label) - s, p - s));
    double largest = 0;
    for (std::uint32_t members = 0; members < 1u << classes; ++members) {
      if (members >> label & 1) largest = std::max(largest, turn(spread(members) - s, p - s));
    }
    for (Eigen::Index i = 0; i < classes; ++i) {
      ASSERT_LE(turn(spread(grown | 1u << i) - s, p - s), here + 1e-12) << "class " << i << " would help";
    }
    share_of_best += here / largest / trials;
  }
  EXPECT_GT(share_of_best, 0.97);
  RecordProperty("share_of_best", std::to_string(share_of_best));
}

TEST(Mad, ClosedFormAndJacobianAgreeOnARealLastLayer) {
  const network model(CHAFF_EXAMPLES "/quickstart/weights.bin");
  const labelled_images images(CHAFF_EXAMPLES "/data/images.idx3-ubyte", CHAFF_EXAMPLES "/data/labels.idx1-ubyte");
  double mean_l1 = 0;
  for (Eigen::Index i = 0; i < 40; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const VectorXd z = model(image).cast<double>();
    // the surrogate is the same network on a mixture of two images: confident, and of another class
    const Eigen::VectorXf mixed = 0.5f * image + 0.5f * images.pixels.row(i + 1).transpose();
    const VectorXd logits = model(mixed).cast<double>(), h = model.features(mixed).cast<double>();
    for (const bool keep_argmax : {false, true}) {
      const VectorXd closed = output_of(z, chaff::last_layer{[&] { return logits; }}, 0.8, keep_argmax);
      const VectorXd full =
          output_of(z, chaff::jacobian{[&] { return last_layer_jacobian(logits, h); }}, 0.8, keep_argmax);
      ASSERT_LT((closed - full).lpNorm<1>(), 1e-5) << "image " << i << ", argmax kept " << keep_argmax;
      mean_l1 += (closed - softmax(z)).lpNorm<1>() / 80;
    }
  }
  EXPECT_GT(mean_l1, 0.5);
}

TEST(Mad, ClosedFormHoldsWhereTheSurrogateIsConfident) {
  // 1 - s_t = 1e-9: the vertex e_t and s are almost one, and their difference still has a direction
  const VectorXd z = Eigen::Vector4d(1, 0.5, 0, -1), surrogate = Eigen::Vector4d(21, 0.3, 0, -0.2);
  const VectorXd p = softmax(z);
  VectorXd difference = -softmax(surrogate);  // e_t - s
  difference[0] = -difference.tail(3).sum();
  double largest = turn(difference, p - softmax(surrogate));
  Eigen::Index best = 0;
  for (Eigen::Index j = 1; j < 4; ++j) {
    const double here = turn(VectorXd::Unit(4, j) - softmax(surrogate), p - softmax(surrogate));
    if (here > largest) {
      largest = here;
      best = j;
    }
  }
  const VectorXd y = output_of(z, chaff::last_layer{[&] { return surrogate; }}, 0.5);
  EXPECT_LT((y - move_towards(p, VectorXd::Unit(4, best), 0.5)).lpNorm<1>(), 1e-12);
}

TEST(Mad, SpendsNothingOnAMaskedClass) {
  // p = (0.6, 0.4, 0), G'p = (1, 0.4): e_1 turns it by 23 degrees, e_0 by 22, and e_2, which is masked, by 158
  const VectorXd z{{std::log(0.6), std::log(0.4), -std::numeric_limits<double>::infinity()}};
  const MatrixXd g{{1, 0}, {1, 1}, {-1, 0}};
  const chaff::jacobian surrogate{[&] { return g; }};
  const VectorXd towards_e1{{0.54, 0.46, 0}}, towards_e0{{0.64, 0.36, 0}};
  EXPECT_LT((output_of(z, surrogate, 0.12) - towards_e1).lpNorm<Eigen::Infinity>(), 1e-12);
  // with the argmax kept: {0} turns it by 22 degrees, {0, 1} by 5, and {0, 2} would have no gradient, which counts 1
  EXPECT_LT((output_of(z, surrogate, 0.08, true) - towards_e0).lpNorm<Eigen::Infinity>(), 1e-12);
}

TEST(Mad, CountsAZeroGradientAsATurnOfOne) {
  // G'p = 1/2: e_0 has no gradient, the turn of which counts 1, and e_1 has the posterior's direction
  const VectorXd z{{0, 0}};
  const chaff::jacobian surrogate{[] { return MatrixXd{{0}, {1}}; }};
  EXPECT_LT((output_of(z, surrogate, 0.2) - VectorXd{{0.6, 0.4}}).lpNorm<Eigen::Infinity>(), 1e-12);
}

TEST(Mad, SpendsItsBudgetAndNoMore) {
  std::mt19937 random(5);
  for (const double epsilon : {0.0, 0.3, 1.0, 2.0}) {
    const VectorXd z = random_vector(random, 6), surrogate = random_vector(random, 6), p = softmax(z);
    const VectorXd y = output_of(z, chaff::last_layer{[&] { return surrogate; }}, epsilon);
    const double distance = (y - p).lpNorm<1>();
    EXPECT_LE(distance, epsilon + 1e-12);
    EXPECT_TRUE(std::abs(distance - epsilon) < 1e-12 || std::abs(y.maxCoeff() - 1) < 1e-12);
  }
}

TEST(Mad, WithoutAGradientStillGivesADistribution) {
  const VectorXd z = Eigen::Vector3d(1, 0, -1);
  for (const VectorXd& y : {output_of(z, chaff::last_layer{[&] { return z; }}, 0.5),
                            output_of(z, chaff::jacobian{[&] { return MatrixXd(MatrixXd::Zero(3, 2)); }}, 0.5)}) {
    EXPECT_NEAR(y.sum(), 1, 1e-14);
    EXPECT_GE(y.minCoeff(), 0);
  }
}

}  // namespace
