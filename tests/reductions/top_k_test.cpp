// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/reductions/top_k.hpp>
#include <numeric>
#include <random>

namespace {

template <class T>
std::vector<T> reduced(std::vector<T> y, std::size_t label, std::size_t k) {
  chaff::top_k{.k = k}(std::span<T>(y), chaff::kept_label{label, 0});
  return y;
}

TEST(TopK, KeepsTheLargestAndTheLowestIndicesOfEqualOnes) {
  const auto y = reduced<double>({0.1, 0.4, 0.2, 0.2, 0.1}, 1, 2);
  EXPECT_EQ(y[0], 0);
  EXPECT_NEAR(y[1], 2.0 / 3, 1e-15);
  EXPECT_NEAR(y[2], 1.0 / 3, 1e-15);
  EXPECT_EQ(y[3], 0);
}

TEST(TopK, KeepsALabelThatIsNotAmongTheLargest) {
  const auto y = reduced<double>({0.1, 0.5, 0.4}, 0, 2);
  EXPECT_GT(y[0], y[1]);
  EXPECT_GT(y[1], 0);
  EXPECT_EQ(y[2], 0);
}

TEST(TopK, OfAllClassesLeavesTheOutput) {
  const std::vector<float> y{0.3f, 0.6f, 0.2f};  // not even normalised
  EXPECT_EQ(reduced(y, 1, 3), y);
  EXPECT_EQ(reduced(y, 1, 100), y);
}

template <class T>
void expect_agreement_with_sorting() {
  std::mt19937 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t classes = 2 + random() % 300, k = 1 + random() % (classes - 1);
    std::vector<T> y(classes);
    for (T& v : y) v = static_cast<T>(random() % 50) * static_cast<T>(trial % 2 ? 1 : 1e-5);  // ties and zeros
    const std::size_t label = static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin());
    if (y[label] == 0) continue;
    const T sum = std::accumulate(y.begin(), y.end(), T(0));
    for (T& v : y) v /= sum;
    std::vector<std::size_t> order(classes);
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return y[i] > y[j]; });
    std::vector<bool> stays(classes);
    long double mass = 0;
    for (std::size_t i = 0; i < k; ++i) {
      stays[order[i]] = true;
      mass += static_cast<long double>(y[order[i]]);
    }
    const auto found = reduced(y, label, k);
    for (std::size_t i = 0; i < classes; ++i) {
      const double expected = stays[i] ? static_cast<double>(static_cast<long double>(y[i]) / mass) : 0;
      ASSERT_NEAR(static_cast<double>(found[i]), expected, 20 * static_cast<double>(std::numeric_limits<T>::epsilon()));
      ASSERT_EQ(found[i] > 0, stays[i] && y[i] > 0);
      ASSERT_TRUE(i == label || found[i] < found[label]);
    }
  }
}

TEST(TopK, AgreesWithSorting) {
  expect_agreement_with_sorting<float>();
  expect_agreement_with_sorting<double>();
}

TEST(TopK, RefusesAKOfZero) {
  std::vector<float> z{1, 2};
  EXPECT_THROW(chaff::apply(chaff::none{} | chaff::top_k{.k = 0}, z, z), std::invalid_argument);
  EXPECT_EQ(z, (std::vector<float>{0, 0})) << "the output is zeroed";
}

}  // namespace
