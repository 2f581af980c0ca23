// SPDX-License-Identifier: MIT
/// Every error of apply and apply_rows, with its message, and the memory that it leaves.
#include <gtest/gtest.h>

#include <array>
#include <chaff/chaff.hpp>
#include <numeric>

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
using rows = std::vector<float>;

/// Calls `run`, which must raise E with exactly this message.
template <class E>
void raises(const char* message, auto run) {
  try {
    run();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const E& error) {
    EXPECT_STREQ(error.what(), message);
  }
}

template <class E>
void clears(const char* message, const auto& defense, const rows& logits, const chaff::policy& promised = {}) {
  rows answer(logits.size(), 7);
  raises<E>(message, [&] { chaff::apply(defense, logits, answer, promised); });
  EXPECT_EQ(answer, rows(logits.size(), 0)) << "not cleared: " << message;
  rows in_place = logits;
  raises<E>(message, [&] { chaff::apply(defense, in_place, in_place, promised); });
  EXPECT_EQ(in_place, rows(logits.size(), 0)) << "not cleared in place: " << message;
}

TEST(apply, refuses_bad_values) {
  using E = std::domain_error;
  clears<E>("chaff: logit 1 of row 0 is NaN", chaff::dcp{}, {0, nan, 1});
  clears<E>("chaff: logit 2 of row 0 is NaN", chaff::dcp{}, {infinity, 0, nan});
  clears<E>("chaff: logit 0 of row 0 is +inf", chaff::dcp{}, {infinity, -infinity});
  clears<E>("chaff: row 0 is -inf alone", chaff::dcp{}, {-infinity, -infinity});
  clears<E>("chaff: row 0 is -inf alone", chaff::dcp{}, {-infinity});
  clears<E>("chaff: logit 0 of row 0 is NaN", chaff::dcp{}, {nan});
  clears<E>("chaff: logit 0 of row 0 is +inf", chaff::dcp{}, {infinity});
  clears<E>("chaff: log-probability 0 of row 0 is NaN", chaff::dcp{}, {nan, 0},
            {.input = chaff::form::log_probabilities});
  rows big(1000, 0.5f);
  big[999] = nan;
  clears<E>("chaff: logit 999 of row 0 is NaN", chaff::dcp{}, big);
}

TEST(apply, refuses_logits_said_to_be_probabilities) {
  const char* p =
      "chaff: row 0 is not a row of probabilities; if the model returns logits, policy.input must be form::logits";
  const char* l =
      "chaff: row 0 is not a row of log-probabilities; if the model returns logits, policy.input must be form::logits";
  for (const rows& bad : {rows{2, 1, -3}, rows{1.5f, -0.5f}, rows{0.2f, 0.2f}, rows{0.5f, 0.6f}, rows{1.2f},
                          rows{-0.1f}, rows{0, 0}, rows{1.005f, -0.005f}, rows{0.5f, 0.52f}}) {
    clears<std::domain_error>(p, chaff::dcp{}, bad, {.input = chaff::form::probabilities});
  }
  for (const rows& bad : {rows{2, 1, -3}, rows{-1, -3}, rows{0.1f}, rows{-0.02f, -10}, rows{0.02f, -10}}) {
    clears<std::domain_error>(l, chaff::dcp{}, bad, {.input = chaff::form::log_probabilities});
  }
}

TEST(apply, takes_probabilities_that_sum_to_1_within_1_per_cent) {
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

TEST(apply, refuses_parameters_out_of_range) {
  using E = std::invalid_argument;
  const rows z{1, 2, 3};
  clears<E>("chaff: beta is -1, allowed is [0, 1000]", chaff::dcp{.beta = -1, .tau = 0.9}, z);
  clears<E>("chaff: beta is nan, allowed is [0, 1000]", chaff::dcp{.beta = double{nan}, .tau = 0.9}, z);
  clears<E>("chaff: gamma is -0.1, allowed is [0, 1000]", chaff::dcp{.gamma = -0.1}, z);
  clears<E>("chaff: nu is 0, allowed is [1e-06, 1e+09]", chaff::dcp{.nu = 0}, z);
  clears<E>("chaff: tau is 11, allowed is [0, 10]", chaff::dcp{.tau = 11}, z);
  clears<E>("chaff: gamma is inf, allowed is [0, 1000]", chaff::reverse_sigmoid{.gamma = double{infinity}}, z);
  const auto energy = [](double tau, double nu) {
    return chaff::gated{chaff::energy_gate{.tau = tau, .nu = nu}, chaff::reverse_sigmoid{}};
  };
  clears<E>("chaff: tau is 2e+06, allowed is [-1e+06, 1e+06]", energy(2e6, 1), z);
  clears<E>("chaff: nu is -1, allowed is [1e-06, 1e+09]", energy(0, -1), z);
  clears<E>("chaff: energy_gate needs logits, policy.input is probabilities", energy(0, 1), z,
            {.input = chaff::form::probabilities});
  clears<E>("chaff: energy_gate needs logits, policy.input is log_probabilities", energy(0, 1), z,
            {.input = chaff::form::log_probabilities});
  clears<E>("chaff: policy.label_margin is 1.5, allowed is [0, 1]", chaff::dcp{}, z, {.label_margin = 1.5});
  clears<E>("chaff: policy.label_margin is 0.1, allowed is [0, 0] where policy.keep_label is false", chaff::dcp{}, z,
            {.keep_label = false, .label_margin = 0.1});
  clears<E>("chaff: policy.max_l1 is -0.1, allowed is [0, 2]", chaff::dcp{}, z, {.max_l1 = -0.1});
  clears<E>("chaff: policy.max_l1 is 2.5, allowed is [0, 2]", chaff::dcp{}, z, {.max_l1 = 2.5});
}

TEST(apply, refuses_sizes_that_do_not_match) {
  using E = std::invalid_argument;
  rows z(6, 1), y(5, 7), same(6, 7), none;
  raises<E>("chaff: 6 logits, but the answer has room for 5", [&] { chaff::apply(chaff::dcp{}, z, y); });
  EXPECT_EQ(y, rows(5, 0));
  raises<E>("chaff: the row of logits is empty", [&] { chaff::apply(chaff::dcp{}, none, none); });
  raises<E>("chaff: 6 logits are no whole number of rows of 4 classes",
            [&] { chaff::apply_rows(chaff::dcp{}, z, 4, same); });
  EXPECT_EQ(same, rows(6, 0));
  raises<E>("chaff: classes is 0, allowed is 1 or more", [&] { chaff::apply_rows(chaff::dcp{}, z, 0, same); });
  raises<E>("chaff: logits and answer overlap in part; they are the same or apart",
            [&] { chaff::apply(chaff::dcp{}, std::span<const float>(z).first(4), std::span<float>(z).last(4)); });
}

TEST(apply_rows, names_the_bad_row_and_clears_the_whole_answer) {
  rows z{1, 2, 3, 4, 5, nan}, y(6, 7);
  raises<std::domain_error>("chaff: logit 1 of row 2 is NaN", [&] { chaff::apply_rows(chaff::dcp{}, z, 2, y); });
  EXPECT_EQ(y, rows(6, 0));
  raises<std::domain_error>("chaff: logit 0 of row 5 is NaN", [&] { chaff::apply_rows(chaff::dcp{}, z, 1, y); });
  EXPECT_EQ(y, rows(6, 0));
}

TEST(apply_rows, of_no_rows_does_nothing) {
  rows none;
  EXPECT_NO_THROW(chaff::apply_rows(chaff::dcp{}, none, 5, none));
}

TEST(apply, takes_spans_vectors_arrays_and_mixes_of_them) {
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
