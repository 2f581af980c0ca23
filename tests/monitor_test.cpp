// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <chaff/adapters/eigen.hpp>
#include <chaff/any_defense.hpp>
#include <chaff/apply.hpp>
#include <chaff/calibration/calibrate.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/confidence_gate.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/monitor.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/decoy.hpp>
#include <chaff/perturbations/misdirect.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/row.hpp>
#include <chaff/reductions/label_only.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/shared_text.hpp"

namespace {

constexpr std::size_t classes = 5;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Rows of logits: of benign queries for a scale of 8, and OOD for a scale of 0.5.
template <class T>
std::vector<T> generate_rows(unsigned seed, std::size_t rows, double scale, std::size_t k = classes) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> value(-1, 1);
  std::vector<T> logits(rows * k);
  for (T& z : logits) z = static_cast<T>(scale * value(random));
  for (std::size_t r = 0; r < rows; ++r) logits[r * k + r % k] += static_cast<T>(scale);
  return logits;
}

const std::vector<float> benign = generate_rows<float>(1, 2000, 8);
const std::vector<float> ood = generate_rows<float>(2, 60, 0.5);

chaff::gate_monitor<chaff::energy_gate> energy_monitor() {
  return chaff::calibrate_monitor(chaff::calibration_data<float>{.logits = benign, .classes = classes},
                                  chaff::energy_gate{});
}

/// log sum exp of a row, in long double.
template <class T>
double energy_of(const T* row, std::size_t k = classes) {
  const long double top = *std::max_element(row, row + k);
  long double sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += std::exp(static_cast<long double>(row[i]) - top);
  return static_cast<double>(top + std::log(sum));
}

template <class Defense, class T>
std::vector<T> answer(const Defense& defense, const std::vector<T>& rows, const chaff::policy& policy = {},
                      std::size_t k = classes) {
  std::vector<T> output(rows.size());
  chaff::apply_rows(defense, rows, k, output, policy);
  return output;
}

const auto identity = [](const std::vector<float>& logits) { return logits; };
constexpr chaff::policy batch{.classes = classes};
const auto labels_only = chaff::none{} | chaff::label_only{};

template <class E, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(GateScores, AreLogSumExpOrConfidenceOfEachRow) {
  const auto energies = chaff::gate_scores(chaff::energy_gate{}, ood, classes);
  const auto confidences = chaff::gate_scores(chaff::confidence_gate{}, ood, classes);
  const auto posteriors = answer(chaff::none{}, ood);
  ASSERT_EQ(energies.size(), 60u);
  for (std::size_t r = 0; r < 60; ++r) {
    EXPECT_NEAR(energies[r], energy_of(&ood[r * classes]), 1e-6);
    EXPECT_NEAR(confidences[r], *std::max_element(&posteriors[r * classes], &posteriors[r * classes] + classes), 1e-6);
  }
  EXPECT_TRUE(chaff::gate_scores(chaff::energy_gate{}, std::vector<float>{}, classes).empty());
  // of a single sigmoid z, the logits are {z, 0}
  EXPECT_NEAR(chaff::gate_scores(chaff::energy_gate{}, std::vector<double>{3}, 1)[0], std::log(std::exp(3.0) + 1),
              1e-14);
}

