// SPDX-License-Identifier: MIT
/// Compares ModelGuard-W with optima from a linear-programming solver, and with two slow searches written here.
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/perturbations/modelguard_w.hpp>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>
#include <sstream>

#include "support/stride.hpp"

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double lead = 1e-4;

template <class T>
std::vector<T> answer(const std::vector<T>& row, double epsilon, chaff::form input = chaff::form::probabilities) {
  std::vector<T> y(row.size());
  chaff::apply(chaff::modelguard_w{.epsilon = epsilon}, row, y, {.keep_label = false, .input = input});
  return y;
}

/// Tells how far an output is from the program of one row, whose p is given in double.
template <class T>
struct measured {
  double objective = 0, l1 = 0, sum = 0, label_lead = 1;

  measured(const std::vector<double>& p, const std::vector<T>& y) {
    const auto label = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double each = static_cast<double>(y[i]);
      objective += each * std::log(p[i] + 1e-6);
      l1 += std::abs(each - p[i]);
      sum += each;
      if (i != label && p[i] > 0) label_lead = std::min(label_lead, static_cast<double>(y[label]) - each);
    }
  }
};

std::vector<double> normalised(std::vector<double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The objective of the best output with a given label's probability, by moving mass class by class; infinity where
/// none is allowed. Masked classes are those with p = 0.
double objective_at(const std::vector<double>& p, std::size_t label, double epsilon, double v) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (i != label && p[i] > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> y = p;
  double budget = epsilon / 2, freed = p[label] - v;
  y[label] = v;
  if (freed > 0) budget -= freed;
  for (const std::size_t i : order) {
    if (y[i] <= v - lead) continue;
    freed += y[i] - (v - lead);
    budget -= y[i] - (v - lead);
    y[i] = v - lead;
  }
  if (v < lead || budget < -1e-12) return infinity;
  const auto give_to_least_probable = [&](double mass) {
    for (const std::size_t i : order) {
      const double given = std::min(mass, v - lead - y[i]);
      y[i] += given;
      mass -= given;
    }
    return mass;
  };
  const auto take_from_most_probable = [&](double mass) {
    for (auto i = order.rbegin(); i != order.rend(); ++i) {
      const double taken = std::min(mass, y[*i]);
      y[*i] -= taken;
      mass -= taken;
    }
    return mass;
  };
  if ((freed > 0 ? give_to_least_probable(freed) : take_from_most_probable(-freed)) > 1e-12) return infinity;
  if (freed < 0) budget += freed;
  if (budget < -1e-12) return infinity;
  for (std::size_t low = 0, high = order.size(); high > low + 1 && budget > 0;) {
    double& to = y[order[low]];
    double& from = y[order[high - 1]];
    const double moved = std::min({budget, from, v - lead - to});
    to += moved;
    from -= moved;
    budget -= moved;
    if (v - lead - to <= 0) ++low;
    if (from <= 0) --high;
    if (moved <= 0 && v - lead - to > 0 && from > 0) break;
  }
  double objective = 0;
  for (std::size_t i = 0; i < p.size(); ++i) objective += y[i] * std::log(p[i] + 1e-6);
  return objective;
}

/// The least objective over v: on a grid, and then by golden section around its best point, since it is convex.
double best_objective(const std::vector<double>& p, double epsilon) {
  const auto label = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  const double low = std::max(0.0, p[label] - epsilon / 2), high = std::min(1.0, p[label] + epsilon / 2);
  constexpr int steps = 2000;
  double best = infinity, at = low;
  for (int i = 0; i <= steps; ++i) {
    const double v = low + (high - low) * i / steps;
    if (const double here = objective_at(p, label, epsilon, v); here < best) {
      best = here;
      at = v;
    }
  }
  double from = std::max(low, at - (high - low) / steps), to = std::min(high, at + (high - low) / steps);
  for (int i = 0; i < 60; ++i) {
    const double a = from + 0.381966 * (to - from), b = to - 0.381966 * (to - from);
    const double at_a = objective_at(p, label, epsilon, a), at_b = objective_at(p, label, epsilon, b);
    best = std::min({best, at_a, at_b});
    (at_a < at_b ? to : from) = at_a < at_b ? b : a;
  }
  return best;
}

template <class T>
class ModelguardW : public testing::Test {
 protected:
  static constexpr bool is_float = std::is_same_v<T, float>;
  static constexpr double rounding = is_float ? 4e-6 : 1e-13;  ///< of an L1 distance

  /// Expects the guarantees of an output, and returns its objective.
  static double expect_allowed(const std::vector<double>& p, double epsilon, const std::vector<T>& y) {
    const measured<T> is(p, y);
    EXPECT_NEAR(is.sum, 1, rounding);
    EXPECT_LE(is.l1 - epsilon, rounding);
    EXPECT_GE(is.label_lead, lead - rounding);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(y[i], T(0));
      if (p[i] <= 0) {
        EXPECT_EQ(y[i], T(0)) << "masked";
      }
    }
    return is.objective;
  }
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(ModelguardW, Numbers);

TYPED_TEST(ModelguardW, MovesMassFromTheLabelToTheLeastProbableClass) {
  const auto y =
      answer<TypeParam>({TypeParam(0.7), TypeParam(0.15), TypeParam(0.1), TypeParam(0.04), TypeParam(0.01)}, 0.5);
  const double expected[] = {0.45, 0.15, 0.1, 0.04, 0.26};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(static_cast<double>(y[i]), expected[i], 1e-6) << i;
}

TYPED_TEST(ModelguardW, GivesTheLeastProbableClassAllThatTheLeadOfTheLabelAllows) {
  // By hand: an L1 of 0.9998 is enough to leave nothing to the classes between; v + (v - 1e-4) = 1.
  const auto y = answer<TypeParam>({TypeParam(0.5), TypeParam(0.3), TypeParam(0.1999), TypeParam(0.0001)}, 1);
  const double expected[] = {0.50005, 0, 0, 0.49995};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(static_cast<double>(y[i]), expected[i], 1e-6) << i;
}

TYPED_TEST(ModelguardW, ReachesTheOptimumOfALinearProgrammingSolver) {
  std::ifstream file(CHAFF_TEST_DATA "/modelguard_w.txt");
  std::size_t rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream numbers(line);
    std::size_t classes = 0;
    double epsilon = 0, optimum = 0;
    numbers >> classes >> epsilon >> optimum;
    std::vector<double> p(classes);
    for (double& each : p) numbers >> each;
    ASSERT_TRUE(numbers) << line;
    p = normalised(p);
    const double objective = this->expect_allowed(p, epsilon, answer<TypeParam>({p.begin(), p.end()}, epsilon));
    EXPECT_LE(objective, optimum + 1e-5) << line;
    EXPECT_GE(objective, optimum - 1e-4) << line;  // the lead may be short of 1e-4 by rounding
    ++rows;
  }
  EXPECT_EQ(rows, 300u);
}

