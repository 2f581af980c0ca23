// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace {

constexpr std::size_t classes = 5;

/// Rows whose true class leads by about `lead`: sure ones for a large lead, strange ones for a small one.
template <class T = float>
struct sample {
  std::vector<T> logits;
  std::vector<int> truth;

  sample(unsigned seed, int rows, double lead, std::size_t k = classes) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 1.5);
    for (int i = 0; i < rows; ++i) {
      const auto own = static_cast<std::size_t>(i) % k;
      truth.push_back(static_cast<int>(own));
      for (std::size_t j = 0; j < k; ++j) logits.push_back(static_cast<T>(noise(random) + (j == own ? lead : 0)));
    }
  }
};

const sample<> customers(1, 1500, 5), strange(3, 800, 1);
const chaff::key key("000102030405060708090a0b0c0d0e0f");
const chaff::held_out<float> labelled{customers.logits, classes, customers.truth, strange.logits};

/// What a defense does, by the public functions alone.
template <class Defense, class T>
chaff::effect effect_on(const Defense& used, const std::vector<T>& logits, const std::vector<int>& truth = {},
                        std::size_t k = classes, const chaff::policy& promised = {}) {
  std::vector<T> answers(logits.size()), posteriors(logits.size());
  chaff::apply_rows(used, logits, k, answers, promised);
  chaff::policy of_posterior = promised;
  of_posterior.max_l1 = 2;
  chaff::apply_rows(chaff::none{}, logits, k, posteriors, of_posterior);
  return chaff::effect_of(answers, posteriors, k, truth);
}

bool keeps(const chaff::effect& found, const chaff::budget& allowed) {
  return found.touched <= allowed.touched && found.l1 <= allowed.l1 && found.changed <= allowed.changed &&
         !(found.after.calibration_error - found.before.calibration_error > allowed.calibration_error);
}

