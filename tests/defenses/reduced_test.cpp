// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

namespace {

const std::vector<float> z{1, 2, 3, 2.5f, 0};

template <class D>
std::vector<float> answer(const D& defense, const chaff::policy& promised = {}) {
  std::vector<float> y(z.size());
  chaff::apply(defense, z, y, promised);
  return y;
}

TEST(reduced, applies_reductions_from_left_to_right) {
  const auto y = answer(chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2});
  auto expected = answer(chaff::dcp{.beta = 1.2});
  chaff::top_k{.k = 2}(std::span<float>(expected), chaff::kept_label{2, 0});
  chaff::rounded{.decimals = 2}(std::span<float>(expected), chaff::kept_label{2, 0});
  EXPECT_EQ(y, expected);
  EXPECT_NE(answer(chaff::none{} | chaff::rounded{.decimals = 1} | chaff::high_confidence{.cutoff = 0.25}),
            answer(chaff::none{} | chaff::high_confidence{.cutoff = 0.25} | chaff::rounded{.decimals = 1}));
}

TEST(reduced, is_a_constant_where_its_parts_are) {
  constexpr auto defense = chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2};
  static_assert(std::get<1>(defense.reductions).decimals == 2);
  EXPECT_EQ(answer(defense), answer(chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2}));
}

TEST(reduced, takes_perturbations_gates_and_a_user_s_own_reduction) {
  const auto halve_the_last = [](auto answer, chaff::kept_label kept) {
    answer.back() /= 2;
    chaff::normalise_behind_label(answer, kept);
  };
  const auto y = answer(chaff::gated{chaff::energy_gate{.tau = 9}, chaff::reverse_sigmoid{}} | halve_the_last);
  const auto plain = answer(chaff::gated{chaff::energy_gate{.tau = 9}, chaff::reverse_sigmoid{}});
  EXPECT_NEAR(y[4] / y[0], plain[4] / plain[0] / 2, 1e-6);
  EXPECT_EQ(answer(chaff::reverse_sigmoid{} | chaff::label_only{}), (std::vector<float>{0, 0, 1, 0, 0}));
}

TEST(reduced, keeps_the_answer_s_own_label_where_the_policy_does_not_keep_the_model_s) {
  const chaff::misdirect other{.key = chaff::key("303132333435363738393a3b3c3d3e3f")};
  const auto misled = answer(other, {.keep_label = false});
  const std::size_t named = chaff::label<float>(misled);
  ASSERT_NE(named, 2u);
  EXPECT_EQ(answer(other | chaff::label_only{}, {.keep_label = false})[named], 1);
}

TEST(reduced, comes_before_logarithms) {
  const auto y = answer(chaff::none{} | chaff::top_k{.k = 2}, {.answer = chaff::form::log_probabilities});
  EXPECT_EQ(y[0], -std::numeric_limits<float>::infinity());
  EXPECT_NEAR(std::exp(y[2]) + std::exp(y[3]), 1, 1e-6);
}

TEST(reduced, answers_in_place_and_in_batches_as_alone) {
  const chaff::key key("303132333435363738393a3b3c3d3e3f");
  const auto defense = chaff::dcp{} | chaff::gaussian_noise{.sigma = 0.1, .key = key} | chaff::rounded{.decimals = 3};
  auto in_place = z;
  chaff::apply(defense, in_place, in_place);
  EXPECT_EQ(in_place, answer(defense));
  std::vector<float> twice = z;
  twice.insert(twice.end(), z.begin(), z.end());
  chaff::apply_rows(defense, twice, z.size(), twice);
  EXPECT_TRUE(std::equal(in_place.begin(), in_place.end(), twice.begin()));
  EXPECT_TRUE(std::equal(in_place.begin(), in_place.end(), twice.begin() + 5));
}

}  // namespace
