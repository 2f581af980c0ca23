// SPDX-License-Identifier: MIT
/// The promises that are made of every answer, as one check.
#ifndef CHAFF_TESTS_SUPPORT_LAWFUL_HPP
#define CHAFF_TESTS_SUPPORT_LAWFUL_HPP

#include <gtest/gtest.h>

#include <cmath>

#include "support/every_defense.hpp"
#include "support/hostile_rows.hpp"
#include "support/reference.hpp"

/// Fails where the answer y to a row of K >= 2 logits z, of posterior p, breaks a promise; the budget is one before any
/// reduction.
template <class T>
void expect_lawful(const std::vector<T>& z, const std::vector<reference::real>& p, const std::vector<T>& y,
                   const chaff::policy& promised, bool reduced) {
  constexpr T eps = std::numeric_limits<T>::epsilon();
  const std::size_t k = label_by_scan(z);
  const auto largest_other = [&](const auto& row) {
    auto second = row[k == 0 ? 1 : 0];
    for (std::size_t i = 0; i < row.size(); ++i) second = i == k ? second : std::max(second, row[i]);
    return second;
  };
  long double sum = 0, moved = 0;
  std::size_t broken = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    broken += !(y[i] >= 0 && y[i] <= 1 + 8 * eps);
    broken += z[i] == -std::numeric_limits<T>::infinity() && y[i] != 0;
    sum += static_cast<long double>(y[i]);
    moved += std::fabs(static_cast<long double>(y[i]) - p[i]);
  }
  ASSERT_EQ(broken, 0u) << "entries negative, NaN, above 1, or not 0 where the logit is -inf";
  ASSERT_NEAR(static_cast<double>(sum), 1, static_cast<double>(4 * static_cast<T>(z.size()) * eps));
  if (promised.keep_label) {
    ASSERT_GT(y[k], largest_other(y)) << "the label is not strictly first";
    ASSERT_GE(static_cast<double>(y[k] - largest_other(y)), promised.label_margin - 1e-9);
  }
  // what the margin needs outranks the budget; where the posterior has the margin it needs nothing
  const auto own_lead = static_cast<double>(p[k] - largest_other(p));
  if (!reduced && (promised.label_margin == 0 || own_lead >= promised.label_margin + 1e-6)) {
    ASSERT_LE(static_cast<double>(moved), promised.max_l1 + 1e-6);
  }
}

/// The same of a single sigmoid logit, under a policy that keeps labels.
template <class T>
void expect_lawful_sigmoid(T z, T y, const chaff::policy& promised, bool reduced) {
  ASSERT_GE(y, 0);
  ASSERT_LE(y, 1);
  if (z > 0) {
    ASSERT_GT(y, T(0.5));
  } else if (z < 0) {
    ASSERT_LT(y, T(0.5));
  } else if (promised.label_margin == 0 && !reduced) {
    ASSERT_EQ(y, T(0.5));
  }
}

/// Answers one row of any K, and fails where that breaks a promise; p is z's posterior.
template <class T, class Defense>
void answer_lawfully(const Defense& defense, const std::vector<T>& z, const std::vector<reference::real>& p,
                     const chaff::policy& promised, bool reduced) {
  std::vector<T> y(z.size(), T(-7));
  defended_answer<T>(defense, z, y, promised);
  if (z.size() > 1) {
    expect_lawful(z, p, y, promised, reduced);
  } else if (promised.keep_label) {
    expect_lawful_sigmoid(z[0], y[0], promised, reduced);
  }
}

inline std::string describe(const chaff::policy& p) {
  return "keep_label " + std::to_string(p.keep_label) + ", label_margin " + std::to_string(p.label_margin) +
         ", max_l1 " + std::to_string(p.max_l1);
}

#endif
