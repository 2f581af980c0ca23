// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/monitor.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// 0, 1, ..., n - 1.
std::vector<double> count_to(std::size_t n) {
  std::vector<double> scores(n);
  std::iota(scores.begin(), scores.end(), 0.0);
  return scores;
}

/// The message of what call raises.
template <class E, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// The positive root of exp(theta drift) (1 - theta) = 1, by halving.
long double root_by_halving(long double drift) {
  long double low = 1 - 1 / drift, high = 1;  // the left side rises up to low, then falls to 0
  for (int i = 0; i < 200; ++i) {
    const long double middle = (low + high) / 2;
    (std::exp(middle * drift) * (1 - middle) > 1 ? low : high) = middle;
  }
  return low;
}

TEST(LundbergExponent, HasTheValuesOfTheDesign) {
  EXPECT_NEAR(chaff::detail::lundberg_exponent(2), 0.797, 5e-4);
  EXPECT_NEAR(chaff::detail::lundberg_exponent(1.5), 0.583, 5e-4);
}

TEST(LundbergExponent, IsTheRootFoundByHalving) {
  for (double drift = 1.01; drift <= 20; drift += 0.01) {
    const double expected = static_cast<double>(root_by_halving(drift));
    EXPECT_NEAR(chaff::detail::lundberg_exponent(drift), expected, 1e-12 * expected) << drift;
  }
}

TEST(QueryMonitor, ThresholdIsLundbergsBound) {
  const auto scores = count_to(1000);
  EXPECT_NEAR(chaff::query_monitor(scores).threshold(), std::log(1e7) / 0.7968121300200199, 1e-9);
  const chaff::query_monitor other(scores, {.false_alarms = 0.01, .queries = 500, .drift = 1.5});
  EXPECT_NEAR(other.threshold(), std::log(5e4) / static_cast<double>(root_by_halving(1.5L)), 1e-9);
}

TEST(QueryMonitor, SurpriseCountsBenignScoresAtOrBelow) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> tied(-5, 5);  // so that many scores are equal
  std::vector<double> scores(300);
  for (double& score : scores) score = tied(random);
  scores[7] = -infinity;
  scores[8] = infinity;
  const chaff::query_monitor monitor(scores);
  for (const double score : {-infinity, -6.0, -5.0, -4.5, 0.0, -0.0, 2.0, 5.0, 5.5, infinity}) {
    int rank = 0;
    for (const double benign : scores) rank += benign <= score ? 1 : 0;
    EXPECT_NEAR(monitor.surprise(score), -std::log((rank + 1) / 301.0), 1e-14) << score;
  }
  EXPECT_NEAR(monitor.surprise(-infinity), std::log(301 / 2.0), 1e-14);
  EXPECT_EQ(monitor.surprise(infinity), 0);
}

TEST(QueryMonitor, EvidenceIsTheCumulativeSum) {
  const chaff::query_monitor monitor(count_to(100), {.drift = 1.5});
  std::mt19937 random(2);
  std::uniform_real_distribution<double> score(-1, 40);
  double evidence = 0, expected = 0;
  bool is_flagged = false;
  for (int i = 0; i < 2000 && !is_flagged; ++i) {
    const double next = score(random);
    is_flagged = monitor.update(evidence, next);
    expected = std::max(0.0, expected + std::log(101 / (std::floor(next) + 2)) - 1.5);
    EXPECT_NEAR(evidence, expected, 1e-10);
    EXPECT_EQ(is_flagged, evidence >= monitor.threshold());
  }
  EXPECT_TRUE(is_flagged);
}

TEST(QueryMonitor, FlaggedAccountStaysFlagged) {
  const chaff::query_monitor monitor(count_to(1000));
  double evidence = 0;
  int queries = 1;
  while (!monitor.update(evidence, -1)) ++queries;
  EXPECT_EQ(queries, static_cast<int>(std::ceil(monitor.threshold() / (std::log(1001.0) - 2))));
  const double at_flag = evidence;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(monitor.update(evidence, 1e9));
  EXPECT_EQ(evidence, at_flag);
  EXPECT_TRUE(monitor.is_flagged(evidence));
  double stored = monitor.threshold();
  EXPECT_TRUE(monitor.update(stored, 1e9));
  EXPECT_EQ(stored, monitor.threshold());
}

