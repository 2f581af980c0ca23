// SPDX-License-Identifier: MIT
/// An any_defense computes the bits of the defense that it was made of, or that its text describes.
#include <gtest/gtest.h>

#include <chaff/any_defense.hpp>
#include <cstring>
#include <type_traits>

#include "support/edge_case_rows.hpp"
#include "support/every_defense.hpp"
#include "support/shared_defenses.hpp"
#include "support/shared_text.hpp"

namespace {

using chaff::any_defense;
using chaff::parse_defense;

const std::string key_text = "5d2f8c1e9b7a4630f1e2d3c4b5a69788";  // test_key

/// Policies that take each way through the pipeline.
std::vector<chaff::policy> some_policies() {
  using chaff::form;
  return {{},
          {.keep_label = false},
          {.label_margin = 0.2},
          {.max_l1 = 0.3},
          {.answer = form::log_probabilities},
          {.keep_label = false, .answer = form::logits, .constant_time_gate = true},
          {.input = form::log_probabilities, .constant_time_gate = true},
          {.label_margin = 0.011, .max_l1 = 0.5, .input = form::probabilities}};
}

/// Rows that a policy reads as they are: distributions, if it says so.
template <class T>
std::vector<T> batch_for(std::size_t classes, const chaff::policy& policy) {
  std::vector<T> batch;
  for (const auto& row : edge_case_rows<T>(classes)) {
    std::vector<T> p = row.logits;
    if (policy.input != chaff::form::logits) {
      chaff::apply(chaff::none{}, row.logits, p, {.keep_label = false, .answer = policy.input});
    }
    batch.insert(batch.end(), p.begin(), p.end());
  }
  return batch;
}

/// The bits of the answers to a batch, or the message of the error.
template <class T, class D>
std::pair<std::vector<T>, std::string> answer(const D& defense, const std::vector<T>& batch, std::size_t classes,
                                              const chaff::policy& policy) {
  std::vector<T> output(batch.size(), T(7));
  std::string error;
  try {
    chaff::apply_rows(defense, batch, classes, output, policy);
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  return {output, error};
}

template <class T, class D>
void expect_same_bits_of(const any_defense& any, const D& typed, const std::string& name) {
  for (const chaff::policy& policy : some_policies()) {
    for (const std::size_t classes : {1u, 2u, 7u, 33u, 300u}) {
      const std::vector<T> batch = batch_for<T>(classes, policy);
      const auto [expected, expected_error] = answer(typed, batch, classes, policy);
      const auto [output, error] = answer(any, batch, classes, policy);
      ASSERT_EQ(error, expected_error) << name << ", policy " << to_string(policy);
      ASSERT_EQ(std::memcmp(output.data(), expected.data(), output.size() * sizeof(T)), 0)
          << name << ", " << classes << " classes, policy " << to_string(policy);
    }
  }
}

template <class D>
void expect_same_bits(const any_defense& any, const D& typed, const std::string& name) {
  expect_same_bits_of<float>(any, typed, name);
  expect_same_bits_of<double>(any, typed, name);
}

/// The defense itself, and what its text describes; a codebook has no text.
template <class D>
void expect_same_bits_with_and_without_text(const D& typed, const std::string& name) {
  expect_same_bits(typed, typed, name);
  if constexpr (!std::is_same_v<D, codebook_of_any_size>) {
    expect_same_bits(parse_defense(to_string(typed)), typed, name + " from text");
  }
}

TEST(AnyDefense, HasTheBitsOfEveryDefense) {
  for_each_row_defense(
      [](const auto& typed, const char* name) { expect_same_bits_with_and_without_text(typed, name); });
  for_each_label_changing_defense(
      [](const auto& typed, const char* name) { expect_same_bits_with_and_without_text(typed, name); });
}

TEST(AnyDefense, HasTheBitsOfEveryReduction) {
  const auto defense = chaff::dcp{.beta = 1.2};
  for_each_reduction([&](const auto& reduction, const char* name) {
    expect_same_bits_with_and_without_text(defense | reduction, name);
    expect_same_bits(any_defense(defense) | reduction, defense | reduction, name);
  });
  expect_same_bits_with_and_without_text(
      chaff::none{} | chaff::gaussian_noise{.sigma = 0.1, .key = test_key} | chaff::top_k{.k = 3} |
          chaff::gaussian_noise{.sigma = 0.2, .key = test_key} | chaff::rounded{.decimals = 2},
      "four reductions");
}

TEST(AnyDefense, TextMeansTheStruct) {
  using chaff::odds;
  expect_same_bits(parse_defense("dcp(beta=1.2, gamma=0.2) | top_k(k=5)"),
                   chaff::dcp{.beta = 1.2, .gamma = 0.2} | chaff::top_k{.k = 5}, "dcp");
  expect_same_bits(parse_defense("energy_dcp(tau=4.7, beta=1.2, rule=exact)"),
                   chaff::energy_dcp{.beta = 1.2, .tau = 4.7, .rule = odds::exact}, "energy_dcp");
  expect_same_bits(parse_defense("gated(energy_gate(tau=4.7), misdirect(key=" + key_text + "))"),
                   chaff::gated{chaff::energy_gate{.tau = 4.7}, chaff::misdirect{.key = test_key}}, "misdirect");
  expect_same_bits(parse_defense("gated(confidence_gate, random_vertex(epsilon=0.5,key=" + key_text + "))"),
                   chaff::gated{chaff::confidence_gate{}, chaff::random_vertex{.epsilon = 0.5, .key = test_key}},
                   "random_vertex");
  expect_same_bits(parse_defense("modelguard_w(epsilon=0.5)"), chaff::modelguard_w{.epsilon = 0.5}, "modelguard_w");
  expect_same_bits(parse_defense("dcp|high_confidence(cutoff=0.1)|rounded|label_only"),
                   chaff::dcp{} | chaff::high_confidence{.cutoff = 0.1} | chaff::rounded{} | chaff::label_only{},
                   "reductions");
}

TEST(AnyDefense, TakesAnErasedDefenseBehindTypedReductions) {
  const any_defense inner = chaff::dcp{} | chaff::top_k{.k = 3};
  const auto typed = chaff::dcp{} | chaff::top_k{.k = 3} | chaff::rounded{.decimals = 1};
  const chaff::reduced behind{inner, chaff::rounded{.decimals = 1}};
  expect_same_bits(behind, typed, "rounded");
  EXPECT_EQ(to_string(behind), to_string(typed));
}

TEST(AnyDefense, IsBoundToAModelLikeAnyDefense) {
  const std::vector<float> logits{1, 3, 2};
  const auto model = [](const std::vector<float>& query) { return query; };
  const auto served = chaff::defend(model, parse_defense("dcp(beta=1.2) | top_k(k=2)"));
  const auto expected = chaff::defend(model, chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2});
  EXPECT_EQ(served(logits), expected(logits));
  EXPECT_THROW(static_cast<void>(chaff::defend(model, parse_defense("misdirect(key=" + key_text + ")"))),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::defend(model, any_defense(chaff::dcp{.beta = -1}))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::defend(model, any_defense(chaff::none{}) | chaff::top_k{.k = 0})),
               std::invalid_argument);
}

