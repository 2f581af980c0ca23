// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/apply.hpp>
#include <chaff/concepts.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/reductions/rounded.hpp>
#include <numeric>
#include <random>

namespace {

template <class T>
std::vector<T> reduced(std::vector<T> y, std::size_t label, int decimals, double margin = 0) {
  chaff::rounded{.decimals = decimals}(std::span<T>(y), chaff::kept_label{label, margin});
  return y;
}

/// The entries of an output in units. Fails where an entry is not the number of T nearest to a whole count of units.
template <class T>
std::vector<long> counts(const std::vector<T>& y, int decimals) {
  const double units = std::pow(10.0, decimals);
  std::vector<long> n;
  for (const T v : y) {
    n.push_back(std::lround(static_cast<double>(v) * units));
    EXPECT_EQ(v, static_cast<T>(static_cast<double>(n.back()) / units));
  }
  return n;
}

TEST(Rounded, GivesMissingUnitsToTheLargestRemainders) {
  EXPECT_EQ(counts(reduced<double>({0.426, 0.247, 0.327}, 0, 2), 2), (std::vector<long>{42, 25, 33}));
  EXPECT_EQ(counts(reduced<float>({0.35f, 0.33f, 0.32f}, 0, 1), 1), (std::vector<long>{4, 3, 3}));
}

TEST(Rounded, KeepsTheLabelStrictlyFirstWherePlainRoundingTies) {
  EXPECT_EQ(counts(reduced<double>({0.48, 0.52}, 1, 1), 1), (std::vector<long>{4, 6}));
  EXPECT_EQ(counts(reduced<double>({0.501, 0.499}, 0, 2), 2), (std::vector<long>{51, 49}));
  EXPECT_EQ(counts(reduced<double>({0.34, 0.33, 0.33}, 0, 0), 0), (std::vector<long>{1, 0, 0}));
  // ten units for 20 flat classes: the label has 1 by its remainder, and needs 2
  const auto flat = counts(reduced(std::vector<float>(20, 0.05f), 13, 1), 1);
  EXPECT_EQ(*std::max_element(flat.begin(), flat.end()), flat[13]);
  EXPECT_EQ(std::count(flat.begin(), flat.end(), flat[13]), 1);
  EXPECT_EQ(std::accumulate(flat.begin(), flat.end(), 0l), 10);
  EXPECT_EQ(flat[13], 2) << "the label has no more than it needs";
}

TEST(Rounded, GivesNoUnitToAClassOfZero) {
  EXPECT_EQ(counts(reduced<float>({0.5f, 0, 0.5f}, 0, 2), 2), (std::vector<long>{51, 0, 49}));
}

TEST(Rounded, GivesTheLabelItsMargin) {
  const auto n = counts(reduced<double>({0.4, 0.35, 0.25}, 0, 2, 0.195), 2);
  EXPECT_EQ(n, (std::vector<long>{47, 27, 26})) << "no nearer row leads by 19.5 units";
  EXPECT_EQ(counts(reduced<float>({0.4f, 0.35f, 0.25f}, 2, 3, 1), 3), (std::vector<long>{0, 0, 1000}));
}

/// Largest remainders by sorting, in long double, for rows whose label leads by more than two units.
template <class T>
void expect_agreement_with_sorting() {
  std::mt19937 random(3);
  std::exponential_distribution<double> draw(1);
  int compared = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const int decimals = static_cast<int>(random() % 5);
    const long units = std::lround(std::pow(10.0, decimals));
    std::vector<T> y(trial % 10 == 0 ? 1000 + random() % 2000 : 2 + random() % 100);  // some longer than the buffers
    for (T& v : y) v = static_cast<T>(std::pow(draw(random), 3));
    const std::size_t label = static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin());
    long double sum = 0;
    for (const T v : y) sum += static_cast<long double>(v);
    for (T& v : y) v = static_cast<T>(static_cast<long double>(v) / sum);
    sum = 0;
    for (const T v : y) sum += static_cast<long double>(v);

    std::vector<long> expected(y.size());
    std::vector<long double> remainder(y.size());
    long missing = units;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const long double exact = static_cast<long double>(y[i]) / sum * static_cast<long double>(units);
      expected[i] = static_cast<long>(exact);
      remainder[i] = exact - static_cast<long double>(expected[i]);
      missing -= expected[i];
    }
    std::vector<std::size_t> order(y.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return remainder[i] > remainder[j]; });
    for (long i = 0; i < missing; ++i) ++expected[order[static_cast<std::size_t>(i)]];

    const auto found = counts(reduced(y, label, decimals), decimals);
    ASSERT_EQ(std::accumulate(found.begin(), found.end(), 0l), units);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_TRUE(i == label || found[i] < found[label]);
    long second = 0;
    for (std::size_t i = 0; i < y.size(); ++i) second = std::max(second, i == label ? 0 : expected[i]);
    if (expected[label] > second) {
      ASSERT_EQ(found, expected);
      ++compared;
    }
    ASSERT_EQ(counts(reduced(reduced(y, label, decimals), label, decimals), decimals), found) << "rounded twice";
  }
  EXPECT_GT(compared, 300);
}

TEST(Rounded, IsLargestRemainderRounding) {
  expect_agreement_with_sorting<float>();
  expect_agreement_with_sorting<double>();
}

