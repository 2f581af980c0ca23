// SPDX-License-Identifier: MIT
/// Checks every error of apply and apply_rows: its type, its message, and that the output is zeroed.
#include <gtest/gtest.h>

#include <array>
#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/reductions/high_confidence.hpp>
#include <chaff/reductions/label_only.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>
#include <cmath>
#include <random>

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
using rows = std::vector<float>;

/// Calls `run`, and fails where it does not raise E with exactly this message.
template <class E>
void expect_error(const char* message, auto run) {
  try {
    run();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const E& error) {
    EXPECT_STREQ(error.what(), message);
  }
}

/// Answers logits, apart and in place, and fails where that does not raise E with exactly this message and zero the
/// output.
template <class E>
void expect_error_and_zeros(const char* message, const auto& defense, const rows& logits,
                            const chaff::policy& policy = {}) {
  rows output(logits.size(), 7);
  expect_error<E>(message, [&] { chaff::apply(defense, logits, output, policy); });
  EXPECT_EQ(output, rows(logits.size(), 0)) << "not zeroed: " << message;
  rows in_place = logits;
  expect_error<E>(message, [&] { chaff::apply(defense, in_place, in_place, policy); });
  EXPECT_EQ(in_place, rows(logits.size(), 0)) << "not zeroed in place: " << message;
}

TEST(Apply, NanInfinityAndFullyMaskedRowAreDomainErrors) {
  using E = std::domain_error;
  expect_error_and_zeros<E>("chaff: logit 1 of row 0 is NaN", chaff::dcp{}, {0, nan, 1});
  expect_error_and_zeros<E>("chaff: logit 2 of row 0 is NaN", chaff::dcp{}, {infinity, 0, nan});
  expect_error_and_zeros<E>("chaff: logit 0 of row 0 is +inf", chaff::dcp{}, {infinity, -infinity});
  expect_error_and_zeros<E>("chaff: every class of row 0 is -inf", chaff::dcp{}, {-infinity, -infinity});
  expect_error_and_zeros<E>("chaff: every class of row 0 is -inf", chaff::dcp{}, {-infinity});
  expect_error_and_zeros<E>("chaff: logit 0 of row 0 is NaN", chaff::dcp{}, {nan});
  expect_error_and_zeros<E>("chaff: logit 0 of row 0 is +inf", chaff::dcp{}, {infinity});
  expect_error_and_zeros<E>("chaff: log-probability 0 of row 0 is NaN", chaff::dcp{}, {nan, 0},
                            {.input = chaff::form::log_probabilities});
  rows big(1000, 0.5f);
  big[999] = nan;
  expect_error_and_zeros<E>("chaff: logit 999 of row 0 is NaN", chaff::dcp{}, big);
}

TEST(Apply, RowThatIsNoDistributionIsADomainErrorWhereThePolicySaysItIsOne) {
  const char* p =
      "chaff: row 0 is not a row of probabilities; if the model returns logits, policy.input must be form::logits";
  const char* l =
      "chaff: row 0 is not a row of log-probabilities; if the model returns logits, policy.input must be form::logits";
  for (const rows& bad : {rows{2, 1, -3}, rows{1.5f, -0.5f}, rows{0.2f, 0.2f}, rows{0.5f, 0.6f}, rows{1.2f},
                          rows{-0.1f}, rows{0, 0}, rows{1.005f, -0.005f}, rows{0.5f, 0.52f}}) {
    expect_error_and_zeros<std::domain_error>(p, chaff::dcp{}, bad, {.input = chaff::form::probabilities});
  }
  for (const rows& bad : {rows{2, 1, -3}, rows{-1, -3}, rows{0.1f}, rows{-0.02f, -10}, rows{0.02f, -10}}) {
    expect_error_and_zeros<std::domain_error>(l, chaff::dcp{}, bad, {.input = chaff::form::log_probabilities});
  }
}

TEST(Apply, ProbabilitiesMaySumToOneWithinOnePercent) {
  const rows p{0.6f, 0.3f, 0.1f};
  rows log_p(3), expected(3), of_rounded(3), of_logarithms(3);
  for (std::size_t i = 0; i < 3; ++i) log_p[i] = std::log(p[i]);
  for (const chaff::dcp& defense : {chaff::dcp{.beta = 1.2}, chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact}}) {
    chaff::apply(defense, log_p, expected);
    chaff::apply(defense, rows{0.605f, 0.3025f, 0.1008f}, of_rounded, {.input = chaff::form::probabilities});
    const rows shifted{log_p[0] - 0.008f, log_p[1] - 0.008f, log_p[2] - 0.008f};
    chaff::apply(defense, shifted, of_logarithms, {.input = chaff::form::log_probabilities});
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(of_rounded[i], expected[i], 1e-3);
      EXPECT_NEAR(of_logarithms[i], expected[i], 1e-6);
    }
  }
}

