// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/chaff.hpp>
#include <random>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// |a/|a| - b/|b||^2, straight from the definition.
double turned(const VectorXd& a, const VectorXd& b) {
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

/// (1 - a) p + a v with the budget spent.
VectorXd moved(const VectorXd& p, const VectorXd& v, double epsilon) {
  const double distance = (p - v).lpNorm<1>();
  const double a = std::min(1.0, epsilon / distance);
  return (1 - a) * p + a * v;
}

template <class Surrogate>
VectorXd answer(const VectorXd& z, const Surrogate& surrogate, double epsilon, bool keep_argmax = false) {
  return chaff::defend([&] { return z; }, chaff::mad{surrogate, epsilon, keep_argmax}, {.keep_label = false})();
}

/// The Jacobian of log softmax in the weights of a last layer with features h: d log s_i / d W_cd, by the chain rule
/// over differences of log softmax in its logits.
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

TEST(mad, is_worked_by_hand) {
  // s uniform over three classes, p = (1/2, 1/4, 1/4): p - s = (1/6, -1/12, -1/12). The vertex that turns it most is
  // the one at the widest angle, 120 degrees from the first: the second and third tie, and the lower index wins
  const VectorXd z = Eigen::Vector3d(std::log(2.0), 0, 0);
  const VectorXd y = answer(z, chaff::last_layer{[] { return Eigen::Vector3d(1, 1, 1); }}, 0.3);
  // |p - e_2|_1 = 1.5, a = 0.2
  EXPECT_NEAR(y[0], 0.4, 1e-14);
  EXPECT_NEAR(y[1], 0.4, 1e-14);
  EXPECT_NEAR(y[2], 0.2, 1e-14);
}

TEST(mad, with_a_jacobian_is_the_best_of_all_vertices) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const Eigen::Index classes = 2 + static_cast<Eigen::Index>(random() % 8);
    const VectorXd z = random_vector(random, classes);
    const MatrixXd g = random_matrix(random, classes, 1 + static_cast<Eigen::Index>(random() % 20));
    const VectorXd p = softmax(z);
    Eigen::Index best = 0;
    double most = -1;
    for (Eigen::Index j = 0; j < classes; ++j) {
      const double here = turned(g.row(j).transpose(), g.transpose() * p);
      if (here > most + 1e-12) {
        most = here;
        best = j;
      }
    }
    const VectorXd expected = moved(p, VectorXd::Unit(classes, best), 0.7);
    ASSERT_LT((answer(z, chaff::jacobian{[&] { return g; }}, 0.7) - expected).lpNorm<1>(), 1e-12);
  }
}

TEST(mad, keeping_the_argmax_is_the_best_vertex_of_that_polytope) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 100; ++trial) {
    const Eigen::Index classes = 3 + static_cast<Eigen::Index>(random() % 7);  // two tie: all lie on a line
    const VectorXd z = random_vector(random, classes), surrogate = random_vector(random, classes);
    const MatrixXd g = random_matrix(random, classes, 5);
    const VectorXd p = softmax(z), s = softmax(surrogate);
    Eigen::Index label = 0;
    p.maxCoeff(&label);
    VectorXd best_of_jacobian, best_of_layer;
    double most_of_jacobian = -1, most_of_layer = -1;
    for (std::uint32_t members = 0; members < 1u << classes; ++members) {
      if (!(members >> label & 1)) continue;
      VectorXd v(classes);
      for (Eigen::Index i = 0; i < classes; ++i) v[i] = members >> i & 1;
      v /= v.sum();
      if (const double here = turned(g.transpose() * v, g.transpose() * p); here > most_of_jacobian) {
        most_of_jacobian = here;
        best_of_jacobian = v;
      }
      if (const double here = turned(v - s, p - s); here > most_of_layer) {
        most_of_layer = here;
        best_of_layer = v;
      }
    }
    ASSERT_LT((answer(z, chaff::jacobian{[&] { return g; }}, 0.4, true) - moved(p, best_of_jacobian, 0.4)).lpNorm<1>(),
              1e-12);
    const VectorXd y = answer(z, chaff::last_layer{[&] { return surrogate; }}, 0.4, true);
    ASSERT_LT((y - moved(p, best_of_layer, 0.4)).lpNorm<1>(), 1e-12);
    ASSERT_GE(y[label], y.maxCoeff() - 1e-15) << "the argmax is kept without the cap";
  }
}

TEST(mad, above_twelve_classes_grows_a_set_that_no_class_improves) {
  std::mt19937 random(3);
  double share_of_best = 0;
  const int trials = 20;
  for (int trial = 0; trial < trials; ++trial) {
    const Eigen::Index classes = 13;
    const VectorXd z = random_vector(random, classes), surrogate = random_vector(random, classes);
    const VectorXd p = softmax(z), s = softmax(surrogate);
    // epsilon 2 answers with the vertex itself
    const VectorXd v = answer(z, chaff::last_layer{[&] { return surrogate; }}, 2, true);
    Eigen::Index label = 0;
    p.maxCoeff(&label);
    const auto spread = [&](std::uint32_t members) {
      VectorXd even(classes);
      for (Eigen::Index i = 0; i < classes; ++i) even[i] = members >> i & 1;
      return VectorXd(even / even.sum());
    };
    std::uint32_t found = 0;
    for (Eigen::Index i = 0; i < classes; ++i) found |= std::uint32_t{v[i] > 0} << i;
    ASSERT_TRUE(found >> label & 1);
    ASSERT_LT((spread(found) - v).lpNorm<1>(), 1e-12);
    const double here = turned(v - s, p - s);
    ASSERT_GE(here, turned(spread(1u << label) - s, p - s));
    double most = 0;
    for (std::uint32_t members = 0; members < 1u << classes; ++members) {
      if (members >> label & 1) most = std::max(most, turned(spread(members) - s, p - s));
    }
    for (Eigen::Index i = 0; i < classes; ++i) {
      ASSERT_LE(turned(spread(found | 1u << i) - s, p - s), here + 1e-12) << "class " << i << " would help";
    }
    share_of_best += here / most / trials;
  }
  EXPECT_GT(share_of_best, 0.97);
  RecordProperty("share_of_best", std::to_string(share_of_best));
}