struct flat {
  template <class T>
  struct weights_of_row {
    T label;
    chaff::simd::vec<T> operator()(const chaff::block<T>& block) const { return block.p * T(0) + T(0.1); }
  };
  template <class T>
  weights_of_row<T> weights(const chaff::row<T>&) const {
    return {T(0.1)};
  }
};

TEST(AnyDefense, TakesPartsOfTheUserWhichHaveNoText) {
  const auto gate = [](const auto& row) { return row.confidence() < 0.7 ? 0.75 : 0.0; };
  const auto halve = []<class T>(std::span<T> output, chaff::kept_label) {
    for (T& y : output) y /= 2;
  };
  const chaff::gated typed{gate, flat{}};
  expect_same_bits(typed, typed, "gate and perturbation");
  expect_same_bits(any_defense(flat{}) | halve, chaff::reduced{flat{}, halve}, "reduction");
  EXPECT_THROW(static_cast<void>(to_string(typed)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::to_string(flat{})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(to_string(any_defense(chaff::dcp{}) | halve)), std::invalid_argument);
}

TEST(AnyDefense, LeavesWhatItWasMovedFrom) {
  any_defense from = chaff::dcp{.beta = 1.2};
  const any_defense to = std::move(from);
  EXPECT_EQ(to_string(from), to_string(to));  // NOLINT: this is what is tested
  EXPECT_FALSE(std::is_default_constructible_v<any_defense>);
}

TEST(AnyDefense, TakesSixteenReductionsAndNoMore) {
  any_defense defense = chaff::none{};
  std::string text = "none";
  for (int i = 0; i < 16; ++i) {
    defense = defense | chaff::label_only{};
    text += " | label_only";
  }
  expect_same_bits(defense, chaff::none{} | chaff::label_only{}, "16 reductions");
  EXPECT_EQ(to_string(parse_defense(text)), to_string(defense));
  EXPECT_THROW(defense | chaff::label_only{}, std::invalid_argument);
  EXPECT_THROW(static_cast<void>(parse_defense(text + " | label_only")), std::invalid_argument);
}

template <class D>
concept Erasable = std::is_convertible_v<D, any_defense>;
static_assert(Erasable<chaff::dcp> && chaff::Defense<any_defense, float> && chaff::Defense<any_defense, double>);
static_assert(!Erasable<chaff::confidence_gate> && !Erasable<int> && !Erasable<chaff::top_k>);
static_assert(!Erasable<decltype(chaff::adaptive_misinformation(other_logits{}))>, "it needs the query");

}  // namespace
