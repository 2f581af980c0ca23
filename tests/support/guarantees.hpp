// SPDX-License-Identifier: MIT
/// The guarantees that hold for every output, as one check.
#ifndef CHAFF_TESTS_SUPPORT_GUARANTEES_HPP
#define CHAFF_TESTS_SUPPORT_GUARANTEES_HPP

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "support/edge_case_rows.hpp"
#include "support/reference.hpp"
#include "support/tested_defense.hpp"

/// Fails where the output y for a row of K >= 2 logits z, whose posterior is p, breaks a guarantee that holds for every
/// defense. The budget is checked where no reduction follows the perturbation.
template <class T>
void expect_guarantees_of_row(const std::vector<T>& z, const std::vector<reference::real>& p, const std::vector<T>& y,
                              const chaff::policy& policy, bool is_reduced) {
  constexpr T eps = std::numeric_limits<T>::epsilon();
  const std::size_t k = argmax_by_scan(z);
  long double sum = 0, moved = 0;
  std::size_t bad_entries = 0, bad_masked_entries = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    bad_entries += !(y[i] >= 0 && y[i] <= 1 + 8 * eps);
    bad_masked_entries += z[i] == -std::numeric_limits<T>::infinity() && y[i] != 0;
    sum += static_cast<long double>(y[i]);
    moved += std::fabs(static_cast<long double>(y[i]) - p[i]);
  }
  ASSERT_EQ(bad_entries, 0u) << "entries are negative, NaN or above 1";
  ASSERT_EQ(bad_masked_entries, 0u) << "entries of masked classes are not 0";
  ASSERT_NEAR(static_cast<double>(sum), 1, static_cast<double>(4 * static_cast<T>(z.size()) * eps));
  if (policy.keep_label) {
    const T other = reference::max_other(y, k);
    ASSERT_GT(y[k], other) << "the label is not strictly first";
    ASSERT_GE(static_cast<double>(y[k]) - static_cast<double>(other), policy.label_margin - 1e-9);
  }
  if (!is_reduced) {
    // the margin takes precedence over the budget
    const double margin_l1 = static_cast<double>(reference::l1_of_margin(p, k, policy.label_margin));
    ASSERT_LE(static_cast<double>(moved), std::max(policy.max_l1, margin_l1) + 1e-6);
  }
}

/// Fails where the output y for a row of K >= 2 logits z is not what its gate says, under a policy without a budget and
/// without a reduction: the posterior p where the gate is closed, and every other entry at most 63/64 of the label's
/// where it is open. A gate that is closed to within a few eps of T may count as either.
template <class T>
void expect_side_of_gate(const std::vector<T>& z, const std::vector<reference::real>& p, const std::vector<T>& y,
                         const chaff::policy& policy, reference::real alpha) {
  constexpr auto eps = static_cast<reference::real>(std::numeric_limits<T>::epsilon());
  if (alpha > 4 * eps && policy.keep_label) {
    const std::size_t k = argmax_by_scan(z);
    ASSERT_LE(static_cast<double>(reference::max_other(y, k)),
              static_cast<double>(static_cast<reference::real>(y[k]) * 63 / 64 * (1 + 4 * eps)))
        << "the label of a perturbed row leads by less than 1/64";
  }
  if (alpha < eps / 4 && policy.label_margin == 0) {
    std::size_t bad_entries = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      const reference::real allowed = 64 * eps * p[i] + 4 * static_cast<reference::real>(std::numeric_limits<T>::min());
      bad_entries += !(std::fabs(static_cast<reference::real>(y[i]) - p[i]) <= allowed);
    }
    ASSERT_EQ(bad_entries, 0u) << "a row whose gate is closed is not the posterior";
  }
}

/// Fails where the output y for a single sigmoid logit z breaks a guarantee. p is the posterior of the logits {z, 0},
/// and alpha what its gate lets in.
template <class T>
void expect_guarantees_of_sigmoid(T z, const std::vector<reference::real>& p, T y, const chaff::policy& policy,
                                  bool is_reduced, reference::real alpha) {
  constexpr auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  ASSERT_GE(y, 0);
  ASSERT_LE(y, 1);
  if (policy.keep_label) {
    if (z > 0) {
      ASSERT_GT(y, T(0.5));
    } else if (z < 0) {
      ASSERT_LT(y, T(0.5));
    } else if (policy.label_margin == 0 && !is_reduced) {
      ASSERT_EQ(y, T(0.5));
    }
  }
  const double label = z < 0 ? 1 - static_cast<double>(y) : static_cast<double>(y);
  if (policy.keep_label) {
    ASSERT_GE(2 * label - 1, policy.label_margin - 1e-9);
  }
  if (is_reduced) return;
  const double moved = 2 * std::abs(static_cast<double>(y) - static_cast<double>(p[0]));
  const double margin_l1 = static_cast<double>(reference::l1_of_margin(p, z < 0 ? 1 : 0, policy.label_margin));
  ASSERT_LE(moved, std::max(policy.max_l1, margin_l1) + 1e-6);
  if (policy.keep_label && z != 0 && policy.max_l1 == 2 && static_cast<double>(alpha) > 4 * eps) {
    ASSERT_LE(1 - label, label * 63 / 64 * (1 + 4 * eps)) << "the label of a perturbed row leads by less than 1/64";
  }
}

/// Answers one row of any K, and fails where that breaks a guarantee. p is the posterior of the logits z.
template <class T>
void expect_guarantees(const tested_defense<T>& defense, const std::vector<T>& z, const std::vector<reference::real>& p,
                       const chaff::policy& policy, bool is_reduced) {
  std::vector<T> y(z.size(), T(-7));
  defense.apply(z, y, policy);
  if (z.size() == 1) {
    const std::vector<T> pair{z[0], T(0)};
    const auto posterior = reference::softmax(pair);
    expect_guarantees_of_sigmoid(z[0], posterior, y[0], policy, is_reduced, defense.alpha(pair, posterior));
    return;
  }
  expect_guarantees_of_row(z, p, y, policy, is_reduced);
  if (!is_reduced && policy.max_l1 == 2 && !testing::Test::HasFatalFailure()) {
    expect_side_of_gate(z, p, y, policy, defense.alpha(z, p));
  }
}

inline std::string describe(const chaff::policy& policy) {
  return "keep_label " + std::to_string(policy.keep_label) + ", label_margin " + std::to_string(policy.label_margin) +
         ", max_l1 " + std::to_string(policy.max_l1);
}

#endif
