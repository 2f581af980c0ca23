// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/softmax.hpp>

#include "support/hostile_rows.hpp"
#include "support/reference.hpp"

namespace {

template <class T>
void agrees_with_long_double() {
  for (const std::size_t classes : hostile_sizes) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      const auto exact = reference::softmax(z);
      std::vector<T> p(classes);
      chaff::softmax<T>(std::span<const T>(z), std::span<T>(p));
      std::vector<T> in_place = z;
      chaff::softmax<T>(std::span<const T>(in_place), std::span<T>(in_place));
      ASSERT_EQ(p, in_place);
      for (std::size_t i = 0; i < classes; ++i) {
        const double expected = static_cast<double>(exact[i]);
        if (expected < 2 * static_cast<double>(std::numeric_limits<T>::min())) {
          ASSERT_LE(static_cast<double>(p[i]), 4 * static_cast<double>(std::numeric_limits<T>::min()));
        } else {
          ASSERT_NEAR(static_cast<double>(p[i]) / expected, 1,
                      25 * static_cast<double>(std::numeric_limits<T>::epsilon()))
              << name << ", K " << classes << ", class " << i;
        }
      }
    }
  }
}
TEST(softmax, agrees_with_long_double) {
  agrees_with_long_double<float>();
  agrees_with_long_double<double>();
}

TEST(softmax, refuses_what_has_no_posterior) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> z{0, bad, 1}, p(3);
    EXPECT_THROW(chaff::softmax<float>(z, p), std::domain_error);
  }
  std::vector<float> z(3, -infinity), p(3);
  EXPECT_THROW(chaff::softmax<float>(z, p), std::domain_error);
}

TEST(row, tells_confidence_energy_and_log_odds) {
  const std::vector<double> z{1, 3, -2, 0.5};
  chaff::row<double> seen{};
  ASSERT_EQ(chaff::observe<double>(z, chaff::form::logits, seen), chaff::fault::none);
  double sum = 0;
  for (const double x : z) sum += std::exp(x);
  const double p = std::exp(3) / sum;
  EXPECT_EQ(seen.label, 1u);
  EXPECT_NEAR(seen.confidence(), p, 1e-15);
  EXPECT_NEAR(seen.log_sum_exp(), std::log(sum), 1e-14);
  EXPECT_NEAR(seen.label_log_odds(), std::log(p / (1 - p)), 1e-13);
  EXPECT_NEAR(seen.posterior(3), std::exp(0.5) / sum, 1e-15);
}

}  // namespace
