// SPDX-License-Identifier: MIT
/// Properties of a query_monitor, and of a monitored model's batches, on scores and rows that RapidCheck generates.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chaff/calibration/calibrate.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/monitor.hpp>
#include <chaff/reductions/label_only.hpp>
#include <cmath>

namespace {

/// Scores on a coarse grid, so that many are equal.
std::vector<double> generate_scores(std::size_t smallest, std::size_t largest) {
  const auto size = *rc::gen::inRange<std::size_t>(smallest, largest + 1);
  const auto grid = *rc::gen::container<std::vector<int>>(size, rc::gen::inRange(-60, 61));
  std::vector<double> scores;
  for (const int g : grid) scores.push_back(g / 4.0);
  return scores;
}

chaff::monitor_options generate_options() {
  return {.false_alarms = 0.5 / *rc::gen::inRange(1, 2000),
          .queries = static_cast<double>(*rc::gen::inRange(100, 100'000)),
          .drift = 1.25 + 0.125 * *rc::gen::inRange(0, 12)};
}

RC_GTEST_PROP(QueryMonitorProperties, EvidenceIsNeverNegativeAndStepsAreBounded, ()) {
  const auto benign = generate_scores(100, 300);
  const chaff::query_monitor monitor(benign, generate_options());
  const double drift = monitor.options().drift, largest = std::log(static_cast<double>(benign.size()) + 1);
  double evidence = 0;
  for (const double score : generate_scores(0, 60)) {
    const double before = evidence;
    const bool was_flagged = monitor.is_flagged(before);
    const bool is_flagged = monitor.update(evidence, score);
    RC_ASSERT(evidence >= 0 && !std::signbit(evidence));
    RC_ASSERT(evidence <= before + largest - drift + 1e-12);
    RC_ASSERT(is_flagged == (evidence >= monitor.threshold()));
    if (was_flagged) RC_ASSERT(is_flagged && evidence <= before && evidence >= before);
  }
}

RC_GTEST_PROP(QueryMonitorProperties, LowerScoreAndMoreEvidenceLeaveNoLess, ()) {
  const chaff::query_monitor monitor(generate_scores(100, 300), generate_options());
  const double score = *rc::gen::inRange(-70, 71) / 4.0, lower = score - *rc::gen::inRange(0, 40) / 4.0;
  RC_ASSERT(monitor.surprise(lower) >= monitor.surprise(score));
  const double start = *rc::gen::inRange(0, 1000) / 64.0, more = start + *rc::gen::inRange(0, 1000) / 64.0;
  double of_score = start, of_lower = start, of_more = more;
  monitor.update(of_score, score);
  monitor.update(of_lower, lower);
  monitor.update(of_more, score);
  RC_ASSERT(of_lower >= of_score);
  // the evidence of a flagged account stays as it is, where other evidence may jump far over the threshold
  RC_ASSERT(of_more >= of_score || monitor.is_flagged(more));
}

RC_GTEST_PROP(QueryMonitorProperties, SurpriseIsTheRankByBruteForce, ()) {
  const auto benign = generate_scores(30, 300);
  const chaff::query_monitor monitor(benign, {.drift = 1.5});
  const double score = *rc::gen::inRange(-70, 71) / 4.0;
  int at_or_below = 0;
  for (const double each : benign) at_or_below += each <= score ? 1 : 0;
  const double expected = -std::log((at_or_below + 1) / (static_cast<double>(benign.size()) + 1));
  RC_ASSERT(std::abs(monitor.surprise(score) - expected) <= 1e-14);
}

RC_GTEST_PROP(QueryMonitorProperties, OrderOfTheBenignScoresDoesNotMatter, ()) {
  auto benign = generate_scores(100, 300);
  const auto options = generate_options();
  const chaff::query_monitor monitor(benign, options);
  std::reverse(benign.begin(), benign.end());
  const chaff::query_monitor other(benign, options);
  const double score = *rc::gen::inRange(-70, 71) / 4.0;
  RC_ASSERT(!(monitor.surprise(score) < other.surprise(score)) && !(monitor.surprise(score) > other.surprise(score)));
}

/// The bits of evidence and outputs are the same in any batches: those of one row take other kernels than those of
/// many.
template <class T>
void expect_independence_of_batches() {
  const auto classes = *rc::gen::inRange<std::size_t>(1, 40);
  const auto rows = *rc::gen::inRange<std::size_t>(1, 40);
  const auto generate = [&](std::size_t count, int scale) {
    const auto grid = *rc::gen::container<std::vector<int>>(count * classes, rc::gen::inRange(-128, 129));
    std::vector<T> logits;
    for (const int g : grid) logits.push_back(static_cast<T>(g * scale) / 64);
    return logits;
  };
  const std::vector<T> benign = generate(100, 8), queries = generate(rows, *rc::gen::inRange(1, 9));
  const chaff::calibration_data<T> data{.logits = benign, .classes = classes};
  const auto monitor = chaff::calibrate_monitor(data, chaff::energy_gate{}, {.queries = 100, .drift = 1.25});
  const auto served = chaff::monitored([](const std::vector<T>& logits) { return logits; }, chaff::dcp{.beta = 1.2},
                                       chaff::none{} | chaff::label_only{}, monitor, {.classes = classes});
  double whole = *rc::gen::inRange(0, 640) / 32.0;
  double in_parts = whole;
  const std::vector<T> output = served(whole, queries);
  RC_TAG(monitor.monitor.is_flagged(in_parts) ? "flagged before"
         : monitor.monitor.is_flagged(whole)  ? "flagged within"
                                              : "not flagged");
  std::vector<T> parts;
  for (std::size_t row = 0; row < rows;) {
    const auto count = *rc::gen::inRange<std::size_t>(1, rows - row + 1);
    const auto first = queries.begin() + static_cast<std::ptrdiff_t>(row * classes);
    const auto part = served(in_parts, std::vector<T>(first, first + static_cast<std::ptrdiff_t>(count * classes)));
    parts.insert(parts.end(), part.begin(), part.end());
    row += count;
  }
  RC_ASSERT(parts == output);
  RC_ASSERT(!(whole < in_parts) && !(whole > in_parts));
}

RC_GTEST_PROP(MonitoredProperties, BatchesDoNotMatterInFloat, ()) {
  expect_independence_of_batches<float>();
}

RC_GTEST_PROP(MonitoredProperties, BatchesDoNotMatterInDouble, ()) {
  expect_independence_of_batches<double>();
}

}  // namespace
