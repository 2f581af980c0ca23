// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <algorithm>
#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/gates/confidence_gate.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/misdirect.hpp>
#include <chaff/policy.hpp>
#include <chaff/posterior/argmax.hpp>
#include <map>
#include <random>
#include <set>
#include <string>

#include "support/statistics.hpp"

namespace {

const chaff::key key("202122232425262728292a2b2c2d2e2f");
constexpr chaff::policy any_label{.keep_label = false};

/// pi of each class, found by applying the defense.
std::vector<std::size_t> derangement(std::size_t classes, const chaff::key& secret) {
  std::vector<std::size_t> pi;
  for (std::size_t k = 0; k < classes; ++k) {
    std::vector<float> z(classes, 0.0f), y(classes);
    z[k] = 5;
    chaff::apply(chaff::misdirect{.key = secret}, z, y, any_label);
    pi.push_back(chaff::argmax<float>(y));
  }
  return pi;
}

TEST(Misdirect, IsOneCycleThroughAllClasses) {
  for (std::size_t classes = 2; classes < 300; classes += classes < 40 ? 1 : 43) {
    const auto pi = derangement(classes, key);
    std::size_t at = 0, steps = 0;
    do {
      ASSERT_NE(pi[at], at);
      at = pi[at];
      ++steps;
    } while (at != 0 && steps <= classes);
    ASSERT_EQ(steps, classes);
  }
}

TEST(Misdirect, IsDrawnUniformlyByTheKey) {
  std::map<std::vector<std::size_t>, double> counts;
  const int draws = 3000;
  for (int i = 0; i < draws; ++i) {
    char hex[33];
    std::snprintf(hex, sizeof hex, "%032x", i);
    ++counts[derangement(4, chaff::key(hex))];
  }
  ASSERT_EQ(counts.size(), 6u) << "all cycles of four classes";
  std::vector<double> observed;
  for (const auto& [cycle, count] : counts) observed.push_back(count);
  EXPECT_LT(chi_square(observed, std::vector<double>(6, draws / 6.0)), 20.52) << "5 degrees of freedom, p = 0.001";
}

TEST(Misdirect, ExchangesTwoEntriesInTheSameWayForAllQueries) {
  const auto pi = derangement(8, key);
  std::mt19937 random(1);
  std::normal_distribution<double> draw(0, 2);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> z(8), p(8), y(8);
    for (double& v : z) v = draw(random);
    chaff::apply(chaff::none{}, z, p, any_label);
    chaff::apply(chaff::misdirect{.key = key}, z, y, any_label);
    const std::size_t k = chaff::argmax<double>(z);
    std::swap(p[k], p[pi[k]]);
    for (std::size_t i = 0; i < 8; ++i) ASSERT_NEAR(y[i], p[i], 1e-15);
  }
}

TEST(Misdirect, SkipsMaskedClasses) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto pi = derangement(9, key);
  for (std::size_t masked = 0; masked < 9; ++masked) {
    for (std::size_t k = 0; k < 9; ++k) {
      if (k == masked) continue;
      std::vector<float> z(9, 0.0f), y(9);
      z[k] = 5;
      z[masked] = -infinity;
      chaff::apply(chaff::misdirect{.key = key}, z, y, any_label);
      EXPECT_EQ(y[masked], 0);
      EXPECT_EQ(chaff::argmax<float>(y), pi[k] == masked ? pi[masked] : pi[k]);
    }
  }
  std::vector<float> alone{-infinity, 3, -infinity};
  chaff::apply(chaff::misdirect{.key = key}, alone, alone, any_label);
  EXPECT_EQ(alone, (std::vector<float>{0, 1, 0}));
}

TEST(Misdirect, SkipsMaskedClassesOfLongRows) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const std::size_t classes : {17u, 128u, 257u, 400u}) {
    const auto pi = derangement(classes, key);
    std::mt19937 random(3);
    for (int trial = 0; trial < 50; ++trial) {
      std::vector<float> z(classes, 0.0f), y(classes);
      const std::size_t k = random() % classes, every = 1 + random() % 5;
      for (std::size_t i = 0; i < classes; ++i) {
        if (random() % every == 0) z[i] = -infinity;
      }
      z[k] = 5;
      std::size_t expected = pi[k];
      while (z[expected] == -infinity) expected = pi[expected];
      chaff::apply(chaff::misdirect{.key = key}, z, y, any_label);
      ASSERT_EQ(chaff::argmax<float>(y), expected) << classes;
    }
  }
}

TEST(Misdirect, OrdersClassesOfOneWordByIndex) {
  // a row of so many classes has some of one word; each class is followed by the next of the sorted words and indices
  const std::size_t classes = 150000;
  const auto random = chaff::detail::keyed_noise(key, chaff::detail::noise_purpose::derangement).in_bulk();
  std::vector<std::pair<std::uint32_t, std::size_t>> order;
  for (std::size_t from = 0; from < classes; from += 128) {
    std::uint32_t words[128];
    random.fill(from / 128, words);
    for (std::size_t i = from; i < std::min(classes, from + 128); ++i) order.emplace_back(words[i - from], i);
  }
  std::sort(order.begin(), order.end());
  std::size_t ties = 0;
  std::vector<float> z(classes, 0.0f), y(classes);
  for (std::size_t at = 0; at < classes; ++at) {
    const std::size_t next = (at + 1) % classes;
    if (order[at].first != order[next].first && at % 10000 != 0 && at + 1 < classes) continue;
    ties += order[at].first == order[next].first;
    for (const std::size_t from : {at, (at + classes - 1) % classes, next}) {
      z[order[from].second] = 5;
      chaff::apply(chaff::misdirect{.key = key}, z, y, any_label);
      ASSERT_EQ(chaff::argmax<float>(y), order[(from + 1) % classes].second) << at;
      z[order[from].second] = 0;
    }
  }
  EXPECT_GT(ties, 0u);
}

TEST(Misdirect, OfASingleSigmoidIsTheOtherOutcome) {
  std::vector<double> z{2.0}, y(1);
  chaff::apply(chaff::misdirect{.key = key}, z, y, any_label);
  EXPECT_NEAR(y[0], 1 / (1 + std::exp(2.0)), 1e-15);
}

TEST(Misdirect, BehindAGateKeepsTheLabelsOfConfidentRows) {
  const chaff::gated defense{chaff::confidence_gate{.tau = 0.7}, chaff::misdirect{.key = key}};
  const std::vector<float> confident{9, 0, 0}, unsure{1, 0, 0};
  std::vector<float> y(3);
  chaff::apply(defense, confident, y, any_label);
  EXPECT_EQ(chaff::argmax<float>(y), 0u);
  chaff::apply(defense, unsure, y, any_label);
  EXPECT_NE(chaff::argmax<float>(y), 0u);
}

TEST(Misdirect, SaysWhatToSetWhereThePolicyKeepsLabels) {
  std::vector<float> z{1, 2}, y(2, 7.0f);
  const chaff::gated defense{chaff::energy_gate{.tau = 5}, chaff::misdirect{.key = key}};
  for (int binding = 0; binding < 2; ++binding) {
    try {
      if (binding) {
        static_cast<void>(chaff::defend([&] { return z; }, defense));
      } else {
        chaff::apply(defense, z, y);
      }
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("set policy.keep_label = false"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(y, std::vector<float>(2, 0.0f));
}

}  // namespace
