// SPDX-License-Identifier: MIT
/// The pipeline against the reference that is written straight down.
#include "pipeline/reference.hpp"

#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/row.hpp>
#include <random>
#include <string>

namespace {

using reference::real;

/// w_i = p_i - r_i of the reverse sigmoid.
auto reverse_sigmoid_weights(const chaff::reverse_sigmoid& parameters) {
  return [parameters](const reference::row& p, std::size_t k) {
    reference::row w(p);
    real others = 0;  // 1 - p_k, to full precision
    for (std::size_t i = 0; i < p.size(); ++i) others += i == k ? 0 : p[i];
    for (std::size_t i = 0; i < p.size(); ++i) {
      real odds = std::max(p[i] / (i == k ? others : 1 - p[i]), 1e-12L);
      if (parameters.rule == chaff::odds::clamped) odds = std::min(odds, 1.0L);
      const real gamma = parameters.gamma, beta = parameters.beta;
      w[i] = std::max(0.0L, p[i] - beta * (1 / (1 + std::pow(odds, -gamma)) - 0.5L));
    }
    return w;
  };
}

template <class T>
std::vector<T> random_row(std::size_t classes, double deviation, std::mt19937_64& random) {
  std::normal_distribution<double> draw(0, deviation);
  std::vector<T> z(classes);
  for (T& each : z) each = static_cast<T>(draw(random));
  if (classes > 3) z[random() % classes] = -std::numeric_limits<T>::infinity();
  return z;
}

const chaff::policy policies[] = {{},
                                  {.keep_label = false},
                                  {.label_margin = 0.02},
                                  {.label_margin = 0.6},
                                  {.label_margin = 1},
                                  {.max_l1 = 0.4},
                                  {.keep_label = false, .max_l1 = 0.4},
                                  {.label_margin = 0.1, .max_l1 = 0.3},
                                  {.label_margin = 0.5, .max_l1 = 0}};

template <class T>
struct Pipeline : testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Pipeline, Types);

/// Compares the output for random rows of many sizes, apart and in place, with the reference.
template <class T, class Defense, class Gate, class Perturb>
void expect_reference(const Defense& defense, Gate gate, Perturb perturb, double tolerance) {
  std::mt19937_64 random(11);
  for (const std::size_t classes : {2u, 3u, 10u, 16u, 17u, 64u, 65u, 128u, 129u, 300u, 1000u, 2051u}) {
    for (const double deviation : {0.5, 3.0, 12.0}) {
      const std::vector<T> z = random_row<T>(classes, deviation, random);
      for (const chaff::policy& policy : policies) {
        SCOPED_TRACE("K " + std::to_string(classes) + ", deviation " + std::to_string(deviation) + ", margin " +
                     std::to_string(policy.label_margin) + ", max_l1 " + std::to_string(policy.max_l1) +
                     ", keep_label " + std::to_string(policy.keep_label));
        const reference::row expected = reference::answer(z, gate, perturb, policy);
        std::vector<T> apart(classes), in_place = z;
        chaff::apply(defense, z, apart, policy);
        chaff::apply(defense, in_place, in_place, policy);
        for (std::size_t i = 0; i < classes; ++i) {
          ASSERT_NEAR(static_cast<double>(apart[i]), static_cast<double>(expected[i]), tolerance) << "class " << i;
        }
        ASSERT_EQ(in_place, apart);
      }
    }
  }
}

TYPED_TEST(Pipeline, ReverseSigmoidFollowsReference) {
  const double unit = std::is_same_v<TypeParam, float> ? 2e-7 : 1e-15;
  for (const chaff::odds rule : {chaff::odds::clamped, chaff::odds::exact}) {
    for (const double beta : {0.3, 1.2}) {
      const chaff::reverse_sigmoid defense{.beta = beta, .rule = rule};
      // the error of w, and of the posterior and the sums
      const double tolerance = 2 * unit * beta * (1 + 2 * defense.gamma) + 8 * unit;
      expect_reference<TypeParam>(
          defense, [](const auto&, std::size_t, real) { return 1.0L; }, reverse_sigmoid_weights(defense), tolerance);
    }
  }
}

TYPED_TEST(Pipeline, HalfOpenGatesFollowReference) {
  const double unit = std::is_same_v<TypeParam, float> ? 2e-7 : 1e-15;
  const chaff::reverse_sigmoid perturbation{.beta = 1};
  const auto step = [](real x) { return 1 / (1 + std::exp(x)); };
  expect_reference<TypeParam>(
      chaff::dcp{.beta = 1, .nu = 5, .tau = 0.5},
      [&](const reference::row& p, std::size_t k, real) { return step(5 * (p[k] - 0.5L)); },
      reverse_sigmoid_weights(perturbation), 12 * unit);
  // tau = 4 and logits of some tens: alpha is as good as lse, which is a number of that size
  expect_reference<TypeParam>(
      chaff::energy_dcp{.beta = 1, .nu = 0.5, .tau = 4.0},
      [&](const reference::row&, std::size_t, real lse) { return step(0.5L * (lse - 4)); },
      reverse_sigmoid_weights(perturbation), 20 * unit);
}

TYPED_TEST(Pipeline, NoneFollowsReference) {
  expect_reference<TypeParam>(
      chaff::none{}, [](const auto&, std::size_t, real) { return 0.0L; },
      [](const reference::row& p, std::size_t) { return p; }, std::is_same_v<TypeParam, float> ? 6e-7 : 2e-15);
}

/// A perturbation of a user: every class gets one weight.
struct flatten {
  template <class T>
  struct weights_of_row {
    T label;
    chaff::simd::vec<T> operator()(const chaff::block<T>&) const { return chaff::simd::broadcast(label); }
  };
  template <class T>
  weights_of_row<T> weights(const chaff::row<T>& row) const {
    return {static_cast<T>(1.0 / static_cast<double>(row.classes()))};
  }
};

TYPED_TEST(Pipeline, PerturbationOfUserFollowsReference) {
  expect_reference<TypeParam>(
      flatten{}, [](const auto&, std::size_t, real) { return 1.0L; },
      [](const reference::row& p, std::size_t) { return reference::row(p.size(), 1.0L / static_cast<real>(p.size())); },
      std::is_same_v<TypeParam, float> ? 2e-6 : 4e-15);
}

}  // namespace
