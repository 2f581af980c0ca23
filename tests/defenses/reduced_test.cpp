// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/misdirect.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/argmax.hpp>
#include <chaff/posterior/row.hpp>
#include <chaff/reductions/gaussian_noise.hpp>
#include <chaff/reductions/high_confidence.hpp>
#include <chaff/reductions/label_only.hpp>
#include <chaff/reductions/normalise.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>
#include <cmath>

namespace {

const std::vector<float> z{1, 2, 3, 2.5f, 0};

template <class D>
std::vector<float> answer(const D& defense, const chaff::policy& policy = {}) {
  std::vector<float> y(z.size());
  chaff::apply(defense, z, y, policy);
  return y;
}

TEST(Reduced, ReductionsAreAppliedFromLeftToRight) {
  const auto y = answer(chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2});
  auto expected = answer(chaff::dcp{.beta = 1.2});
  chaff::top_k{.k = 2}(std::span<float>(expected), chaff::kept_label{2, 0});
  chaff::rounded{.decimals = 2}(std::span<float>(expected), chaff::kept_label{2, 0});
  EXPECT_EQ(y, expected);
  EXPECT_NE(answer(chaff::none{} | chaff::rounded{.decimals = 1} | chaff::high_confidence{.cutoff = 0.25}),
            answer(chaff::none{} | chaff::high_confidence{.cutoff = 0.25} | chaff::rounded{.decimals = 1}));
}

TEST(Reduced, IsAConstantWhereItsPartsAre) {
  constexpr auto defense = chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2};
  static_assert(defense.reduction.decimals == 2 && defense.defense.reduction.k == 2 &&
                defense.defense.defense.beta == 1.2);
  EXPECT_EQ(answer(defense), answer(chaff::dcp{.beta = 1.2} | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 2}));
}

TEST(Reduced, TakesGatesPerturbationsAndReductionsOfTheUser) {
  const auto halve_the_last = [](auto output, chaff::kept_label kept) {
    output.back() /= 2;
    chaff::normalise_with_label_first(output, kept);
  };
  const auto y = answer(chaff::gated{chaff::energy_gate{.tau = 9}, chaff::reverse_sigmoid{}} | halve_the_last);
  const auto plain = answer(chaff::gated{chaff::energy_gate{.tau = 9}, chaff::reverse_sigmoid{}});
  EXPECT_NEAR(y[4] / y[0], plain[4] / plain[0] / 2, 1e-6);
  EXPECT_EQ(answer(chaff::reverse_sigmoid{} | chaff::label_only{}), (std::vector<float>{0, 0, 1, 0, 0}));
}

TEST(Reduced, KeepsTheOutputsLabelWhereThePolicyDoesNotKeepTheModels) {
  const chaff::misdirect defense{.key = chaff::key("303132333435363738393a3b3c3d3e3f")};
  const auto misdirected = answer(defense, {.keep_label = false});
  const std::size_t k = chaff::argmax<float>(misdirected);
  ASSERT_NE(k, 2u);
  EXPECT_EQ(answer(defense | chaff::label_only{}, {.keep_label = false})[k], 1);
}

TEST(Reduced, ReductionsComeBeforeLogarithms) {
  const auto y = answer(chaff::none{} | chaff::top_k{.k = 2}, {.answer = chaff::form::log_probabilities});
  EXPECT_EQ(y[0], -std::numeric_limits<float>::infinity());
  EXPECT_NEAR(std::exp(y[2]) + std::exp(y[3]), 1, 1e-6);
}

TEST(Reduced, AnswersInPlaceAndInBatchesAsAlone) {
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

/// A reduction that reads the row: it writes the model's confidence to the label's entry.
struct confidence_reduction {
  struct for_one_row {
    double confidence;
    void operator()(std::span<float> output, chaff::kept_label kept) const {
      output[kept.index] = static_cast<float>(confidence);
    }
  };
  template <class T>
  for_one_row for_row(const chaff::row<T>& row) const {
    return {row.confidence()};
  }
};

TEST(Reduced, ReductionMayReadTheRowBeforeItIsOverwritten) {
  std::vector<float> y = z;
  const auto defense = chaff::reverse_sigmoid{.beta = 1.5} | confidence_reduction{};
  chaff::apply(defense, y, y);
  EXPECT_FLOAT_EQ(y[2], answer(chaff::none{})[2]);
}

}  // namespace