/// The message of the std::invalid_argument that is raised, or nothing.
template <class Defense = chaff::dcp>
std::string refusal(const chaff::held_out<float>& data, const chaff::budget& allowed, const Defense& used = {},
                    const chaff::policy& promised = {}) {
  try {
    chaff::calibrate(data, allowed, used, promised);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

const std::vector<chaff::budget> budgets{{.touched = 0.1, .sigmas = 0},
                                         {.touched = 0.02, .sigmas = 0},
                                         {.l1 = 0.05, .sigmas = 0},
                                         {.calibration_error = 0.02, .sigmas = 0},
                                         {.touched = 0.3, .l1 = 0.2, .calibration_error = 0.1, .sigmas = 0},
                                         {.touched = 0.2, .sigmas = 0, .most_beta = 0.4}};

TEST(calibrate, finds_what_brute_force_finds) {
  for (const chaff::odds rule : {chaff::odds::clamped, chaff::odds::exact}) {
    for (const chaff::budget& allowed : budgets) {
      const auto found = chaff::calibrate(labelled, allowed, chaff::dcp{.rule = rule});
      EXPECT_TRUE(keeps(effect_on(found.defense, customers.logits, customers.truth), allowed));
      double best = 0;
      for (double tau = 0.01; tau < 1.05; tau += 0.02) {
        for (int i = 1; i <= 30; ++i) {
          const chaff::dcp tried{.beta = allowed.most_beta * i / 30, .tau = tau, .rule = rule};
          const double gain = effect_on(tried, strange.logits).l1;
          if (gain > best && keeps(effect_on(tried, customers.logits, customers.truth), allowed)) best = gain;
        }
      }
      EXPECT_GT(best, 0);
      EXPECT_GE(found.strangers.l1, best * 0.99) << found.tau << " " << found.beta;
    }
  }
}

TEST(calibrate, reports_what_its_defense_does) {
  const chaff::budget allowed{.touched = 0.1};
  const auto found = chaff::calibrate(labelled, allowed, chaff::dcp{.gamma = 0.1});
  EXPECT_EQ(found.defense.tau, found.tau);
  EXPECT_EQ(found.defense.beta, found.beta);
  EXPECT_EQ(found.defense.gamma, 0.1);
  const chaff::effect own = effect_on(found.defense, customers.logits, customers.truth);
  EXPECT_NEAR(found.customers.l1, own.l1, 1e-6);
  EXPECT_EQ(found.customers.touched, own.touched);
  EXPECT_EQ(found.customers.after.accuracy, own.after.accuracy);
  EXPECT_NEAR(found.customers.after.calibration_error, own.after.calibration_error, 1e-6);
  EXPECT_NEAR(found.strangers.l1, effect_on(found.defense, strange.logits).l1, 1e-6);
  EXPECT_EQ(found.customers.rows, 1500u);
  EXPECT_EQ(found.strangers.rows, 800u);
}

TEST(calibrate, keeps_its_budget_on_data_that_it_was_not_fitted_to) {
  std::vector<chaff::budget> with_room = budgets;
  for (chaff::budget& allowed : with_room) {
    allowed.sigmas = 3;
    const auto found = chaff::calibrate(labelled, allowed, chaff::dcp{});
    EXPECT_GT(found.strangers.l1, 0.01);
    const sample<> fresh(10, 50000, 5);  // so many that their own sampling matters little
    EXPECT_TRUE(keeps(effect_on(found.defense, fresh.logits, fresh.truth), allowed));
  }
  // and the room is what does it: fitted to the last row, the budget breaks on about half of other data
  int broken = 0;
  const auto tight = chaff::calibrate(labelled, budgets[0], chaff::dcp{});
  for (unsigned seed = 10; seed < 40; ++seed) {
    broken += !keeps(effect_on(tight.defense, sample<>(seed, 1500, 5).logits), budgets[0]);
  }
  EXPECT_GT(broken, 5);
}

TEST(calibrate, without_strange_inputs_takes_the_least_sure_tenth_for_them) {
  const auto found = chaff::calibrate(chaff::held_out<float>{customers.logits, classes}, {.l1 = 0.1}, chaff::dcp{});
  EXPECT_EQ(found.strangers.rows, 150u);
  EXPECT_TRUE(std::isnan(found.customers.after.accuracy));
  EXPECT_LE(found.customers.l1, 0.1);
  // an L1 of 0.1 over all is 1 over the tenth: what room for sampling leaves of it is spent there
  EXPECT_GT(found.strangers.l1, 0.6);
}

TEST(calibrate, chooses_the_threshold_of_an_energy_gate) {
  const auto used = chaff::gated{chaff::energy_gate{.tau = 0}, chaff::reverse_sigmoid{.gamma = 0.1}};
  const chaff::budget allowed{.touched = 0.05, .sigmas = 0};
  const auto found = chaff::calibrate(labelled, allowed, used);
  EXPECT_EQ(found.defense.perturbation.gamma, 0.1);
  EXPECT_LE(found.customers.touched, 0.05);
  EXPECT_GT(found.customers.touched, 0.04);
  EXPECT_GT(found.strangers.touched, 0.3);
}

TEST(calibrate, chooses_how_much_misdirection_may_cost) {
  const chaff::policy relabel{.keep_label = false};
  const auto used = chaff::gated{chaff::energy_gate{.tau = 0}, chaff::misdirect{.key = key}};
  const auto found = chaff::calibrate(labelled, {.changed = 0.02}, used, relabel);
  EXPECT_TRUE(std::isnan(found.beta));
  EXPECT_LE(found.customers.changed, 0.02);
  EXPECT_GT(found.customers.changed, 0.005);
  EXPECT_GT(found.strangers.changed, 10 * found.customers.changed);
}

TEST(calibrate, spends_the_budget_before_reductions) {
  const chaff::budget allowed{.touched = 0.1};  // rounding alone touches more
  const auto bare = chaff::calibrate(labelled, allowed, chaff::dcp{});
  const auto found = chaff::calibrate(labelled, allowed, chaff::dcp{} | chaff::top_k{.k = 3} | chaff::rounded{});
  EXPECT_EQ(found.tau, bare.tau);
  EXPECT_EQ(found.defense.defense.tau, bare.tau);
  EXPECT_EQ(found.defense.defense.beta, bare.beta);
  EXPECT_EQ(std::get<0>(found.defense.reductions).k, 3u);
  EXPECT_EQ(found.customers.l1, bare.customers.l1);
}

TEST(calibrate, counts_what_a_margin_moves_behind_a_closed_gate) {
  const chaff::policy with_margin{.label_margin = 0.1};
  const chaff::budget allowed{.l1 = 0.1, .sigmas = 0};
  const auto found = chaff::calibrate(labelled, allowed, chaff::dcp{}, with_margin);
  EXPECT_LE(found.customers.l1, 0.1);
  EXPECT_GT(found.customers.l1, 0.08);
  // the margin alone touches more than is allowed here
  EXPECT_EQ(refusal(labelled, {.touched = 0.001, .sigmas = 0}, chaff::dcp{}, with_margin).substr(0, 40),
            "chaff: no tau and beta keep the budget; ");
}

TEST(calibrate, serves_double_single_sigmoids_and_probabilities) {
  const sample<double> wide(4, 600, 5);
  EXPECT_GT(chaff::calibrate(chaff::held_out<double>{wide.logits, classes, wide.truth}, {.touched = 0.1}, chaff::dcp{})
                .strangers.l1,
            0.1);

  std::vector<float> single;
  std::vector<int> yes;
  std::mt19937 random(8);
  for (int i = 0; i < 600; ++i) {
    yes.push_back(i % 2);
    single.push_back(std::normal_distribution<float>(i % 2 ? 3.0f : -3.0f, 2)(random));
  }
  const auto of_single = chaff::calibrate(chaff::held_out<float>{single, 1, yes}, {.touched = 0.1}, chaff::dcp{});
  EXPECT_GT(of_single.customers.touched, 0.02);
  EXPECT_LE(of_single.customers.touched, 0.1);
  EXPECT_GT(of_single.customers.before.accuracy, 0.8);

  std::vector<float> posteriors(customers.logits.size());
  chaff::apply_rows(chaff::none{}, customers.logits, classes, posteriors);
  const chaff::policy from_posteriors{.input = chaff::form::probabilities};
  const chaff::budget allowed{.touched = 0.1};
  const auto of_logits = chaff::calibrate(chaff::held_out<float>{customers.logits, classes}, allowed, chaff::dcp{});
  const auto of_posteriors =
      chaff::calibrate(chaff::held_out<float>{posteriors, classes}, allowed, chaff::dcp{}, from_posteriors);
  EXPECT_NEAR(of_posteriors.tau, of_logits.tau, 2e-3);
}

TEST(calibrate, leaves_the_gate_closed_where_nothing_is_allowed) {
  const auto found = chaff::calibrate(labelled, {.touched = 0, .sigmas = 0}, chaff::dcp{});
  EXPECT_EQ(found.customers.touched, 0);
  const auto none =
      chaff::calibrate(chaff::held_out<float>{customers.logits, classes}, {.touched = 0, .sigmas = 0}, chaff::dcp{});
  EXPECT_EQ(none.strangers.touched, 0);
}

TEST(calibrate, tells_each_try) {
  int tries = 0;
  chaff::calibrate(labelled, {.touched = 0.1}, chaff::dcp{}, {}, [&] { ++tries; });
  EXPECT_GT(tries, 100);
  EXPECT_LT(tries, 2000);
}

TEST(calibrate, says_what_is_wrong) {
  const chaff::held_out<float> bare{customers.logits, classes};
  EXPECT_EQ(refusal(bare, {.touched = -0.1}), "chaff: budget.touched is -0.1, allowed is [0, 1]");
  EXPECT_EQ(refusal(bare, {.l1 = 3}), "chaff: budget.l1 is 3, allowed is [0, 2]");
  EXPECT_EQ(refusal(bare, {.changed = 2}), "chaff: budget.changed is 2, allowed is [0, 1]");
  EXPECT_EQ(refusal(bare, {.calibration_error = NAN}), "chaff: budget.calibration_error is nan, allowed is [0, 1]");
  EXPECT_EQ(refusal(bare, {.sigmas = -1}), "chaff: budget.sigmas is -1, allowed is [0, 10]");
  EXPECT_EQ(refusal(bare, {.most_beta = 2000}), "chaff: budget.most_beta is 2000, allowed is [0, 1000]");
  EXPECT_EQ(refusal(bare, {.calibration_error = 0.1}),
            "chaff: budget.calibration_error is 0.1, which needs held_out.truth");
  EXPECT_EQ(refusal({customers.logits, classes, std::span(customers.truth).first(3)}, {}),
            "chaff: calibrate on 1500 rows with 3 labels");
  EXPECT_EQ(refusal({customers.logits, 7}, {}), "chaff: calibrate on 7500 logits, in rows of 7 classes");
  EXPECT_EQ(refusal({}, {}), "chaff: calibrate on 0 logits, in rows of 0 classes");
  EXPECT_EQ(refusal(bare, {.touched = 0.001}),
            "chaff: 1500 held-out rows hold no budget of 0.001 by 2 standard errors, it takes 3996");
  EXPECT_EQ(refusal(bare, {}, chaff::dcp{.gamma = -1}), "chaff: gamma is -1, allowed is [0, 1000]");
  EXPECT_EQ(
      refusal(bare, {.touched = 0.1}, chaff::gated{chaff::confidence_gate{.nu = 1e-6}, chaff::misdirect{.key = key}},
              {.keep_label = false}),
      "chaff: no tau and beta keep the budget; is nu, 1e-06, too small for a gate that closes?");
  std::vector<float> bad = customers.logits;
  bad[7] = NAN;
  EXPECT_THROW(chaff::calibrate(chaff::held_out<float>{bad, classes}, {}, chaff::dcp{}), std::domain_error);
}

TEST(calibrate, has_a_concept_for_the_gates_that_it_serves) {
  static_assert(chaff::threshold_gate<chaff::confidence_gate>);
  static_assert(chaff::threshold_gate<chaff::energy_gate, double>);
  static_assert(!chaff::threshold_gate<chaff::always>);
}

TEST(wilson_upper, is_worked_by_hand) {
  EXPECT_NEAR(chaff::wilson_upper(0, 96, 2), 0.04, 1e-12);  // z^2 / (n + z^2)
  EXPECT_NEAR(chaff::wilson_upper(0.5, 100, 2), 0.5980580675690920, 1e-12);
  EXPECT_EQ(chaff::wilson_upper(0.3, 50, 0), 0.3);
  EXPECT_EQ(chaff::wilson_upper(1, 50, 2), 1);
}

}  // namespace