TEST(GateScores, RefusesWhatTheGateOrApplyRefuses) {
  const std::vector<float> bad{1, 2, std::numeric_limits<float>::quiet_NaN(), 1};
  EXPECT_EQ(message_of<std::domain_error>([&] { static_cast<void>(chaff::gate_scores(chaff::energy_gate{}, bad, 2)); }),
            "chaff: logit 0 of row 1 is NaN");
  EXPECT_THROW(static_cast<void>(chaff::gate_scores(chaff::energy_gate{}, bad, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::gate_scores(chaff::energy_gate{}, bad, 0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::gate_scores(chaff::energy_gate{}, std::vector{0.5, 0.5}, 2,
                                                    {.input = chaff::form::probabilities})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::gate_scores(chaff::confidence_gate{.nu = -1}, bad, 2)), std::invalid_argument);
}

TEST(CalibrateMonitor, HasTheScoresOfTheBenignRows) {
  const auto [gate, monitor] = energy_monitor();
  auto expected = chaff::gate_scores(chaff::energy_gate{}, benign, classes);
  std::sort(expected.begin(), expected.end());
  EXPECT_TRUE(
      std::equal(expected.begin(), expected.end(), monitor.benign_scores().begin(), monitor.benign_scores().end()));
  EXPECT_EQ(monitor.threshold(), chaff::query_monitor(expected).threshold());
  const auto other = chaff::calibrate_monitor(chaff::calibration_data<float>{.logits = benign, .classes = classes},
                                              chaff::confidence_gate{}, {.drift = 1.5});
  EXPECT_EQ(other.monitor.options().drift, 1.5);
}

TEST(GateScores, ReadTheFormThatThePolicyNames) {
  const std::vector<float> posteriors = answer(chaff::none{}, ood);
  const auto of_logits = chaff::gate_scores(chaff::confidence_gate{}, ood, classes);
  const auto of_posteriors =
      chaff::gate_scores(chaff::confidence_gate{}, posteriors, classes, {.input = chaff::form::probabilities});
  for (std::size_t r = 0; r < of_logits.size(); ++r) EXPECT_NEAR(of_posteriors[r], of_logits[r], 1e-6);
}

TEST(CalibrateMonitor, BadDataAreErrorsThatNameThem) {
  const auto message = [](const chaff::calibration_data<float>& data, const chaff::monitor_options& options = {}) {
    return message_of<std::invalid_argument>(
        [&] { static_cast<void>(chaff::calibrate_monitor(data, chaff::energy_gate{}, options)); });
  };
  EXPECT_EQ(message({.logits = benign}), "chaff: calibration_data.classes is 0, allowed is 1 or more");
  EXPECT_EQ(message({.classes = 5}), "chaff: calibration_data.logits is empty");
  EXPECT_EQ(message({.logits = benign, .classes = 7}),
            "chaff: calibration_data.logits has 10000 entries, which are not a whole number of rows of 7 classes");
  EXPECT_EQ(message({.logits = benign, .classes = 5}, {.drift = 0}), "chaff: drift is 0, allowed is [1.01, 20]");
}

TEST(Monitored, BenignRowsGetTheNormalDefenseBitForBit) {
  const auto monitor = energy_monitor();
  const chaff::dcp defense{.beta = 1.2};
  const auto served = chaff::monitored(identity, defense, chaff::refuse{}, monitor, batch);
  for (const std::size_t rows : {1u, 2u, 33u}) {
    const std::vector<float> query(benign.begin(), benign.begin() + static_cast<std::ptrdiff_t>(rows * classes));
    double evidence = 0;
    EXPECT_EQ(served(evidence, query), answer(defense, query));
    EXPECT_FALSE(monitor.monitor.is_flagged(evidence));
  }
}

/// Evidence and the row that flags, by the formula.
TEST(Monitored, EvidenceIsThatOfUpdateRowByRow) {
  const auto [gate, monitor] = energy_monitor();
  const auto served =
      chaff::monitored(identity, chaff::none{}, chaff::refuse{}, chaff::gate_monitor{gate, monitor}, batch);
  double evidence = 0, expected = 0;
  for (std::size_t r = 0; r < 3; ++r) {
    const std::vector<float> query(ood.data() + r * classes, ood.data() + (r + 1) * classes);
    served(evidence, query);
    std::size_t rank = 0;
    for (std::size_t b = 0; b < 2000; ++b) rank += energy_of(&benign[b * classes]) <= energy_of(query.data()) ? 1 : 0;
    expected = std::max(0.0, expected - std::log((static_cast<double>(rank) + 1) / 2001) - 2);
    EXPECT_NEAR(evidence, expected, 1e-12);
  }
  EXPECT_GT(evidence, 1);
}

TEST(Monitored, RowsFromTheFlaggingOneOnGetTheFlaggedDefense) {
  const auto [gate, monitor] = energy_monitor();
  const auto scores = chaff::gate_scores(gate, ood, classes);
  double evidence = 0;
  std::size_t first = 0;
  while (!monitor.update(evidence, scores[first])) ++first;
  ASSERT_GT(first, 1u);
  ASSERT_LT(first, 20u);
  const chaff::energy_dcp normal{.tau = 3.0};
  const auto expected_normal = answer(normal, ood), expected_flagged = answer(labels_only, ood);
  const auto served = chaff::monitored(identity, normal, labels_only, monitor, batch);  // the energy gate of normal
  double whole = 0;
  const auto output = served(whole, ood);
  EXPECT_EQ(whole, evidence);
  ASSERT_EQ(output.size(), ood.size());
  for (std::size_t i = 0; i < output.size(); ++i) {
    EXPECT_EQ(output[i], i < first * classes ? expected_normal[i] : expected_flagged[i]) << i;
  }
  EXPECT_EQ(served(whole, ood), expected_flagged) << "flagged forever";
  EXPECT_EQ(whole, evidence);
  double alone = 0;
  for (std::size_t r = 0; r < 60; ++r) {
    const std::vector<float> query(ood.data() + r * classes, ood.data() + (r + 1) * classes);
    const auto row = served(alone, query);
    EXPECT_TRUE(std::equal(row.begin(), row.end(), &output[r * classes])) << r;
  }
  EXPECT_EQ(alone, evidence);
}

TEST(Monitored, FirstRowOfABatchMayFlag) {
  const auto monitor = energy_monitor();
  const auto served = chaff::monitored(identity, chaff::none{}, labels_only, monitor, batch);
  double evidence = std::nextafter(monitor.monitor.threshold(), 0);
  EXPECT_EQ(served(evidence, ood), answer(labels_only, ood));
}

TEST(Monitored, FlaggedDefenseReadsTheFormThatThePolicyNames) {
  const auto monitor = energy_monitor();
  const std::vector<float> posteriors = answer(chaff::none{}, ood);
  const chaff::policy policy{.input = chaff::form::probabilities, .classes = classes};
  const auto served =
      chaff::monitored(identity, chaff::none{}, chaff::dcp{.beta = 1.2},
                       chaff::gate_monitor{chaff::confidence_gate{}, monitor.monitor}, policy, {.label_margin = 0.1});
  double evidence = monitor.monitor.threshold();
  EXPECT_EQ(served(evidence, posteriors),
            answer(chaff::dcp{.beta = 1.2}, posteriors, {.label_margin = 0.1, .input = policy.input}));
}

/// Every container gives the rows of a flat range.
TEST(Monitored, EigenMatrixAndExpressionAreAnsweredLikeFlatRows) {
  const auto monitor = energy_monitor();
  const auto flat = chaff::monitored(identity, chaff::dcp{}, labels_only, monitor, batch);
  double expected_evidence = 0;
  const std::vector<float> expected = flat(expected_evidence, ood);
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const RowMajor rows = Eigen::Map<const RowMajor>(ood.data(), 60, classes);
  const auto expect_same = [&](const auto& model) {
    double evidence = 0;
    const auto output = chaff::monitored(model, chaff::dcp{}, labels_only, monitor)(evidence);
    EXPECT_EQ(evidence, expected_evidence);
    ASSERT_EQ(output.rows(), 60);
    EXPECT_EQ(RowMajor(output), RowMajor(Eigen::Map<const RowMajor>(expected.data(), 60, classes)));
  };
  expect_same([&] { return rows; });
  expect_same([&] { return Eigen::MatrixXf(rows); });
  expect_same([&] { return rows * 1.0f; });
  // one column that policy.classes makes rows of
  const Eigen::VectorXf column = Eigen::Map<const Eigen::VectorXf>(ood.data(), 60 * classes);
  double evidence = 0;
  const Eigen::VectorXf output =
      chaff::monitored([&] { return column; }, chaff::dcp{}, labels_only, monitor, batch)(evidence);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), output.data()));
  EXPECT_EQ(evidence, expected_evidence);
}