TYPED_TEST(ModelguardW, IsNoWorseThanEachPointOfAGridOnTheSimplex) {
  constexpr int steps = 200;
  for (const std::vector<double>& p : {std::vector<double>{0.5, 0.3, 0.2},
                                       {0.4, 0.4, 0.2},
                                       {0.9, 0.1 - 1e-9, 1e-9},
                                       {0.34, 0.33, 0.33},
                                       {0.6, 0, 0.4},
                                       {0.98, 0.01, 0.01},
                                       {0.4, 0.38, 0.22},
                                       {0.5, 0.4999, 1e-4}}) {
    for (const double epsilon : {0.05, 0.3, 1.0, 2.0}) {
      const auto y = answer<TypeParam>({p.begin(), p.end()}, epsilon);
      const double objective = this->expect_allowed(p, epsilon, y);
      double best = infinity;
      for (int a = 0; a <= steps; ++a) {
        for (int b = 0; a + b <= steps; ++b) {
          const std::vector<double> point{double(a) / steps, double(b) / steps, double(steps - a - b) / steps};
          if ((p[1] <= 0 && b > 0) || (p[2] <= 0 && a + b < steps)) continue;
          const measured<double> is(p, point);
          if (is.l1 <= epsilon && is.label_lead >= lead) best = std::min(best, is.objective);
        }
      }
      EXPECT_LE(objective, best + 1e-5) << p[0] << " " << p[1] << " " << p[2] << ", epsilon " << epsilon;
    }
  }
}

