// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>

namespace {

std::vector<double> reduced(std::vector<double> y, std::size_t label, double cutoff) {
  chaff::high_confidence{.cutoff = cutoff}(std::span<double>(y), chaff::kept_label{label, 0});
  return y;
}

TEST(high_confidence, drops_what_is_below_the_cutoff_and_normalises) {
  EXPECT_EQ(reduced({0.5, 0.25, 0.125, 0.125}, 0, 0.25), (std::vector<double>{0.5 / 0.75, 0.25 / 0.75, 0, 0}));
}

TEST(high_confidence, never_answers_a_row_of_zeros) {
  EXPECT_EQ(reduced({0.3, 0.4, 0.3}, 1, 0.9), (std::vector<double>{0, 1, 0}));
}

TEST(high_confidence, is_idempotent) {
  const auto once = reduced({0.5, 0.25, 0.125, 0.125}, 0, 0.25);
  const auto twice = reduced(once, 0, 0.25);
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(twice[i], once[i], 1e-15);
}

TEST(high_confidence, refuses_other_cutoffs) {
  std::vector<float> z{1, 2};
  EXPECT_THROW(chaff::apply(chaff::none{} | chaff::high_confidence{.cutoff = -0.1}, z, z), std::invalid_argument);
  EXPECT_THROW(chaff::apply(chaff::none{} | chaff::high_confidence{.cutoff = 1.1}, z, z), std::invalid_argument);
}

}  // namespace
