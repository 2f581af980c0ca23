// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/reductions/label_only.hpp>

namespace {

TEST(LabelOnly, IsOneHotOnEveryRowOfABatch) {
  const std::vector<float> z{1, 3, 2, 5, 5, 0, -1, -2, -3};
  std::vector<float> y(z.size());
  chaff::apply_rows(chaff::dcp{.beta = 1.2} | chaff::label_only{}, z, 3, y);
  EXPECT_EQ(y, (std::vector<float>{0, 1, 0, 1, 0, 0, 1, 0, 0}));
}

TEST(LabelOnly, OfSingleSigmoidsIsOneOrZero) {
  const std::vector<double> z{2, -0.5, 1e-9};
  std::vector<double> y(z.size());
  chaff::apply_rows(chaff::none{} | chaff::label_only{}, z, 1, y);
  EXPECT_EQ(y, (std::vector<double>{1, 0, 1}));
}

}  // namespace