TEST(Rounded, MovesNoMoreThanTheLeadNeeds) {
  // brute force: of all counts of four classes that sum to 10, with the label ahead and 0 for a class of 0, none is
  // nearer in L1
  std::mt19937 random(9);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> y(4);
    const unsigned steps = trial % 2 == 0 ? 1000 : 5;  // with few steps, many entries lie on the grid
    for (double& v : y) v = static_cast<double>(random() % steps);
    std::size_t label = random() % 4;
    if (trial % 4 < 2) label = static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin());
    y[label] += 1;
    const double lead = trial % 3 == 0 ? 1 : trial % 3 == 1 ? 2 : 5;
    const double sum = y[0] + y[1] + y[2] + y[3];
    for (double& v : y) v /= sum;
    const auto distance = [&](const std::vector<double>& n) {
      double d = 0;
      for (std::size_t i = 0; i < 4; ++i) d += std::abs(n[i] - 10 * y[i]);
      return d;
    };
    double nearest = 90;
    for (int code = 0; code < 11 * 11 * 11; ++code) {
      const int a = code % 11, b = code / 11 % 11, c = code / 121;
      if (a + b + c > 10) continue;
      const std::vector<double> n{double(a), double(b), double(c), double(10 - a - b - c)};
      bool ahead = true;
      for (std::size_t other = 0; other < 4; ++other) {
        ahead &= other == label || n[other] + lead <= n[label];
        ahead &= y[other] > 0 || n[other] == 0;
      }
      if (ahead) nearest = std::min(nearest, distance(n));
    }
    std::vector<double> found = reduced(y, label, 1, lead > 1 ? (lead - 0.5) / 10 : 0);
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_TRUE(y[i] > 0 || found[i] == 0);
      found[i] *= 10;
    }
    ASSERT_NEAR(distance(found), nearest, 1e-12) << testing::PrintToString(y) << ", label " << label << ", lead "
                                                 << lead << ": " << testing::PrintToString(found);
  }
}

/// The least L1 distance, in units, of a row on the grid in which the label leads by `lead` units: for each count of
/// the label, the others are cut, and then the missing units are given or taken where that costs least, one by one.
double least_distance(const std::vector<double>& exact, std::size_t label, long units, long lead) {
  double least = std::numeric_limits<double>::infinity();
  for (long count = lead; count <= units; ++count) {
    std::vector<long> n(exact.size());
    std::vector<double> gain;  // of each unit that may be given, in the order in which a class takes them
    long missing = units - count;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (i == label) continue;
      n[i] = std::min(static_cast<long>(exact[i]), count - lead);
      missing -= n[i];
      if (n[i] < count - lead && exact[i] > 0) gain.push_back(exact[i] - static_cast<double>(n[i]));
    }
    double distance = std::abs(static_cast<double>(count) - exact[label]);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (i != label) distance += exact[i] - static_cast<double>(n[i]);
    }
    if (missing > static_cast<long>(gain.size())) continue;
    std::sort(gain.rbegin(), gain.rend());
    for (long i = 0; i < missing; ++i) distance += 1 - 2 * gain[static_cast<std::size_t>(i)];
    if (missing < 0) distance -= static_cast<double>(missing);  // a unit less is a unit farther
    least = std::min(least, distance);
  }
  return least;
}

TEST(Rounded, MovesNoMoreThanTheLeadNeedsInLongRows) {
  std::mt19937 random(21);
  std::exponential_distribution<double> draw(1);
  for (int trial = 0; trial < 60; ++trial) {
    const long units = trial % 2 == 0 ? 100 : 1000, lead = trial % 3 == 0 ? 1 : static_cast<long>(random() % 40) + 2;
    std::vector<double> y(trial % 5 == 0 ? 1025 + random() % 1500 : 3 + random() % 300);
    for (double& v : y) v = random() % 8 == 0 ? 0 : std::pow(draw(random), trial % 4 + 1);
    const std::size_t label = static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin());
    y[(label + 1) % y.size()] = y[label];  // a tie for the first place
    const double sum = std::accumulate(y.begin(), y.end(), 0.0);
    for (double& v : y) v /= sum;
    const auto n = counts(reduced(y, label, units == 100 ? 2 : 3,
                                  lead > 1 ? (static_cast<double>(lead) - 0.5) / static_cast<double>(units) : 0),
                          units == 100 ? 2 : 3);
    std::vector<double> exact(y);
    for (double& v : exact) v *= static_cast<double>(units);
    double distance = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      ASSERT_TRUE(i == label || n[i] + lead <= n[label]);
      ASSERT_TRUE(y[i] > 0 || n[i] == 0);
      distance += std::abs(static_cast<double>(n[i]) - exact[i]);
    }
    ASSERT_EQ(std::accumulate(n.begin(), n.end(), 0l), units);
    ASSERT_NEAR(distance, least_distance(exact, label, units, lead), 1e-5) << trial;
  }
}

TEST(Rounded, RefusesDecimalsOutOfRange) {
  for (const int decimals : {-1, 8}) {
    std::vector<float> z{1, 2};
    EXPECT_THROW(chaff::apply(chaff::none{} | chaff::rounded{.decimals = decimals}, z, z), std::invalid_argument);
    EXPECT_EQ(z, (std::vector<float>{0, 0})) << "the output is zeroed";
  }
}

}  // namespace