TEST(QueryMonitor, BadEvidenceIsAnErrorAndStaysAsItIs) {
  const chaff::query_monitor monitor(count_to(100));
  for (const double bad : {-1e-300, -1.0, infinity, -infinity, nan}) {
    double evidence = bad;
    const auto message = message_of<std::invalid_argument>([&] { monitor.update(evidence, -1); });
    EXPECT_NE(message.find("chaff: evidence is "), std::string::npos) << message;
    EXPECT_NE(message.find("allowed is [0, 1.79769e+308]"), std::string::npos) << message;
    EXPECT_TRUE(std::isnan(bad) ? std::isnan(evidence) : evidence >= bad && evidence <= bad);
    EXPECT_THROW(static_cast<void>(monitor.is_flagged(bad)), std::invalid_argument);
  }
  double negative_zero = -0.0, largest = std::numeric_limits<double>::max();
  EXPECT_FALSE(monitor.update(negative_zero, 1e9));
  EXPECT_FALSE(std::signbit(negative_zero));
  EXPECT_TRUE(monitor.update(largest, -1));
}

TEST(QueryMonitor, ScoreThatIsNanIsAnErrorAndLeavesTheEvidence) {
  const chaff::query_monitor monitor(count_to(100));
  double evidence = 3;
  EXPECT_EQ(message_of<std::domain_error>([&] { monitor.update(evidence, nan); }),
            "chaff: score is NaN, allowed is any number");
  EXPECT_EQ(evidence, 3);
  EXPECT_THROW(static_cast<void>(monitor.surprise(nan)), std::domain_error);
  auto scores = count_to(100);
  scores[42] = nan;
  EXPECT_EQ(message_of<std::domain_error>([&] { chaff::query_monitor{scores}; }),
            "chaff: benign_scores[42] is NaN, allowed is any number");
}

TEST(QueryMonitor, OptionOutOfItsRangeIsAnErrorThatNamesIt) {
  const auto scores = count_to(1000);
  const auto message = [&](const chaff::monitor_options& options) {
    return message_of<std::invalid_argument>([&] { chaff::query_monitor(scores, options); });
  };
  EXPECT_EQ(message({.false_alarms = 0}), "chaff: false_alarms is 0, allowed is [1e-12, 0.5]");
  EXPECT_EQ(message({.false_alarms = 1}), "chaff: false_alarms is 1, allowed is [1e-12, 0.5]");
  EXPECT_EQ(message({.false_alarms = nan}), "chaff: false_alarms is nan, allowed is [1e-12, 0.5]");
  EXPECT_EQ(message({.queries = 0}), "chaff: queries is 0, allowed is [1, 1e+12]");
  EXPECT_EQ(message({.queries = -5}), "chaff: queries is -5, allowed is [1, 1e+12]");
  EXPECT_EQ(message({.queries = infinity}), "chaff: queries is inf, allowed is [1, 1e+12]");
  EXPECT_EQ(message({.drift = 1}), "chaff: drift is 1, allowed is [1.01, 20]");
  EXPECT_EQ(message({.drift = 21}), "chaff: drift is 21, allowed is [1.01, 20]");
}

TEST(QueryMonitor, TooFewBenignScoresAreAnErrorThatSaysHowManyAreNeeded) {
  const auto scores = count_to(2000);
  const auto first = [&](std::size_t n) { return std::span<const double>(scores).first(n); };
  EXPECT_EQ(message_of<std::invalid_argument>([&] { chaff::query_monitor{first(0)}; }),
            "chaff: benign_scores is empty, allowed is 1 score or more");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { chaff::query_monitor{first(6)}; }),
            "chaff: 6 benign_scores flag no account within 10000 queries: drift 2 needs 7 benign scores or more");
  for (const chaff::monitor_options& options :
       {chaff::monitor_options{}, {.drift = 1.5}, {.queries = 20}, {.false_alarms = 0.5, .queries = 2}, {.drift = 5}}) {
    // the fewest scores with which queries that are all below the benign ones flag an account in time
    std::size_t fewest = 1;
    const double threshold = chaff::query_monitor(scores, options).threshold();
    while ((std::log(static_cast<double>(fewest) + 1) - options.drift) * options.queries < threshold) ++fewest;
    EXPECT_NE(message_of<std::invalid_argument>([&] {
                chaff::query_monitor{first(fewest - 1), options};
              }).find(" needs " + std::to_string(fewest) + " benign scores or more"),
              std::string::npos)
        << fewest;
    const chaff::query_monitor monitor(first(fewest), options);
    double evidence = 0;
    int queries = 1;
    while (!monitor.update(evidence, -1)) ++queries;
    EXPECT_LE(queries, options.queries + 1) << "rounding of the sum may take one query more";
  }
}

