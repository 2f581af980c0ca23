// SPDX-License-Identifier: MIT
/// Properties that relate outputs to one another, on rows, parameters and policies that RapidCheck generates, and
/// shrinks where a property fails. Its seed is printed with a failure; RC_PARAMS="seed=N" repeats it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/argmax.hpp>
#include <chaff/reductions/high_confidence.hpp>
#include <chaff/reductions/label_only.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>

#include "support/reference.hpp"

namespace {

/// A whole number in [low, high], times unit: exact in float and double.
double number(int low, int high, double unit = 1) {
  return unit * *rc::gen::inRange(low, high + 1);
}

/// 2 to 40 logits in [-32, 32] on a grid of 1/64, so that float holds them, and their sums with whole numbers, exactly.
template <class T>
std::vector<T> generate_row() {
  const auto classes = *rc::gen::inRange<std::size_t>(2, 41);
  const auto grid = *rc::gen::container<std::vector<int>>(classes, rc::gen::inRange(-2048, 2049));
  std::vector<T> row;
  for (const int g : grid) row.push_back(static_cast<T>(g) / 64);
  return row;
}

chaff::dcp generate_dcp() {
  return {.beta = number(0, 32, 0.0625),
          .gamma = number(1, 16, 0.0625),
          .nu = number(1, 1000),
          .tau = number(0, 40, 0.03125),
          .rule = *rc::gen::element(chaff::odds::clamped, chaff::odds::exact)};
}

template <class T, class Defense>
std::vector<T> answer_to(const Defense& defense, const std::vector<T>& row, const chaff::policy& policy = {}) {
  std::vector<T> output(row.size());
  chaff::apply(defense, row, output, policy);
  return output;
}

/// The largest difference of two entries.
double max_difference(const auto& a, const auto& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

/// Whether a rounding error of p_k may grow large in the output: p_k is close to tau, where the gate's slope is nu / 4,
/// or the weights have no sum to be divided by.
bool is_ill_conditioned(const std::vector<double>& row, const chaff::dcp& defense) {
  const std::vector<reference::real> weights = reference::dcp(row, defense);
  const auto p = reference::softmax(row);
  const double confidence = static_cast<double>(*std::max_element(p.begin(), p.end()));
  return std::abs(confidence - *defense.tau) < 0.02 ||
         std::any_of(weights.begin(), weights.end(), [](auto w) { return !(w >= 0); });
}

RC_GTEST_PROP(Properties, ShiftOfAllLogitsChangesNoBit, ()) {
  const auto row = generate_row<float>();
  const chaff::dcp defense = generate_dcp();
  const float shift = static_cast<float>(number(-1000, 1000));
  auto shifted = row;
  for (float& z : shifted) z += shift;
  RC_ASSERT(answer_to(defense, shifted) == answer_to(defense, row));
}

RC_GTEST_PROP(Properties, PermutationOfClassesPermutesTheOutput, ()) {
  auto row = generate_row<double>();
  // no two logits are equal, so that the label is the same class
  for (std::size_t i = 0; i < row.size(); ++i) row[i] += static_cast<double>(i) / 4096;
  const chaff::dcp defense = generate_dcp();
  RC_PRE(!is_ill_conditioned(row, defense));
  auto order = std::vector<std::size_t>(row.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  std::vector<double> permuted;
  for (const std::size_t i : order) permuted.push_back(row[i]);
  const auto output = answer_to(defense, row), permuted_output = answer_to(defense, permuted);
  std::vector<double> expected;
  for (const std::size_t i : order) expected.push_back(output[i]);
  RC_ASSERT(max_difference(permuted_output, expected) <= 1e-8);
}

RC_GTEST_PROP(Properties, SmallerBudgetMovesNoOutputFurther, ()) {
  const auto row = generate_row<double>();
  const chaff::dcp defense = generate_dcp();
  const double large = number(0, 64, 1.0 / 32), small = large * number(0, 16, 1.0 / 16);
  const auto posterior = reference::softmax(row);
  const auto moved = [&](double budget) {
    return static_cast<double>(reference::l1(answer_to(defense, row, {.max_l1 = budget}), posterior));
  };
  RC_ASSERT(moved(small) <= moved(large) + 1e-12);
  RC_ASSERT(moved(small) <= small + 1e-6);
  RC_ASSERT(moved(large) <= moved(2) + 1e-12);
}

RC_GTEST_PROP(Properties, ReductionAppliedAgainChangesNothing, ()) {
  const auto row = generate_row<double>();
  const auto k = *rc::gen::inRange<std::size_t>(1, 42);
  const int decimals = *rc::gen::inRange(0, 8);
  const double cutoff = number(0, 64, 1.0 / 64);
  const auto output = answer_to(generate_dcp(), row);
  const chaff::kept_label kept{chaff::argmax(std::span<const double>(row)), 0};
  const auto is_idempotent = [&](const auto& reduction) {
    auto once = output;
    reduction(std::span<double>(once), kept);
    auto twice = once;
    reduction(std::span<double>(twice), kept);
    return max_difference(once, twice) <= 1e-15;
  };
  RC_ASSERT(is_idempotent(chaff::top_k{.k = k}));
  RC_ASSERT(is_idempotent(chaff::rounded{.decimals = decimals}));
  RC_ASSERT(is_idempotent(chaff::label_only{}));
  RC_ASSERT(is_idempotent(chaff::high_confidence{.cutoff = cutoff}));
}

RC_GTEST_PROP(Properties, OutputWithoutTheLabelKeptIsTheFormula, ()) {
  const auto row = generate_row<double>();
  const chaff::dcp defense = generate_dcp();
  RC_PRE(!is_ill_conditioned(row, defense));
  RC_ASSERT(max_difference(answer_to(defense, row, {.keep_label = false}), reference::dcp(row, defense)) <= 1e-8);
}

RC_GTEST_PROP(Properties, ChainIsItsPartsOneAfterAnother, ()) {
  const auto row = generate_row<double>();
  const chaff::dcp defense = generate_dcp();
  const chaff::top_k first{.k = *rc::gen::inRange<std::size_t>(1, 42)};
  const chaff::rounded second{.decimals = *rc::gen::inRange(0, 8)};
  const chaff::kept_label kept{chaff::argmax(std::span<const double>(row)), 0};
  auto expected = answer_to(defense, row);
  first(std::span<double>(expected), kept);
  second(std::span<double>(expected), kept);
  RC_ASSERT(answer_to(defense | first | second, row) == expected);
  auto expected_reversed = answer_to(defense, row);
  second(std::span<double>(expected_reversed), kept);
  first(std::span<double>(expected_reversed), kept);
  RC_ASSERT(answer_to(defense | second | first, row) == expected_reversed);
}

RC_GTEST_PROP(Properties, FloatOutputIsTheDoubleOutputWithinTheStatedError, ()) {
  const auto row = generate_row<double>();
  const std::vector<float> narrow_row(row.begin(), row.end());
  chaff::dcp defense = generate_dcp();
  defense.rule = chaff::odds::clamped;  // then the sum of the weights is at least 1
  RC_PRE(!is_ill_conditioned(row, defense));
  const auto wide = answer_to(defense, row, {.keep_label = false});
  const auto narrow = answer_to(defense, narrow_row, {.keep_label = false});
  const double weight_error =
      2e-7 * defense.beta * (1 + 2 * defense.gamma) + 25 * 1.2e-7;  // of reverse_sigmoid and softmax
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double sum_share = wide[i] * static_cast<double>(row.size());
    RC_ASSERT(std::abs(static_cast<double>(narrow[i]) - wide[i]) <= weight_error * (1 + sum_share));
  }
}

RC_GTEST_PROP(Properties, PerturbedRowKeepsTheLabelBySixtyThreeSixtyFourths, ()) {
  const auto row = generate_row<float>();
  const chaff::dcp defense = generate_dcp();
  const auto p = reference::softmax(row);
  const std::size_t k = reference::argmax(row);
  RC_PRE(reference::alpha_of(defense.parts().gate, 0, p[k]) > 1e-6L);
  const auto output = answer_to(defense, row);
  RC_ASSERT(static_cast<double>(reference::max_other(output, k)) <=
            static_cast<double>(output[k]) * 63 / 64 * (1 + 4 * 1.1920929e-7));
}

RC_GTEST_PROP(Properties, MarginAndBudgetAreTheClosedForm, ()) {
  const auto row = generate_row<double>();
  const chaff::dcp defense = generate_dcp();
  const double margin = number(0, 64, 1.0 / 64), budget = number(0, 64, 1.0 / 32);
  const std::size_t k = reference::argmax(row);
  const auto p = reference::softmax(row);
  const auto q = reference::with_margin(p, k, margin);
  // the output under the margin alone gives y
  const auto y = answer_to(defense, row, {.label_margin = margin});
  const auto offered = reference::l1(y, q);
  const auto allowed = std::max(0.0L, static_cast<reference::real>(budget) - reference::l1(q, p));
  const auto s = offered > allowed ? allowed / offered : 1.0L;
  std::vector<reference::real> expected;
  for (std::size_t i = 0; i < row.size(); ++i) {
    expected.push_back(q[i] + s * (static_cast<reference::real>(y[i]) - q[i]));
  }
  RC_ASSERT(max_difference(answer_to(defense, row, {.label_margin = margin, .max_l1 = budget}), expected) <= 1e-12);
}

}  // namespace
