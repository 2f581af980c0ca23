// SPDX-License-Identifier: MIT
/// Laws that hold between answers, on rows, parameters and policies that RapidCheck makes up, and shrinks where one
/// breaks. Its seed is printed with a failure; RC_PARAMS="seed=N" repeats it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <chaff/chaff.hpp>

#include "support/reference.hpp"

namespace {

/// A whole number in [low, high], times unit: exact in float and double.
double some(int low, int high, double unit = 1) {
  return unit * *rc::gen::inRange(low, high + 1);
}

/// 2 to 40 logits in [-32, 32] on a grid of 1/64, so that float holds them, and their sums with whole numbers, exactly.
template <class T>
std::vector<T> some_row() {
  const auto classes = *rc::gen::inRange<std::size_t>(2, 41);
  const auto grid = *rc::gen::container<std::vector<int>>(classes, rc::gen::inRange(-2048, 2049));
  std::vector<T> row;
  for (const int g : grid) row.push_back(static_cast<T>(g) / 64);
  return row;
}

chaff::dcp some_dcp() {
  return {.beta = some(0, 32, 0.0625),
          .gamma = some(1, 16, 0.0625),
          .nu = some(1, 1000),
          .tau = some(0, 40, 0.03125),
          .rule = *rc::gen::element(chaff::odds::clamped, chaff::odds::exact)};
}

template <class T, class Defense>
std::vector<T> answer_to(const Defense& used, const std::vector<T>& row, const chaff::policy& promised = {}) {
  std::vector<T> answer(row.size());
  chaff::apply(used, row, answer, promised);
  return answer;
}

double farthest(const auto& a, const auto& b) {
  double far = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    far = std::max(far, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return far;
}

/// What an error of p_k becomes in an answer: through the gate, whose slope is nu / 4, times the most that the weights
/// move, then through the division by a sum that may be as small as the label's least weight.
bool is_at_an_edge(const std::vector<double>& row, const chaff::dcp& used) {
  const std::vector<reference::real> weights = reference::dcp(row, used);
  const auto p = reference::softmax(row);
  const double confidence = static_cast<double>(*std::max_element(p.begin(), p.end()));
  return std::abs(confidence - used.tau) < 0.02 ||
         std::any_of(weights.begin(), weights.end(), [](auto w) { return !(w >= 0); });
}

RC_GTEST_PROP(properties, shifting_all_logits_changes_not_a_bit, ()) {
  const auto row = some_row<float>();
  const chaff::dcp used = some_dcp();
  const float shift = static_cast<float>(some(-1000, 1000));
  auto shifted = row;
  for (float& z : shifted) z += shift;
  RC_ASSERT(answer_to(used, shifted) == answer_to(used, row));
}

RC_GTEST_PROP(properties, permuting_classes_permutes_the_answer, ()) {
  auto row = some_row<double>();
  // apart, so that the label is the same class
  for (std::size_t i = 0; i < row.size(); ++i) row[i] += static_cast<double>(i) / 4096;
  const chaff::dcp used = some_dcp();
  RC_PRE(!is_at_an_edge(row, used));
  auto order = std::vector<std::size_t>(row.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
  std::vector<double> permuted;
  for (const std::size_t i : order) permuted.push_back(row[i]);
  const auto answer = answer_to(used, row), of_permuted = answer_to(used, permuted);
  std::vector<double> expected;
  for (const std::size_t i : order) expected.push_back(answer[i]);
  RC_ASSERT(farthest(of_permuted, expected) <= 1e-8);
}

RC_GTEST_PROP(properties, a_smaller_budget_moves_no_answer_further, ()) {
  const auto row = some_row<double>();
  const chaff::dcp used = some_dcp();
  const double large = some(0, 64, 1.0 / 32), small = large * some(0, 16, 1.0 / 16);
  const auto posterior = reference::softmax(row);
  const auto moved = [&](double budget) {
    return static_cast<double>(reference::l1(answer_to(used, row, {.max_l1 = budget}), posterior));
  };
  RC_ASSERT(moved(small) <= moved(large) + 1e-12);
  RC_ASSERT(moved(small) <= small + 1e-6);
  RC_ASSERT(moved(large) <= moved(2) + 1e-12);
}

RC_GTEST_PROP(properties, reductions_done_again_change_nothing, ()) {
  const auto row = some_row<double>();
  const auto k = *rc::gen::inRange<std::size_t>(1, 42);
  const int decimals = *rc::gen::inRange(0, 8);
  const double cutoff = some(0, 64, 1.0 / 64);
  const auto answer = answer_to(some_dcp(), row);
  const chaff::kept_label kept{chaff::label(std::span<const double>(row)), 0};
  const auto is_idempotent = [&](const auto& reduction) {
    auto once = answer;
    reduction(std::span<double>(once), kept);
    auto twice = once;
    reduction(std::span<double>(twice), kept);
    return farthest(once, twice) <= 1e-15;
  };
  RC_ASSERT(is_idempotent(chaff::top_k{.k = k}));
  RC_ASSERT(is_idempotent(chaff::rounded{.decimals = decimals}));
  RC_ASSERT(is_idempotent(chaff::label_only{}));
  RC_ASSERT(is_idempotent(chaff::high_confidence{.cutoff = cutoff}));
}

RC_GTEST_PROP(properties, without_the_label_kept_an_answer_is_the_formula, ()) {
  const auto row = some_row<double>();
  const chaff::dcp used = some_dcp();
  RC_PRE(!is_at_an_edge(row, used));
  RC_ASSERT(farthest(answer_to(used, row, {.keep_label = false}), reference::dcp(row, used)) <= 1e-8);
}

RC_GTEST_PROP(properties, a_chain_is_its_parts_one_after_another, ()) {
  const auto row = some_row<double>();
  const chaff::dcp used = some_dcp();
  const chaff::top_k few{.k = *rc::gen::inRange<std::size_t>(1, 42)};
  const chaff::rounded coarse{.decimals = *rc::gen::inRange(0, 8)};
  const chaff::kept_label kept{chaff::label(std::span<const double>(row)), 0};
  auto by_hand = answer_to(used, row);
  few(std::span<double>(by_hand), kept);
  coarse(std::span<double>(by_hand), kept);
  RC_ASSERT(answer_to(used | few | coarse, row) == by_hand);
  auto other_way = answer_to(used, row);
  coarse(std::span<double>(other_way), kept);
  few(std::span<double>(other_way), kept);
  RC_ASSERT(answer_to(used | coarse | few, row) == other_way);
}

RC_GTEST_PROP(properties, float_answers_are_doubles_within_the_stated_error, ()) {
  const auto row = some_row<double>();
  const std::vector<float> narrow(row.begin(), row.end());
  chaff::dcp used = some_dcp();
  used.rule = chaff::odds::clamped;  // then no weight falls, and their sum is at least 1
  RC_PRE(!is_at_an_edge(row, used));
  const auto of_double = answer_to(used, row, {.keep_label = false});
  const auto of_float = answer_to(used, narrow, {.keep_label = false});
  const double of_a_weight = 2e-7 * used.beta * (1 + 2 * used.gamma) + 25 * 1.2e-7;  // reverse_sigmoid's, and softmax's
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double of_the_sum = of_double[i] * static_cast<double>(row.size());
    RC_ASSERT(std::abs(static_cast<double>(of_float[i]) - of_double[i]) <= of_a_weight * (1 + of_the_sum));
  }
}

}  // namespace
