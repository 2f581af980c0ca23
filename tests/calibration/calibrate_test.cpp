// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <chaff/apply.hpp>
#include <chaff/calibration/calibrate.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/always.hpp>
#include <chaff/gates/confidence_gate.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/metrics/utility.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/misdirect.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "support/stride.hpp"

namespace {

constexpr std::size_t classes = 5;

/// Rows whose true class leads by about `lead`: of high confidence for a large lead, like OOD rows for a small one.
template <class T = float>
struct sample {
  std::vector<T> logits;
  std::vector<int> labels;

  sample(unsigned seed, int rows, double lead, std::size_t k = classes) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 1.5);
    for (int i = 0; i < rows; ++i) {
      const auto own = static_cast<std::size_t>(i) % k;
      labels.push_back(static_cast<int>(own));
      for (std::size_t j = 0; j < k; ++j) logits.push_back(static_cast<T>(noise(random) + (j == own ? lead : 0)));
    }
  }
};

const sample<> benign(1, 1500, 5), ood(3, 800, 1);
const chaff::key key("000102030405060708090a0b0c0d0e0f");
const chaff::calibration_data<float> all_data{
    .logits = benign.logits, .classes = classes, .labels = benign.labels, .ood_logits = ood.logits};
const chaff::calibration_data<float> logits_only{.logits = benign.logits, .classes = classes};

/// The utility of a defense's outputs, by the public functions alone.
template <class Defense, class T>
chaff::utility utility_under(const Defense& defense, const std::vector<T>& logits, const std::vector<int>& labels = {},
                             std::size_t k = classes, const chaff::policy& policy = {}) {
  std::vector<T> outputs(logits.size()), posteriors(logits.size());
  chaff::apply_rows(defense, logits, k, outputs, policy);
  chaff::policy posterior_policy = policy;
  posterior_policy.max_l1 = 2;
  chaff::apply_rows(chaff::none{}, logits, k, posteriors, posterior_policy);
  return chaff::utility_of(outputs, posteriors, k, labels);
}

bool keeps(const chaff::utility& utility, const chaff::utility_budget& budget) {
  return utility.perturbed <= budget.perturbed && utility.l1 <= budget.l1 &&
         utility.label_changes <= budget.label_changes &&
         !(utility.defended.ece - utility.undefended.ece > budget.ece_increase);
}