TEST(mad, closed_form_and_jacobian_agree_on_a_real_last_layer) {
  const network model(CHAFF_EXAMPLES "/quickstart/weights.bin");
  const labelled_images images(CHAFF_EXAMPLES "/data/images.idx3-ubyte", CHAFF_EXAMPLES "/data/labels.idx1-ubyte");
  double moved_by = 0;
  for (Eigen::Index i = 0; i < 40; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const VectorXd z = model(image).cast<double>();
    // the surrogate is the same network on a neighbour's image mixed in: sure of itself, and of something else
    const Eigen::VectorXf mixed = 0.5f * image + 0.5f * images.pixels.row(i + 1).transpose();
    const VectorXd logits = model(mixed).cast<double>(), h = model.features(mixed).cast<double>();
    for (const bool keep_argmax : {false, true}) {
      const VectorXd closed = answer(z, chaff::last_layer{[&] { return logits; }}, 0.8, keep_argmax);
      const VectorXd full =
          answer(z, chaff::jacobian{[&] { return last_layer_jacobian(logits, h); }}, 0.8, keep_argmax);
      ASSERT_LT((closed - full).lpNorm<1>(), 1e-5) << "image " << i << ", argmax kept " << keep_argmax;
      moved_by += (closed - softmax(z)).lpNorm<1>() / 80;
    }
  }
  EXPECT_GT(moved_by, 0.5);
}

TEST(mad, closed_form_holds_where_the_surrogate_is_sure) {
  // 1 - s_t = 1e-9: the vertex e_t and s are almost one, and their difference still has a direction
  const VectorXd z = Eigen::Vector4d(1, 0.5, 0, -1), surrogate = Eigen::Vector4d(21, 0.3, 0, -0.2);
  const VectorXd p = softmax(z);
  VectorXd difference = -softmax(surrogate);  // e_t - s
  difference[0] = -difference.tail(3).sum();
  double most = turned(difference, p - softmax(surrogate));
  Eigen::Index best = 0;
  for (Eigen::Index j = 1; j < 4; ++j) {
    const double here = turned(VectorXd::Unit(4, j) - softmax(surrogate), p - softmax(surrogate));
    if (here > most) {
      most = here;
      best = j;
    }
  }
  const VectorXd y = answer(z, chaff::last_layer{[&] { return surrogate; }}, 0.5);
  EXPECT_LT((y - moved(p, VectorXd::Unit(4, best), 0.5)).lpNorm<1>(), 1e-12);
}

TEST(mad, spends_nothing_on_a_class_that_cannot_occur) {
  // p = (0.6, 0.4, 0), G'p = (1, 0.4): e_1 turns it by 23 degrees, e_0 by 22, and e_2, which may not be, by 158
  const VectorXd z{{std::log(0.6), std::log(0.4), -std::numeric_limits<double>::infinity()}};
  const MatrixXd g{{1, 0}, {1, 1}, {-1, 0}};
  const chaff::jacobian surrogate{[&] { return g; }};
  const VectorXd towards_e1{{0.54, 0.46, 0}}, towards_e0{{0.64, 0.36, 0}};
  EXPECT_LT((answer(z, surrogate, 0.12) - towards_e1).lpNorm<Eigen::Infinity>(), 1e-12);
  // to keep the argmax: {0} turns by 22 degrees, {0, 1} by 5, and {0, 2} would have no gradient, which counts 1
  EXPECT_LT((answer(z, surrogate, 0.08, true) - towards_e0).lpNorm<Eigen::Infinity>(), 1e-12);
}

TEST(mad, takes_no_gradient_for_a_turn_of_1) {
  // G'p = 1/2: e_0 has no gradient, the turn of which counts 1, and e_1 has the posterior's direction
  const VectorXd z{{0, 0}};
  const chaff::jacobian surrogate{[] { return MatrixXd{{0}, {1}}; }};
  EXPECT_LT((answer(z, surrogate, 0.2) - VectorXd{{0.6, 0.4}}).lpNorm<Eigen::Infinity>(), 1e-12);
}

TEST(mad, spends_its_budget_and_no_more) {
  std::mt19937 random(5);
  for (const double epsilon : {0.0, 0.3, 1.0, 2.0}) {
    const VectorXd z = random_vector(random, 6), surrogate = random_vector(random, 6), p = softmax(z);
    const VectorXd y = answer(z, chaff::last_layer{[&] { return surrogate; }}, epsilon);
    const double moved_by = (y - p).lpNorm<1>();
    EXPECT_LE(moved_by, epsilon + 1e-12);
    EXPECT_TRUE(std::abs(moved_by - epsilon) < 1e-12 || std::abs(y.maxCoeff() - 1) < 1e-12);
  }
}

TEST(mad, of_a_surrogate_that_is_the_model_or_has_no_gradient_is_still_lawful) {
  const VectorXd z = Eigen::Vector3d(1, 0, -1);
  for (const VectorXd& y : {answer(z, chaff::last_layer{[&] { return z; }}, 0.5),
                            answer(z, chaff::jacobian{[&] { return MatrixXd(MatrixXd::Zero(3, 2)); }}, 0.5)}) {
    EXPECT_NEAR(y.sum(), 1, 1e-14);
    EXPECT_GE(y.minCoeff(), 0);
  }
}

}  // namespace