TEST(Apply, SingleProbabilityMayBeAsFarPastOneAsTheSumOfMore) {
  const auto answer = [](auto value, chaff::form input) {
    std::vector<decltype(value)> output(1);
    chaff::apply(chaff::none{}, std::vector{value}, output, {.input = input});
    return output[0];
  };
  for (const float p : {1.0f, std::nextafter(1.0f, 2.0f), 1 + 8 * std::numeric_limits<float>::epsilon(), 1.009f}) {
    EXPECT_EQ(answer(p, chaff::form::probabilities), 1) << p;
    EXPECT_EQ(answer(static_cast<double>(p), chaff::form::probabilities), 1) << p;
  }
  for (const float log_p : {0.0f, -0.0f, std::numeric_limits<float>::denorm_min(), 1e-6f, 0.009f}) {
    EXPECT_EQ(answer(log_p, chaff::form::log_probabilities), 1) << log_p;
    EXPECT_EQ(answer(static_cast<double>(log_p), chaff::form::log_probabilities), 1) << log_p;
  }
  EXPECT_THROW(answer(1.011f, chaff::form::probabilities), std::domain_error);
  EXPECT_THROW(answer(-0.001f, chaff::form::probabilities), std::domain_error);
  EXPECT_THROW(answer(0.011f, chaff::form::log_probabilities), std::domain_error);
}

/// The probabilities of random logits, rounded to 1/256 as 8-bit networks give them.
template <class T>
std::vector<T> rounded_to_8_bits(std::size_t classes, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> draw(0, 3);
  std::vector<double> p(classes);
  double sum = 0;
  for (double& each : p) sum += each = std::exp(draw(random));
  std::vector<T> codes(classes);
  for (std::size_t i = 0; i < classes; ++i) codes[i] = static_cast<T>(std::nearbyint(256 * p[i] / sum) / 256);
  return codes;
}

TEST(Apply, EightBitProbabilitiesMaySumToWhatTheirRoundingLeaves) {
  std::size_t off_by_a_percent = 0;
  for (const std::size_t classes : {2u, 10u, 100u, 257u, 1000u}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const std::vector<float> p = rounded_to_8_bits<float>(classes, seed);
      double sum = 0;
      for (const float each : p) sum += static_cast<double>(each);
      off_by_a_percent += std::abs(sum - 1) > 0.01;
      rows output(classes);
      chaff::apply(chaff::none{}, p, output, {.input = chaff::form::probabilities});
      for (std::size_t i = 0; i < classes; ++i) {
        EXPECT_NEAR(output[i], static_cast<double>(p[i]) / sum, 1e-6) << classes << " classes, " << i;
      }
    }
  }
  EXPECT_GT(off_by_a_percent, 40u);
  // neither more than rounding takes, nor other numbers, nor nothing
  rows p(100, 0.0f);
  const chaff::policy policy{.input = chaff::form::probabilities};
  EXPECT_THROW(chaff::apply(chaff::none{}, p, p, policy), std::domain_error);
  p[3] = 0.8125f;  // 208 / 256; 100 entries may have lost 100 / 512
  EXPECT_NO_THROW(chaff::apply(chaff::none{}, p, p, policy));
  p.assign(100, 0.0f);
  p[3] = 0.80078125f;  // 205 / 256
  EXPECT_THROW(chaff::apply(chaff::none{}, p, p, policy), std::domain_error);
  p.assign(100, 0.0f);
  p[3] = 0.8126f;
  EXPECT_THROW(chaff::apply(chaff::none{}, p, p, policy), std::domain_error);
}

TEST(Apply, NoLogitsForAnOutputAreAnInvalidArgument) {
  rows output(3, 7);
  expect_error<std::invalid_argument>("chaff: the row of logits is empty",
                                      [&] { chaff::apply(chaff::none{}, rows{}, output); });
  EXPECT_EQ(output, rows(3, 0));
}