/// The message of the std::invalid_argument that calibrate raises, or nothing.
template <class Defense = chaff::dcp>
std::string error_of(const chaff::calibration_data<float>& data, const chaff::utility_budget& budget,
                     const Defense& defense = {}, const chaff::policy& policy = {}) {
  try {
    static_cast<void>(chaff::calibrate(data, budget, defense, policy));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

const std::vector<chaff::utility_budget> budgets{{.perturbed = 0.1, .sigmas = 0},
                                                 {.perturbed = 0.02, .sigmas = 0},
                                                 {.l1 = 0.05, .sigmas = 0},
                                                 {.ece_increase = 0.02, .sigmas = 0},
                                                 {.perturbed = 0.3, .l1 = 0.2, .ece_increase = 0.1, .sigmas = 0},
                                                 {.perturbed = 0.2, .sigmas = 0, .max_beta = 0.4}};

TEST(Calibrate, FindsWhatBruteForceFinds) {
  for (const chaff::odds rule : {chaff::odds::clamped, chaff::odds::exact}) {
    for (const chaff::utility_budget& budget : budgets) {
      const auto result = chaff::calibrate(all_data, budget, chaff::dcp{.rule = rule});
      EXPECT_TRUE(keeps(utility_under(result.defense, benign.logits, benign.labels), budget));
      double best = 0;
      for (double tau = 0.01; tau < 1.05; tau += 0.02) {
        constexpr int step = is_exhaustive ? 1 : 3;
        for (int i = step; i <= 30; i += step) {
          const chaff::dcp defense{.beta = budget.max_beta * i / 30, .tau = tau, .rule = rule};
          const double l1 = utility_under(defense, ood.logits).l1;
          if (l1 > best && keeps(utility_under(defense, benign.logits, benign.labels), budget)) best = l1;
        }
      }
      EXPECT_GT(best, 0);
      EXPECT_GE(result.ood.l1, best * 0.99) << result.tau << " " << result.beta;
    }
  }
}

TEST(Calibrate, ReportsTheUtilityOfItsDefense) {
  const chaff::utility_budget budget{.perturbed = 0.1};
  const auto result = chaff::calibrate(all_data, budget, chaff::dcp{.gamma = 0.1});
  EXPECT_EQ(result.defense.tau, result.tau);
  EXPECT_EQ(result.defense.beta, result.beta);
  EXPECT_EQ(result.defense.gamma, 0.1);
  const chaff::utility utility = utility_under(result.defense, benign.logits, benign.labels);
  EXPECT_NEAR(result.benign.l1, utility.l1, 1e-6);
  EXPECT_EQ(result.benign.perturbed, utility.perturbed);
  EXPECT_EQ(result.benign.defended.accuracy, utility.defended.accuracy);
  EXPECT_NEAR(result.benign.defended.ece, utility.defended.ece, 1e-6);
  EXPECT_NEAR(result.ood.l1, utility_under(result.defense, ood.logits).l1, 1e-6);
  EXPECT_EQ(result.benign.rows, 1500u);
  EXPECT_EQ(result.ood.rows, 800u);
}

TEST(Calibrate, KeepsItsBudgetOnFreshData) {
  std::vector<chaff::utility_budget> budgets_with_room = budgets;
  for (chaff::utility_budget& budget : budgets_with_room) {
    budget.sigmas = 3;
    const auto result = chaff::calibrate(all_data, budget, chaff::dcp{});
    EXPECT_GT(result.ood.l1, 0.01);
    const sample<> fresh(10, 50000, 5);  // so many that their own sampling matters little
    EXPECT_TRUE(keeps(utility_under(result.defense, fresh.logits, fresh.labels), budget));
  }
  // without room, the parameters fit the last row, and about half of other data break the budget
  int broken = 0;
  const auto tight = chaff::calibrate(all_data, budgets[0], chaff::dcp{});
  for (unsigned seed = 10; seed < 40; ++seed) {
    broken += !keeps(utility_under(tight.defense, sample<>(seed, 1500, 5).logits), budgets[0]);
  }
  EXPECT_GT(broken, 5);
}

TEST(Calibrate, WithoutOodDataTakesTheTenthOfLowestConfidence) {
  const auto result = chaff::calibrate(logits_only, {.l1 = 0.1}, chaff::dcp{});
  EXPECT_EQ(result.ood.rows, 150u);
  EXPECT_TRUE(std::isnan(result.benign.defended.accuracy));
  EXPECT_LE(result.benign.l1, 0.1);
  // an L1 of 0.1 over all rows is 1 over the tenth: what the room for sampling leaves of it is spent there
  EXPECT_GT(result.ood.l1, 0.6);
}

TEST(Calibrate, ChoosesTheThresholdOfAnEnergyGate) {
  const auto defense = chaff::gated{chaff::energy_gate{.tau = 0}, chaff::reverse_sigmoid{.gamma = 0.1}};
  const chaff::utility_budget budget{.perturbed = 0.05, .sigmas = 0};
  const auto result = chaff::calibrate(all_data, budget, defense);
  EXPECT_EQ(result.defense.perturbation.gamma, 0.1);
  EXPECT_LE(result.benign.perturbed, 0.05);
  EXPECT_GT(result.benign.perturbed, 0.04);
  EXPECT_GT(result.ood.perturbed, 0.3);
}

TEST(Calibrate, SetsTheTauOfEnergyDcpThatWasUnset) {
  const chaff::utility_budget budget{.perturbed = 0.05, .sigmas = 0};
  const auto result = chaff::calibrate(all_data, budget, chaff::energy_dcp{.gamma = 0.1});
  static_assert(std::is_same_v<decltype(result.defense), chaff::energy_dcp>);
  EXPECT_EQ(result.defense.tau, std::optional(result.tau));
  EXPECT_EQ(result.defense.beta, result.beta);
  EXPECT_EQ(result.defense.gamma, 0.1);
  EXPECT_NEAR(result.benign.l1, utility_under(result.defense, benign.logits).l1, 1e-6);
  EXPECT_LE(result.benign.perturbed, 0.05);
  EXPECT_GT(result.ood.perturbed, 0.3);

  // energy_dcp is a gated pair of an energy gate and a reverse sigmoid
  const auto pair =
      chaff::calibrate(all_data, budget, chaff::gated{chaff::energy_gate{}, chaff::reverse_sigmoid{.gamma = 0.1}});
  EXPECT_EQ(pair.defense.gate.tau, std::optional(result.tau));
  EXPECT_EQ(pair.defense.perturbation.beta, result.beta);
  const auto with_reduction =
      chaff::calibrate(all_data, budget, chaff::energy_dcp{.gamma = 0.1} | chaff::top_k{.k = 2});
  EXPECT_EQ(with_reduction.defense.defense.tau, std::optional(result.tau));
}

TEST(Calibrate, DoesNotDependOnTheTauAndBetaThatTheDefenseComesWith) {
  const chaff::utility_budget budget{.perturbed = 0.1};
  const auto result = chaff::calibrate(all_data, budget);
  static_assert(std::is_same_v<decltype(result.defense), chaff::dcp>);
  const auto other = chaff::calibrate(all_data, budget, chaff::dcp{.beta = 0.01, .tau = 0.3});
  EXPECT_EQ(other.tau, result.tau);
  EXPECT_EQ(other.beta, result.beta);
  EXPECT_EQ(chaff::calibrate(all_data, budget, chaff::dcp{.beta = 50}).tau, result.tau) << "tau follows beta: 50 > 10";
}

TEST(Calibrate, ChoosesHowOftenMisdirectionChangesLabels) {
  const chaff::policy policy{.keep_label = false};
  const auto defense = chaff::gated{chaff::energy_gate{.tau = 0}, chaff::misdirect{.key = key}};
  const auto result = chaff::calibrate(all_data, {.label_changes = 0.02}, defense, policy);
  EXPECT_TRUE(std::isnan(result.beta));
  EXPECT_LE(result.benign.label_changes, 0.02);
  EXPECT_GT(result.benign.label_changes, 0.005);
  EXPECT_GT(result.ood.label_changes, 10 * result.benign.label_changes);
}

TEST(Calibrate, SpendsTheBudgetBeforeReductions) {
  const chaff::utility_budget budget{.perturbed = 0.1};  // rounding alone perturbs more
  const auto bare = chaff::calibrate(all_data, budget, chaff::dcp{});
  const auto result = chaff::calibrate(all_data, budget, chaff::dcp{} | chaff::top_k{.k = 3} | chaff::rounded{});
  EXPECT_EQ(result.tau, bare.tau);
  EXPECT_EQ(result.defense.defense.defense.tau, bare.tau);
  EXPECT_EQ(result.defense.defense.defense.beta, bare.beta);
  EXPECT_EQ(result.defense.defense.reduction.k, 3u);
  EXPECT_EQ(result.benign.l1, bare.benign.l1);
}

TEST(Calibrate, CountsWhatAMarginMovesBehindAClosedGate) {
  const chaff::policy policy{.label_margin = 0.1};
  const chaff::utility_budget budget{.l1 = 0.1, .sigmas = 0};
  const auto result = chaff::calibrate(all_data, budget, chaff::dcp{}, policy);
  EXPECT_LE(result.benign.l1, 0.1);
  EXPECT_GT(result.benign.l1, 0.08);
  // here the margin alone perturbs more rows than the budget has room for
  EXPECT_EQ(error_of(all_data, {.perturbed = 0.001, .sigmas = 0}, chaff::dcp{}, policy).substr(0, 40),
            "chaff: no tau and beta keep the budget; ");
}

TEST(Calibrate, TakesDoubleSingleSigmoidsAndProbabilities) {
  const sample<double> wide(4, 600, 5);
  EXPECT_GT(chaff::calibrate(chaff::calibration_data<double>{wide.logits, classes, wide.labels}, {.perturbed = 0.1},
                             chaff::dcp{})
                .ood.l1,
            0.1);

  std::vector<float> single;
  std::vector<int> labels;
  std::mt19937 random(8);
  for (int i = 0; i < 600; ++i) {
    labels.push_back(i % 2);
    single.push_back(std::normal_distribution<float>(i % 2 ? 3.0f : -3.0f, 2)(random));
  }
  const auto of_single =
      chaff::calibrate(chaff::calibration_data<float>{single, 1, labels}, {.perturbed = 0.1}, chaff::dcp{});
  EXPECT_GT(of_single.benign.perturbed, 0.02);
  EXPECT_LE(of_single.benign.perturbed, 0.1);
  EXPECT_GT(of_single.benign.undefended.accuracy, 0.8);

  std::vector<float> posteriors(benign.logits.size());
  chaff::apply_rows(chaff::none{}, benign.logits, classes, posteriors);
  const chaff::policy policy{.input = chaff::form::probabilities};
  const chaff::utility_budget budget{.perturbed = 0.1};
  const auto of_logits = chaff::calibrate(logits_only, budget, chaff::dcp{});
  const auto of_posteriors =
      chaff::calibrate(chaff::calibration_data<float>{posteriors, classes}, budget, chaff::dcp{}, policy);
  EXPECT_NEAR(of_posteriors.tau, of_logits.tau, 2e-3);
}

template <class Label>
class CalibrateWithLabels : public testing::Test {};
using LabelTypes = testing::Types<bool, char, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                                  std::uint32_t, std::int64_t, std::uint64_t>;
TYPED_TEST_SUITE(CalibrateWithLabels, LabelTypes);

TYPED_TEST(CalibrateWithLabels, OfAnyIntegerTypeGivesOneResult) {
  // labels 0 and 1 alone, which bool has too
  const sample<> two(5, 600, 4, 2);
  std::array<TypeParam, 600> labels{};
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<TypeParam>(two.labels[i]);
  const chaff::utility_budget budget{.perturbed = 0.2, .ece_increase = 0.1};
  const auto of_int = chaff::calibrate(
      chaff::calibration_data<float>{.logits = two.logits, .classes = 2, .labels = two.labels}, budget);
  const auto result =
      chaff::calibrate(chaff::calibration_data<float>{.logits = two.logits, .classes = 2, .labels = labels}, budget);
  EXPECT_EQ(result.tau, of_int.tau);
  EXPECT_EQ(result.beta, of_int.beta);
  EXPECT_EQ(result.benign.undefended.accuracy, of_int.benign.undefended.accuracy);
  EXPECT_EQ(result.benign.defended.ece, of_int.benign.defended.ece);
  EXPECT_GT(result.benign.undefended.accuracy, 0.9);
  EXPECT_GT(result.ood.l1, 0);
}

TEST(Calibrate, RefusesATrueLabelThatIsNoClass) {
  std::vector<std::int64_t> one_based(benign.labels.begin(), benign.labels.end());
  for (std::int64_t& label : one_based) ++label;
  const std::vector<std::int64_t> negative(1500, -1);
  const std::vector<std::uint8_t> large(1500, 255);
  const std::vector<std::uint64_t> huge(1500, ~std::uint64_t{0});
  const auto error = [](chaff::label_view labels) -> std::string {
    chaff::calibration_data<float> data = all_data;
    data.labels = labels;
    try {
      static_cast<void>(chaff::calibrate(data, {.perturbed = 0.1}));
    } catch (const std::invalid_argument& thrown) {
      return thrown.what();
    }
    return "no error";
  };
  const std::string last = std::to_string(classes - 1);
  EXPECT_EQ(error(benign.labels), "no error");
  EXPECT_NE(error(one_based).find("is " + std::to_string(classes) + ", allowed is 0 to " + last), std::string::npos);
  EXPECT_NE(error(negative).find("calibration_data.labels: the true label of row "), std::string::npos);
  EXPECT_NE(error(negative).find(" is -1, allowed is 0 to " + last), std::string::npos);
  EXPECT_NE(error(large).find(" is 255, allowed is 0 to " + last), std::string::npos);
  EXPECT_NE(error(huge).find("allowed is 0 to " + last), std::string::npos);
}

TEST(LabelView, IsMadeOfContiguousRangesOfIntegersOnly) {
  static_assert(std::is_convertible_v<const std::vector<int>&, chaff::label_view>);
  static_assert(std::is_convertible_v<std::span<const std::uint8_t>, chaff::label_view>);
  static_assert(std::is_convertible_v<const short(&)[3], chaff::label_view>);
  static_assert(!std::is_convertible_v<const std::vector<float>&, chaff::label_view>);
  static_assert(!std::is_convertible_v<const std::vector<bool>&, chaff::label_view>);
  static_assert(!std::is_convertible_v<int, chaff::label_view>);
  EXPECT_EQ(chaff::label_view{}.size, 0u);
}

TEST(Calibrate, LeavesTheGateClosedWhereTheBudgetHasNoRoom) {
  const chaff::utility_budget budget{.perturbed = 0, .sigmas = 0};
  EXPECT_EQ(chaff::calibrate(all_data, budget, chaff::dcp{}).benign.perturbed, 0);
  EXPECT_EQ(chaff::calibrate(logits_only, budget, chaff::dcp{}).ood.perturbed, 0);
  // without a beta, the gate alone can leave every row as it is
  const chaff::gated relabelled{chaff::confidence_gate{}, chaff::misdirect{.key = key}};
  const auto result = chaff::calibrate(logits_only, budget, relabelled, {.keep_label = false});
  EXPECT_EQ(result.benign.perturbed, 0);
  EXPECT_EQ(result.ood.perturbed, 0);
}

TEST(Calibrate, CallsBackForEachSetting) {
  int settings = 0;
  static_cast<void>(chaff::calibrate(all_data, {.perturbed = 0.1}, chaff::dcp{}, {}, [&] { ++settings; }));
  EXPECT_GT(settings, 100);
  EXPECT_LT(settings, 2000);
}

TEST(Calibrate, NamesTheLimitOutOfItsRange) {
  EXPECT_EQ(error_of(logits_only, {.perturbed = -0.1}), "chaff: budget.perturbed is -0.1, allowed is [0, 1]");
  EXPECT_EQ(error_of(logits_only, {.l1 = 3}), "chaff: budget.l1 is 3, allowed is [0, 2]");
  EXPECT_EQ(error_of(logits_only, {.label_changes = 2}), "chaff: budget.label_changes is 2, allowed is [0, 1]");
  EXPECT_EQ(error_of(logits_only, {.ece_increase = NAN}), "chaff: budget.ece_increase is nan, allowed is [0, 1]");
  EXPECT_EQ(error_of(logits_only, {.sigmas = -1}), "chaff: budget.sigmas is -1, allowed is [0, 10]");
  EXPECT_EQ(error_of(logits_only, {.max_beta = 2000}), "chaff: budget.max_beta is 2000, allowed is [0, 1000]");
}

TEST(Calibrate, RefusesABudgetThatLimitsNothing) {
  const std::string sentence = "chaff: the budget limits nothing: set perturbed, l1, label_changes or ece_increase";
  EXPECT_EQ(error_of(all_data, {}), sentence);
  EXPECT_EQ(error_of(all_data, {.sigmas = 1, .max_beta = 0.5}), sentence);
  for (const chaff::utility_budget& budget :
       {chaff::utility_budget{.perturbed = 0.99}, {.l1 = 1.99}, {.label_changes = 0.99}, {.ece_increase = 0.99}}) {
    EXPECT_EQ(error_of(all_data, budget), "");
  }
}

TEST(Calibrate, RefusesDataThatDoNotMatch) {
  const chaff::utility_budget budget{.perturbed = 0.1};
  EXPECT_EQ(error_of({benign.logits, classes, std::span(benign.labels).first(3)}, budget),
            "chaff: calibration_data has 1500 rows, but 3 labels");
  const std::vector<std::uint8_t> too_many(1501);
  EXPECT_EQ(error_of({benign.logits, classes, too_many}, budget),
            "chaff: calibration_data has 1500 rows, but 1501 labels");
  EXPECT_EQ(error_of({benign.logits, 7}, budget),
            "chaff: calibration_data.logits has 7500 entries, which are not a whole number of rows of 7 classes");
  EXPECT_EQ(error_of({.logits = benign.logits, .classes = 5, .ood_logits = std::span(ood.logits).first(3)}, budget),
            "chaff: calibration_data.ood_logits has 3 entries, which are not a whole number of rows of 5 classes");
  EXPECT_EQ(error_of({}, budget), "chaff: calibration_data.classes is 0, allowed is 1 or more");
  EXPECT_EQ(error_of({.classes = 5}, budget), "chaff: calibration_data.logits is empty");
  EXPECT_EQ(error_of(logits_only, {.ece_increase = 0.1}),
            "chaff: budget.ece_increase is 0.1, which needs calibration_data.labels");
  std::vector<float> bad = benign.logits;
  bad[7] = NAN;
  EXPECT_THROW(static_cast<void>(chaff::calibrate(chaff::calibration_data<float>{bad, classes}, budget)),
               std::domain_error);
  EXPECT_THROW(static_cast<void>(chaff::calibrate(
                   chaff::calibration_data<float>{.logits = benign.logits, .classes = 5, .ood_logits = bad}, budget)),
               std::domain_error);
}

TEST(Calibrate, RefusesALimitThatTheSampleIsTooSmallFor) {
  EXPECT_EQ(
      error_of(logits_only, {.perturbed = 0.001}),
      "chaff: calibration_data has 1500 rows, but a limit of 0.001 with budget.sigmas = 2 needs 3996 rows or more");
  EXPECT_EQ(error_of(logits_only, {.perturbed = 0}),
            "chaff: no number of rows shows a cost of 0: a limit of 0 needs budget.sigmas = 0");
}

TEST(Calibrate, ChecksTheParametersOfTheDefense) {
  const chaff::utility_budget budget{.perturbed = 0.1};
  EXPECT_EQ(error_of(logits_only, budget, chaff::dcp{.gamma = -1}), "chaff: gamma is -1, allowed is [0, 1000]");
  EXPECT_EQ(error_of(logits_only, budget, chaff::dcp{} | chaff::rounded{.decimals = 9}),
            "chaff: decimals is 9, allowed is [0, 7]");
  EXPECT_EQ(error_of(logits_only, budget, chaff::energy_dcp{}, {.input = chaff::form::probabilities}),
            "chaff: an energy gate needs logits: policy.input must be form::logits");
  EXPECT_EQ(
      error_of(logits_only, budget, chaff::gated{chaff::confidence_gate{.nu = 1e-6}, chaff::misdirect{.key = key}},
               {.keep_label = false}),
      "chaff: no tau and beta keep the budget; is nu, 1e-06, too small for a gate that closes?");
}

TEST(ThresholdGate, IsSatisfiedByGatesWithATau) {
  static_assert(chaff::ThresholdGate<chaff::confidence_gate>);
  static_assert(chaff::ThresholdGate<chaff::energy_gate, double>);
  static_assert(!chaff::ThresholdGate<chaff::always>);
}

TEST(EceIncrease, AgreesWithHandComputation) {
  // one bin each: the gaps before sum to 0, those after to -0.8, so that the rows add -0.3, -0.3, 1.7 and -0.3
  const std::vector<chaff::detail::prediction> before{{0.75, true}, {0.75, true}, {0.75, false}, {0.75, true}};
  const std::vector<chaff::detail::prediction> after{{0.95, true}, {0.95, true}, {0.95, false}, {0.95, true}};
  const chaff::detail::estimate rise = chaff::detail::ece_increase(before, after);
  EXPECT_NEAR(rise.mean, 0.2, 1e-12);
  EXPECT_NEAR(rise.standard_error, std::sqrt(0.75 / 4), 1e-12);
}

TEST(WilsonUpper, AgreesWithHandComputation) {
  EXPECT_NEAR(chaff::detail::wilson_upper(0, 96, 2), 0.04, 1e-12);  // z^2 / (n + z^2)
  EXPECT_NEAR(chaff::detail::wilson_upper(0.5, 100, 2), 0.5980580675690920, 1e-12);
  EXPECT_EQ(chaff::detail::wilson_upper(0.3, 50, 0), 0.3);
  EXPECT_EQ(chaff::detail::wilson_upper(1, 50, 2), 1);
}

}  // namespace