TYPED_TEST(ModelguardW, IsAsGoodAsASlowSearchOverRandomRows) {
  std::mt19937 random(20240817);
  std::uniform_real_distribution<double> uniform;
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(uniform(random) * static_cast<double>(n)); };
  for (int i = 0; i < (is_exhaustive ? 20000 : 600); ++i) {
    const std::size_t classes = 2 + pick(i % 10 == 0 ? 40 : 7);
    const double spread = std::array{0.01, 0.3, 1.0, 3.0, 10.0, 30.0}[pick(6)];
    std::vector<double> p(classes);
    for (double& each : p) each = std::exp(-spread * uniform(random));
    // ties and masked classes
    if (i % 3 == 0) p[pick(classes)] = p[pick(classes)];
    if (i % 5 == 0) p[pick(classes)] = p[pick(classes)];
    if (i % 4 == 0) p[1 + pick(classes - 1)] = 0;
    if (p[0] <= 0) p[0] = 1e-3;
    p = normalised(p);
    const double epsilon = std::array{0.001, 0.1, 0.5, 1.0, 1.5, 2.0}[pick(6)];
    const double best = best_objective(p, epsilon);
    const auto y = answer<TypeParam>({p.begin(), p.end()}, epsilon);
    if (best == infinity) continue;  // two classes tie, and epsilon is too small for the lead
    const double objective = this->expect_allowed(p, epsilon, y);
    EXPECT_LE(objective - best, this->is_float ? 2e-5 : 1e-8) << "row " << i << ", epsilon " << epsilon;
    if (testing::Test::HasFailure()) {
      for (const double each : p) std::cout << std::setprecision(17) << each << " ";
      std::cout << "\n";
      break;
    }
  }
}

TYPED_TEST(ModelguardW, IsAsGoodAsASlowSearchWhereTheLabelReceivesInANearlyFlatRow) {
  // The best label lies where its cap reaches the first of the other classes, not where donors and recipients balance.
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform;
  for (int i = 0; i < 40; ++i) {
    std::vector<double> p(24);
    for (double& each : p) each = std::exp(-0.01 * uniform(random));
    p = normalised(p);
    for (const double epsilon : {0.0005, 0.001, 0.002}) {
      const auto y = answer<TypeParam>({p.begin(), p.end()}, epsilon);
      EXPECT_LE(this->expect_allowed(p, epsilon, y) - best_objective(p, epsilon), this->is_float ? 1e-5 : 1e-9) << i;
    }
  }
}

TYPED_TEST(ModelguardW, IsThePosteriorWhereNothingMayMove) {
  const std::vector<TypeParam> z{1, 5, TypeParam(2.5), -3}, tie{2, 2, 2, 1};
  for (const auto& [row, epsilon] : {std::pair(z, 0.0), std::pair(tie, 0.0), std::pair(tie, 1e-5)}) {
    std::vector<TypeParam> p(4);
    chaff::apply(chaff::none{}, row, p, {.keep_label = false});
    const auto y = answer<TypeParam>(row, epsilon, chaff::form::logits);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(static_cast<double>(y[i]), static_cast<double>(p[i]), 1e-7);
  }
}

TYPED_TEST(ModelguardW, GivesClassesOfEqualProbabilityTheSame) {
  const auto y = answer<TypeParam>({0, 3, 1, 0, 1, 3}, 0.9, chaff::form::logits);
  EXPECT_EQ(y[0], y[3]);
  EXPECT_EQ(y[2], y[4]);
  EXPECT_GE(static_cast<double>(y[1] - y[5]), lead - 1e-6) << "the first of two is the label";
}

TYPED_TEST(ModelguardW, LeavesARowWithASingleUnmaskedClass) {
  constexpr TypeParam masked = -std::numeric_limits<TypeParam>::infinity();
  EXPECT_EQ(answer<TypeParam>({masked, 2, masked}, 1, chaff::form::logits), (std::vector<TypeParam>{0, 1, 0}));
}

TYPED_TEST(ModelguardW, GivesToAClassWhoseProbabilityIsZeroByRoundingButNotToAMaskedOne) {
  constexpr TypeParam masked = -std::numeric_limits<TypeParam>::infinity();
  for (const TypeParam tail : {TypeParam(-102), TypeParam(-1000)}) {  // exp(-102) is about 5e-45
    const auto y = answer<TypeParam>({0, tail, masked, -2}, 0.5, chaff::form::logits);
    EXPECT_NEAR(static_cast<double>(y[0]), 1 / (1 + std::exp(-2)) - 0.25, 1e-6);
    EXPECT_NEAR(static_cast<double>(y[1]), 0.25, 1e-6);
    EXPECT_EQ(y[2], TypeParam(0));
  }
}

TYPED_TEST(ModelguardW, PullsASigmoidTowardsOneHalf) {
  // K = 2: the label gives 1/4, unless the lead of 1e-4 is reached before.
  EXPECT_NEAR(static_cast<double>(answer<TypeParam>({3}, 0.5, chaff::form::logits)[0]), 1 / (1 + std::exp(-3)) - 0.25,
              1e-6);
  EXPECT_NEAR(static_cast<double>(answer<TypeParam>({TypeParam(-0.4)}, 0.5, chaff::form::logits)[0]), 0.5 - lead / 2,
              1e-6);
}