TEST(QueryMonitor, EqualBenignScoresAreNeverSurprising) {
  const chaff::query_monitor monitor(std::vector<double>(50, 1.0));
  EXPECT_EQ(monitor.surprise(1), 0);
  EXPECT_NEAR(monitor.surprise(0.5), std::log(51.0), 1e-14);
}

/// The surprises of a million benign accounts are exponential with mean 1, which is the largest that theory lets them
/// be. The bound is close: with few queries, the share that is flagged is below it, and above a fiftieth of it.
TEST(QueryMonitor, FalseAlarmsOfAMillionBenignAccountsKeepTheBound) {
  constexpr int accounts = 1'000'000;
  for (const chaff::monitor_options& options : {chaff::monitor_options{.false_alarms = 0.05, .queries = 20},
                                                {.false_alarms = 0.01, .queries = 20, .drift = 1.5}}) {
    const double threshold = chaff::query_monitor(count_to(1000), options).threshold();
    std::mt19937_64 random(3);
    int flagged = 0;
    for (int account = 0; account < accounts; ++account) {
      double evidence = 0;
      for (int query = 0; query < 20 && evidence < threshold; ++query) {
        const double uniform = (static_cast<double>(random() >> 11) + 1) * 0x1p-53;
        evidence = std::max(0.0, evidence - std::log(uniform) - options.drift);
      }
      flagged += evidence >= threshold ? 1 : 0;
    }
    EXPECT_LE(flagged, options.false_alarms * accounts);
    EXPECT_GE(flagged, options.false_alarms * accounts / 50);
  }
}

/// Accounts whose scores are drawn from those that the monitor was made of.
TEST(QueryMonitor, FalseAlarmsOfItsOwnScoresKeepTheBound) {
  const auto scores = count_to(1000);
  const chaff::query_monitor monitor(scores, {.false_alarms = 0.05, .queries = 50});
  std::mt19937_64 random(4);
  int flagged = 0;
  for (int account = 0; account < 20'000; ++account) {
    double evidence = 0;
    for (int query = 0; query < 50; ++query) monitor.update(evidence, scores[random() % 1000]);
    flagged += monitor.is_flagged(evidence) ? 1 : 0;
  }
  EXPECT_LE(flagged, 1000);
  EXPECT_GE(flagged, 1);
}

/// Wald: the evidence at the flag is (mean surprise - drift) times the mean number of queries, where no query brings
/// the evidence to 0.
TEST(QueryMonitor, DelayIsThresholdAndOvershootOverTheMeanStep) {
  const auto scores = count_to(10'000);
  const chaff::query_monitor monitor(scores);
  std::mt19937_64 random(5);
  for (const std::uint64_t lowest : {3u, 30u, 300u}) {  // queries among the lowest so many of 10,000 scores
    double mean_surprise = 0;
    for (std::uint64_t i = 0; i < lowest; ++i) mean_surprise += -std::log((static_cast<double>(i) + 2) / 10'001);
    mean_surprise /= static_cast<double>(lowest);
    double queries = 0, overshoot = 0;
    constexpr int accounts = 20'000;
    for (int account = 0; account < accounts; ++account) {
      double evidence = 0;
      do queries += 1;
      while (!monitor.update(evidence, static_cast<double>(random() % lowest)));
      overshoot += evidence - monitor.threshold();
    }
    overshoot /= accounts;
    EXPECT_LE(overshoot, std::log(10'001.0) - 2);
    EXPECT_NEAR(queries / accounts, (monitor.threshold() + overshoot) / (mean_surprise - 2), 0.02) << lowest;
  }
}

}  // namespace
