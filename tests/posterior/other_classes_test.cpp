// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/posterior/other_classes.hpp>
#include <chaff/posterior/softmax.hpp>

#include <cmath>
#include <random>
#include <vector>

namespace {

template <class T>
class OtherClasses : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(OtherClasses, Numbers);

/// The facts about a row of logits, by plain sums.
template <class T>
chaff::row<T> row_of(const std::vector<T>& z) {
  const auto label = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
  double others = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (i != label) others += std::exp(static_cast<double>(z[i] - z[label]));
  }
  return {z, chaff::form::logits, label, z[label], 1, others};
}

TYPED_TEST(OtherClasses, SumsAreThoseOfALoopOverTheClasses) {
  using T = TypeParam;
  std::mt19937 random(11);
  std::uniform_int_distribution<int> level(-40, 20);
  for (const std::size_t classes : {2u, 7u, 64u, 1000u, 1024u, 1025u, 3000u}) {  // the last two are not held
    std::vector<T> z(classes);
    for (T& each : z) each = static_cast<T>(level(random)) / 4;
    if (classes > 2) z[1] = -std::numeric_limits<T>::infinity();
    const chaff::row<T> row = row_of(z);
    const chaff::detail::other_classes<T> others(row);
    std::vector<T> p;
    for (std::size_t i = 0; i < classes; ++i) {
      if (i != row.label && !row.is_masked(i))
        p.push_back(static_cast<T>(std::exp(static_cast<double>(z[i] - row.label_value)) / row.mass()));
    }
    const double tolerance = 30 * static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto near = [&](double a, long double b, long double scale) {
      EXPECT_NEAR(a, static_cast<double>(b), tolerance * (static_cast<double>(scale) + 1e-3)) << classes;
    };
    EXPECT_FALSE(others.is_empty());
    near(static_cast<double>(others.lowest()), static_cast<double>(*std::min_element(p.begin(), p.end())), 1);
    near(static_cast<double>(others.highest()), static_cast<double>(*std::max_element(p.begin(), p.end())), 1);
    for (int i = 0; i < 12; ++i) {
      // halfway between two levels, since p may differ from the plain one by rounding
      const auto at = [&](int steps) {
        return static_cast<T>(std::exp(steps / 4.0 + 0.125 - static_cast<double>(row.label_value)) / row.mass());
      };
      const T x = at(level(random)), cap = at(level(random));
      double count = 0, last = -1, next = 2, above = 0, capped = 0;
      long double mass = 0, gap = 0, above_mass = 0, capped_mass = 0, capped_cost = 0;
      for (const T each : p) {
        const double d = static_cast<double>(each);
        if (each <= x) {
          ++count;
          mass += d;
          last = std::max(last, d);
        } else {
          ++above;
          above_mass += d;
          next = std::min(next, d);
        }
        if (each <= x && each > cap) {
          ++capped;
          capped_mass += d;
          capped_cost += std::log(d + 1e-6);
        }
      }
      for (const T each : p) {
        if (each <= x) gap += std::log(last + 1e-6) - std::log(static_cast<double>(each) + 1e-6);
      }
      const auto up_to = others.up_to(x);
      EXPECT_EQ(up_to.count, count) << classes;
      near(up_to.mass, mass, mass);
      if (count > 0) near(up_to.gap, gap, 20 * count);
      near(static_cast<double>(up_to.last), last, 1);
      near(static_cast<double>(up_to.next), next, 1);
      const auto over = others.above(x, cap);
      EXPECT_EQ(over.above, above) << classes;
      near(over.above_mass, above_mass, above_mass);
      EXPECT_EQ(over.capped, capped) << classes;
      near(over.capped_mass, capped_mass, capped_mass);
      near(over.capped_cost, capped_cost, 20 * capped);
      near(static_cast<double>(over.last), last, 1);
      near(static_cast<double>(over.next), next, 1);
    }
  }
}

TYPED_TEST(OtherClasses, AreNoneWhereAllButTheLabelAreMasked) {
  const std::vector<TypeParam> z{-std::numeric_limits<TypeParam>::infinity(), 1};
  EXPECT_TRUE(chaff::detail::other_classes<TypeParam>(row_of(z)).is_empty());
}

}  // namespace