TEST(Monitored, SingleSigmoidsAreRows) {
  std::vector<double> one_class(3000), suspicious(40, -9.0);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> value(2, 9);
  for (double& z : one_class) z = value(random);
  const auto monitor = chaff::calibrate_monitor(chaff::calibration_data<double>{.logits = one_class, .classes = 1},
                                                chaff::energy_gate{});
  const auto flat = chaff::monitored([&] { return suspicious; }, chaff::none{}, labels_only, monitor, {.classes = 1});
  double evidence = 0;
  const auto output = flat(evidence);
  EXPECT_TRUE(monitor.monitor.is_flagged(evidence));
  EXPECT_NEAR(output[0], 1 / (1 + std::exp(9.0)), 1e-12);
  EXPECT_EQ(output[39], answer(labels_only, suspicious, {}, 1)[39]);
  EXPECT_NE(output[0], output[39]);
  evidence = 0;
  const Eigen::VectorXd column = Eigen::Map<const Eigen::VectorXd>(suspicious.data(), 40);
  const auto served = chaff::monitored([&] { return column; }, chaff::none{}, labels_only, monitor, {.classes = 1});
  const Eigen::VectorXd same = served(evidence);
  EXPECT_TRUE(std::equal(output.begin(), output.end(), same.data()));
}