TEST(Apply, ParameterOutOfRangeIsAnInvalidArgument) {
  using E = std::invalid_argument;
  const rows z{1, 2, 3};
  expect_error_and_zeros<E>("chaff: beta is -1, allowed is [0, 1000]", chaff::dcp{.beta = -1}, z);
  expect_error_and_zeros<E>("chaff: beta is -1, allowed is [0, 1000]", chaff::dcp{.beta = -1, .tau = 0.9}, z);
  expect_error_and_zeros<E>("chaff: beta is nan, allowed is [0, 1000]", chaff::dcp{.beta = double{nan}, .tau = 0.9}, z);
  expect_error_and_zeros<E>("chaff: gamma is -0.1, allowed is [0, 1000]", chaff::dcp{.gamma = -0.1}, z);
  expect_error_and_zeros<E>("chaff: nu is 0, allowed is [1e-06, 1e+09]", chaff::dcp{.nu = 0}, z);
  expect_error_and_zeros<E>("chaff: tau is 11, allowed is [0, 10]", chaff::dcp{.tau = 11}, z);
  expect_error_and_zeros<E>("chaff: tau is -0.5, allowed is [0, 10]", chaff::dcp{.tau = -0.5}, z);
  expect_error_and_zeros<E>("chaff: tau is nan, allowed is [0, 10]", chaff::dcp{.tau = double{nan}}, z);
  expect_error_and_zeros<E>("chaff: gamma is inf, allowed is [0, 1000]",
                            chaff::reverse_sigmoid{.gamma = double{infinity}}, z);
  const auto energy = [](double tau, double nu) {
    return chaff::gated{chaff::energy_gate{.tau = tau, .nu = nu}, chaff::reverse_sigmoid{}};
  };
  expect_error_and_zeros<E>("chaff: tau is 2e+06, allowed is [-1e+06, 1e+06]", energy(2e6, 1), z);
  expect_error_and_zeros<E>("chaff: nu is -1, allowed is [1e-06, 1e+09]", energy(0, -1), z);
  expect_error_and_zeros<E>("chaff: an energy gate needs logits: policy.input must be form::logits", energy(0, 1), z,
                            {.input = chaff::form::probabilities});
  expect_error_and_zeros<E>("chaff: an energy gate needs logits: policy.input must be form::logits", energy(0, 1), z,
                            {.input = chaff::form::log_probabilities});
  expect_error_and_zeros<E>("chaff: policy.label_margin is 1.5, allowed is [0, 1]", chaff::dcp{}, z,
                            {.label_margin = 1.5});
  expect_error_and_zeros<E>("chaff: policy.label_margin is 0.1, allowed is [0, 0]", chaff::dcp{}, z,
                            {.keep_label = false, .label_margin = 0.1});
  expect_error_and_zeros<E>("chaff: policy.max_l1 is -0.1, allowed is [0, 2]", chaff::dcp{}, z, {.max_l1 = -0.1});
  expect_error_and_zeros<E>("chaff: policy.max_l1 is 2.5, allowed is [0, 2]", chaff::dcp{}, z, {.max_l1 = 2.5});
}

TEST(Apply, EnergyGateWithoutTauIsAnInvalidArgument) {
  const char* message =
      "chaff: tau of the energy gate is not set, and no default fits every model: take it from calibrate";
  const rows z{1, 2, 3};
  expect_error_and_zeros<std::invalid_argument>(message, chaff::energy_dcp{}, z);
  expect_error_and_zeros<std::invalid_argument>(
      message, chaff::gated{chaff::energy_gate{}, chaff::reverse_sigmoid{}} | chaff::top_k{}, z);
}

TEST(Apply, ParameterOfAReductionOutOfRangeIsAnInvalidArgument) {
  using E = std::invalid_argument;
  const rows z{1, 2, 3};
  expect_error_and_zeros<E>("chaff: k of top_k is 0, allowed is 1 or more", chaff::dcp{} | chaff::top_k{.k = 0}, z);
  expect_error_and_zeros<E>("chaff: decimals is 8, allowed is [0, 7]",
                            chaff::dcp{} | chaff::top_k{} | chaff::rounded{.decimals = 8}, z);
  expect_error_and_zeros<E>("chaff: cutoff is 1.5, allowed is [0, 1]",
                            chaff::dcp{} | chaff::high_confidence{.cutoff = 1.5} | chaff::label_only{}, z);
}

/// A perturbation of the user whose check raises by itself.
struct raising_check : chaff::reverse_sigmoid {
  void check(const chaff::policy&) const { throw std::out_of_range("not today"); }
};