TYPED_TEST(ModelguardW, IsTheSameForLogitsLogarithmsAndProbabilities) {
  const std::vector<TypeParam> z{TypeParam(0.3), 2, -1, TypeParam(1.7), -6, TypeParam(0.5)};
  std::vector<TypeParam> p(6), log_p(6), logs(6);
  chaff::apply(chaff::none{}, z, p);
  chaff::apply(chaff::none{}, z, log_p, {.answer = chaff::form::log_probabilities});
  const auto y = answer<TypeParam>(z, 0.7, chaff::form::logits);
  const auto of_p = answer<TypeParam>(p, 0.7);
  const auto of_log_p = answer<TypeParam>(log_p, 0.7, chaff::form::log_probabilities);
  chaff::apply(chaff::modelguard_w{.epsilon = 0.7}, z, logs,
               {.keep_label = false, .answer = chaff::form::log_probabilities});
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(static_cast<double>(of_p[i]), static_cast<double>(y[i]), 2e-6) << i;
    EXPECT_NEAR(static_cast<double>(of_log_p[i]), static_cast<double>(y[i]), 2e-6) << i;
    EXPECT_NEAR(std::exp(static_cast<double>(logs[i])), static_cast<double>(y[i]), 2e-6) << i;
  }
}

TYPED_TEST(ModelguardW, IsTheSameWhereTheClassesAreHeldAndWhereTheyAreNot) {
  // Masked classes make a row too long to be held, and change nothing else.
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const double scale : {0.01, 1.0, 4.0}) {
    std::vector<TypeParam> held(1000);
    for (TypeParam& each : held) each = static_cast<TypeParam>(scale * normal(random));
    std::vector<TypeParam> longer(2500, -std::numeric_limits<TypeParam>::infinity());
    std::copy(held.begin(), held.end(), longer.begin() + 704);
    for (const double epsilon : {0.2, 1.0, 2.0}) {
      const auto y = answer<TypeParam>(held, epsilon, chaff::form::logits);
      const auto of_longer = answer<TypeParam>(longer, epsilon, chaff::form::logits);
      double distance = 0;
      for (std::size_t i = 0; i < 1000; ++i) distance += std::abs(static_cast<double>(y[i] - of_longer[i + 704]));
      EXPECT_LE(distance, this->is_float ? 1e-4 : 1e-12) << scale << " " << epsilon;
    }
  }
}

TYPED_TEST(ModelguardW, KeepsItsBudgetAndItsLeadInLongAndFlatRows) {
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (const std::size_t classes : {257u, 1024u, 1025u, 131072u}) {
    for (const double scale : {0.0, 0.01, 1.0, 5.0}) {
      std::vector<TypeParam> z(classes), p(classes);
      for (TypeParam& each : z) each = static_cast<TypeParam>(scale * normal(random));
      chaff::apply(chaff::none{}, z, p, {.keep_label = false});
      for (const double epsilon : {0.5, 2.0}) {
        const auto y = answer<TypeParam>(z, epsilon, chaff::form::logits);
        const std::vector<double> of_double(p.begin(), p.end());
        const double objective = measured<TypeParam>(of_double, y).objective;
        const measured<TypeParam> posterior(of_double, p);
        // each of K classes may round
        const measured<TypeParam> is(of_double, y);
        const double unit = static_cast<double>(std::numeric_limits<TypeParam>::epsilon());
        const double of_sum = 4 * static_cast<double>(classes) * unit;
        EXPECT_NEAR(is.sum, 1, of_sum);
        EXPECT_LE(is.l1 - epsilon, (std::min)(of_sum, 100 * unit));
        EXPECT_GE(is.label_lead, lead * 0.99) << classes << " " << scale;
        if (scale > 0) {
          EXPECT_LT(objective, posterior.objective) << classes << " " << scale;
        }
      }
    }
  }
}

TYPED_TEST(ModelguardW, KeepsTheLabelFirstUnderThePolicy) {
  std::vector<TypeParam> y(3);
  chaff::apply(chaff::modelguard_w{.epsilon = 2}, std::vector<TypeParam>{1, 3, 2}, y);
  EXPECT_LE(std::max(y[0], y[2]), y[1] * TypeParam(63) / 64 * TypeParam(1.000001));
}

TYPED_TEST(ModelguardW, RefusesAnEpsilonOutOfRange) {
  for (const double epsilon : {2.1, -0.1, std::nan("")}) {
    std::vector<TypeParam> y{1, 2};
    EXPECT_THROW(chaff::apply(chaff::modelguard_w{.epsilon = epsilon}, y, y), std::invalid_argument);
    EXPECT_EQ(y, (std::vector<TypeParam>{0, 0})) << "the output is zeroed";
  }
}

}  // namespace