TEST(Monitored, RefusalIsAnErrorOfItsOwnAndCallsNoModelAfterwards) {
  int calls = 0;
  const auto model = [&](const std::vector<float>& logits) {
    ++calls;
    return logits;
  };
  const auto monitor = energy_monitor();
  const auto served = chaff::monitored(model, chaff::none{}, chaff::refuse{}, monitor, batch);
  double evidence = 0;
  EXPECT_THROW(served(evidence, ood), chaff::account_flagged);
  EXPECT_TRUE(monitor.monitor.is_flagged(evidence)) << "the evidence counts the refused batch";
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(message_of<chaff::account_flagged>([&] { served(evidence, ood); }),
            "chaff: the account is flagged: its queries are unlike those of benign users");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(served.monitor().threshold(), monitor.monitor.threshold());
}

struct too_many_requests {};

TEST(Monitored, CallableOfTheOperatorAnswersFlaggedAccounts) {
  const auto monitor = energy_monitor();
  const auto raise = [](const auto&...) { throw too_many_requests{}; };
  double evidence = 0;
  EXPECT_THROW(chaff::monitored(identity, chaff::none{}, raise, monitor, batch)(evidence, ood), too_many_requests);
  EXPECT_TRUE(monitor.monitor.is_flagged(evidence));

  int alarms = 0;
  const auto count = [&](const std::vector<float>&) { ++alarms; };
  const auto counting = chaff::monitored(identity, chaff::none{}, count, monitor, batch);
  EXPECT_THROW(counting(evidence, ood), chaff::account_flagged);
  EXPECT_EQ(alarms, 1);

  // another model, defended
  const auto decoy = chaff::defend(
      [](const std::vector<float>& logits) { return std::vector<float>(logits.size(), 1); }, chaff::none{}, batch);
  const auto served = chaff::monitored(identity, chaff::none{}, decoy, monitor, batch);
  evidence = 0;
  const auto output = served(evidence, ood);
  EXPECT_TRUE(std::equal(output.begin(), output.begin() + classes, answer(chaff::none{}, ood).begin()));
  EXPECT_TRUE(std::equal(output.end() - classes, output.end(), decoy(ood).end() - classes));
  EXPECT_EQ(served(evidence, ood), decoy(ood));

  const auto too_short = [](const std::vector<float>&) { return std::vector<float>(3); };
  evidence = 0;
  EXPECT_EQ(message_of<std::invalid_argument>(
                [&] { chaff::monitored(identity, chaff::none{}, too_short, monitor, batch)(evidence, ood); }),
            "chaff: the callable for flagged accounts returned 3 values, allowed is 300");
}

TEST(Monitored, FlaggedPolicyIsForFlaggedRowsAndTheModelsShapeForBoth) {
  const auto monitor = energy_monitor();
  const chaff::misdirect misdirect{chaff::key("000102030405060708090a0b0c0d0e0f")};
  const auto served = chaff::monitored(identity, chaff::none{}, misdirect, monitor, batch, {.keep_label = false});
  double evidence = monitor.monitor.threshold();
  EXPECT_EQ(served(evidence, ood), answer(misdirect, ood, {.keep_label = false}));
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::none{}, misdirect, monitor, batch)),
               std::invalid_argument);
}

TEST(Monitored, ServesDefensesChosenAtRunTimeWithTheirReductions) {
  const auto monitor = energy_monitor();
  const chaff::any_defense normal = chaff::parse_defense("dcp(beta=1.2) | top_k(k=2) | rounded(decimals=2)");
  const chaff::any_defense flagged = chaff::parse_defense("none | label_only");
  const auto served = chaff::monitored(identity, normal, flagged, monitor, batch);
  double evidence = 0;
  const auto output = served(evidence, ood);
  const auto expected_normal = answer(normal, ood), expected_flagged = answer(flagged, ood);
  EXPECT_TRUE(std::equal(output.begin(), output.begin() + classes, expected_normal.begin()));
  EXPECT_TRUE(std::equal(output.end() - classes, output.end(), expected_flagged.end() - classes));
}

TEST(Monitored, DefensesThatNeedTheQuerySeeTheWholeBatch) {
  const auto monitor = energy_monitor();
  int calls = 0;
  const chaff::decoy decoy{[&calls](const std::vector<float>& logits) {
    ++calls;
    return std::vector<float>(logits.rbegin(), logits.rend());
  }};
  const chaff::policy policy{.keep_label = false, .classes = classes};
  const auto expected = chaff::defend(identity, decoy, policy)(ood);
  calls = 0;
  double evidence = 0;
  const auto output = chaff::monitored(identity, chaff::none{}, decoy, monitor, policy)(evidence, ood);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(std::equal(output.end() - classes, output.end(), expected.end() - classes));
  evidence = 0;
  const auto other = chaff::monitored(identity, decoy, labels_only, monitor, policy)(evidence, ood);
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(std::equal(other.begin(), other.begin() + classes, expected.begin()));
}