TEST(Apply, ErrorOfAUsersPartReachesTheCallerAndZeroesTheOutput) {
  const rows z{1, 2, 3, 4};
  expect_error_and_zeros<std::out_of_range>("not today", raising_check{}, z);
  const auto raise = [](auto&&...) -> double { throw std::runtime_error("no score"); };
  expect_error_and_zeros<std::runtime_error>("no score", chaff::gated{raise, chaff::reverse_sigmoid{}}, z);
  const auto raise_at_second_row = [](const auto& row) -> double {
    if (row.label_value > 3) throw std::runtime_error("no score");
    return 1;
  };
  rows output(4, 7);
  expect_error<std::runtime_error>("no score", [&] {
    chaff::apply_rows(chaff::gated{raise_at_second_row, chaff::reverse_sigmoid{}}, z, 2, output);
  });
  EXPECT_EQ(output, rows(4, 0));
  const auto reduce = [](std::span<float>, chaff::kept_label) { throw std::runtime_error("no reduction"); };
  expect_error_and_zeros<std::runtime_error>("no reduction", chaff::dcp{} | reduce, z);
}

TEST(Apply, SizesThatDoNotMatchAreInvalidArguments) {
  using E = std::invalid_argument;
  rows z(6, 1), y(5, 7), same(6, 7), none;
  expect_error<E>("chaff: 6 logits, but the output has room for 5", [&] { chaff::apply(chaff::dcp{}, z, y); });
  EXPECT_EQ(y, rows(5, 0));
  expect_error<E>("chaff: the row of logits is empty", [&] { chaff::apply(chaff::dcp{}, none, none); });
  expect_error<E>("chaff: 6 logits are not a whole number of rows of 4 classes",
                  [&] { chaff::apply_rows(chaff::dcp{}, z, 4, same); });
  EXPECT_EQ(same, rows(6, 0));
  expect_error<E>("chaff: a row has 0 classes, allowed is 1 or more",
                  [&] { chaff::apply_rows(chaff::dcp{}, z, 0, same); });
  expect_error<E>("chaff: logits and output overlap in part; allowed is the same or apart",
                  [&] { chaff::apply(chaff::dcp{}, std::span<const float>(z).first(4), std::span<float>(z).last(4)); });
}

TEST(ApplyRows, BadRowIsNamedAndTheWholeOutputIsZeroed) {
  rows z{1, 2, 3, 4, 5, nan}, y(6, 7);
  expect_error<std::domain_error>("chaff: logit 1 of row 2 is NaN", [&] { chaff::apply_rows(chaff::dcp{}, z, 2, y); });
  EXPECT_EQ(y, rows(6, 0));
  expect_error<std::domain_error>("chaff: logit 0 of row 5 is NaN", [&] { chaff::apply_rows(chaff::dcp{}, z, 1, y); });
  EXPECT_EQ(y, rows(6, 0));
}

TEST(Apply, ClassesOfThePolicyThatContradictAreAnInvalidArgument) {
  const std::vector<float> z{1, 2, 3, 0, 5, 4};
  std::vector<float> y(6, 7), plain(6);
  expect_error<std::invalid_argument>("chaff: rows of 6 classes, but policy.classes is 2",
                                      [&] { chaff::apply(chaff::dcp{}, z, y, {.classes = 2}); });
  EXPECT_EQ(y, std::vector<float>(6));
  chaff::apply(chaff::dcp{}, z, plain);
  chaff::apply(chaff::dcp{}, z, y, {.classes = 6});
  EXPECT_EQ(y, plain);
}

TEST(ApplyRows, ClassesOfThePolicyThatContradictAreAnInvalidArgument) {
  const std::vector<float> z{1, 2, 3, 0, 5, 4};
  std::vector<float> y(6, 7);
  expect_error<std::invalid_argument>("chaff: rows of 2 classes, but policy.classes is 3",
                                      [&] { chaff::apply_rows(chaff::dcp{}, z, 2, y, {.classes = 3}); });
  EXPECT_EQ(y, std::vector<float>(6));
}

TEST(ApplyRows, NoRowsAreNoError) {
  rows none;
  EXPECT_NO_THROW(chaff::apply_rows(chaff::dcp{}, none, 5, none));
}

TEST(Apply, TakesSpansVectorsAndArraysInAnyCombination) {
  const rows z{1, 2, 3};
  rows expected(3);
  chaff::apply(chaff::dcp{}, std::span<const float>(z), std::span<float>(expected));
  std::array<float, 3> array{};
  chaff::apply(chaff::dcp{}, z, array);
  EXPECT_TRUE(std::equal(array.begin(), array.end(), expected.begin()));
  rows y(3), w(z);
  chaff::apply(chaff::dcp{}, std::span<float>(w), std::span<float>(y));
  EXPECT_EQ(y, expected);
  chaff::apply_rows(chaff::dcp{}, z, 3, std::span<float>(y));
  EXPECT_EQ(y, expected);
}

}  // namespace
