// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/reductions/high_confidence.hpp>

namespace {

std::vector<double> reduced(std::vector<double> y, std::size_t label, double cutoff) {
  chaff::high_confidence{.cutoff = cutoff}(std::span<double>(y), chaff::kept_label{label, 0});
  return y;
}

TEST(HighConfidence, DropsEntriesBelowTheCutoffAndNormalises) {
  EXPECT_EQ(reduced({0.5, 0.25, 0.125, 0.125}, 0, 0.25), (std::vector<double>{0.5 / 0.75, 0.25 / 0.75, 0, 0}));
}

TEST(HighConfidence, KeepsTheLabelSoThatNoRowIsAllZeros) {
  EXPECT_EQ(reduced({0.3, 0.4, 0.3}, 1, 0.9), (std::vector<double>{0, 1, 0}));
}

TEST(HighConfidence, IsIdempotent) {
  const auto once = reduced({0.5, 0.25, 0.125, 0.125}, 0, 0.25);
  const auto twice = reduced(once, 0, 0.25);
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(twice[i], once[i], 1e-15);
}

TEST(HighConfidence, RefusesACutoffOutOfRange) {
  for (const double cutoff : {-0.1, 1.1, std::nan("")}) {
    std::vector<float> z{1, 2};
    EXPECT_THROW(chaff::apply(chaff::none{} | chaff::high_confidence{.cutoff = cutoff}, z, z), std::invalid_argument);
    EXPECT_EQ(z, (std::vector<float>{0, 0})) << "the output is zeroed";
  }
}

}  // namespace