/// A gate of a user, whose score is the label's lead.
struct lead_gate {
  template <class T>
  double score(const chaff::row<T>& row) const {
    return row.confidence() - row.other_mass / row.mass();
  }
};

TEST(Monitored, TakesGatesOfTheUser) {
  const auto monitor =
      chaff::calibrate_monitor(chaff::calibration_data<float>{.logits = benign, .classes = classes}, lead_gate{});
  const auto served = chaff::monitored(identity, chaff::dcp{}, chaff::refuse{}, monitor, batch);
  double evidence = 0;
  EXPECT_THROW(served(evidence, ood), chaff::account_flagged);
}

struct nan_gate {
  template <class T>
  double score(const chaff::row<T>& row) const {
    return row.label == 3 ? std::numeric_limits<double>::quiet_NaN() : 0;
  }
};

TEST(Monitored, FailedCallLeavesTheEvidenceAsItWas) {
  const auto [gate, monitor] = energy_monitor();
  const auto served =
      chaff::monitored(identity, chaff::none{}, chaff::refuse{}, chaff::gate_monitor{gate, monitor}, batch);
  auto bad = ood;
  bad.back() = std::numeric_limits<float>::quiet_NaN();
  double evidence = 1.5;
  EXPECT_THROW(served(evidence, bad), std::domain_error);
  EXPECT_EQ(evidence, 1.5);
  EXPECT_THROW(served(evidence, std::vector<float>(7)), std::invalid_argument);
  EXPECT_EQ(evidence, 1.5);
  const auto failing =
      chaff::monitored([](const std::vector<float>&) -> std::vector<float> { throw too_many_requests{}; },
                       chaff::none{}, chaff::refuse{}, chaff::gate_monitor{gate, monitor}, batch);
  EXPECT_THROW(failing(evidence, ood), too_many_requests);
  EXPECT_EQ(evidence, 1.5);
  const auto unscored =
      chaff::monitored(identity, chaff::none{}, chaff::refuse{}, chaff::gate_monitor{nan_gate{}, monitor}, batch);
  EXPECT_EQ(message_of<std::domain_error>([&] { unscored(evidence, benign); }),
            "chaff: score is NaN, allowed is any number");
  EXPECT_EQ(evidence, 1.5);
  for (const double value : {-1.0, infinity, std::numeric_limits<double>::quiet_NaN()}) {
    double stored = value;
    EXPECT_THROW(served(stored, ood), std::invalid_argument);
  }
}

TEST(Monitored, ChecksParametersAtOnce) {
  const auto monitor = energy_monitor();
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::dcp{.beta = -1}, chaff::refuse{}, monitor)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::dcp{}, chaff::dcp{.beta = -1}, monitor)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::dcp{}, chaff::refuse{}, monitor, {.max_l1 = 3})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::dcp{}, chaff::dcp{}, monitor, {}, {.max_l1 = 3})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::monitored(identity, chaff::dcp{}, chaff::refuse{}, monitor,
                                                  {.input = chaff::form::probabilities})),
               std::invalid_argument)
      << "an energy gate scores logits alone";
}

TEST(Monitored, BatchOfNoRowsLeavesTheEvidence) {
  const auto monitor = energy_monitor();
  const auto served = chaff::monitored(identity, chaff::none{}, chaff::refuse{}, monitor, batch);
  double evidence = 2.5;
  EXPECT_TRUE(served(evidence, std::vector<float>{}).empty());
  EXPECT_EQ(evidence, 2.5);
}

struct counting_model {
  int calls = 0;
  std::vector<float> operator()(std::unique_ptr<int>) { return ++calls, std::vector<float>{1, 2, 3, 4, 5}; }
};

TEST(Monitored, TakesModelsWithoutAConstCallAndMovesArguments) {
  counting_model model;
  auto served = chaff::monitored(std::ref(model), chaff::none{}, labels_only, energy_monitor());
  double evidence = 0;
  EXPECT_EQ(served(evidence, std::make_unique<int>(1)).size(), 5u);
  EXPECT_EQ(model.calls, 1);
  auto copy = chaff::monitored(model, chaff::none{}, chaff::refuse{}, energy_monitor());
  EXPECT_EQ(copy(evidence, nullptr).size(), 5u);
  EXPECT_EQ(model.calls, 1);
}

TEST(Monitored, UpdateAllocatesNothing) {
  const auto [gate, monitor] = energy_monitor();
  double evidence = 0;
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) monitor.update(evidence, i);
  EXPECT_EQ(allocations, before);
}

}  // namespace
