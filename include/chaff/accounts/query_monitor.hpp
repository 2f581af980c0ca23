// SPDX-License-Identifier: MIT
/// Detects an account that queries a model as attackers do: a CUSUM test on the scores of its queries.
#ifndef CHAFF_ACCOUNTS_QUERY_MONITOR_HPP
#define CHAFF_ACCOUNTS_QUERY_MONITOR_HPP

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "chaff/error.hpp"
#include "chaff/simd/logarithm.hpp"

CHAFF_BEGIN

namespace chaff {

/// How often a query_monitor may flag benign accounts, and how fast it forgets.
struct monitor_options {
  /// The largest share of benign accounts that are flagged within `queries` queries, in [1e-12, 0.5].
  double false_alarms = 1e-3;

  /// The number of queries of one account for which false_alarms holds, in [1, 1e12].
  double queries = 10000;

  /// What each query takes from the evidence, in [1.01, 20]. A benign query adds 1 on average, so that the evidence of
  /// a benign account stays near 0. An account is flagged sooner or later if the mean surprise of its queries is above
  /// the drift. A smaller drift finds attackers who mix more benign queries in, has a higher threshold, and needs more
  /// benign scores.
  double drift = 2;
};

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// The positive root theta of exp(theta drift) (1 - theta) = 1, for a drift above 1.
/// With it, exp(theta (s - drift)) has mean 1 for an s that is exponential with mean 1: Lundberg's exponent.
/// Range: (1 - 1/drift, 1).
/// Error: 1e-12, relative (against a root in long double, tested).
inline double lundberg_exponent(double drift) {
  // Newton's method on theta drift + log(1 - theta), which is concave: from the right of the root it only falls
  double theta = 1 - simd::exp_nonpositive<double>(simd::broadcast(-drift))[0];
  for (int i = 0; i < 100; ++i) {
    const double next = theta - (theta * drift + simd::log_of(1 - theta)) / (drift - 1 / (1 - theta));
    if (!(next < theta)) break;
    theta = next;
  }
  return theta;
}

/// What is wrong with the options of a monitor, or nothing.
inline parameter_error check_options(const monitor_options& options) {
  return check_ranges(parameter_range{"false_alarms", options.false_alarms, 1e-12, 0.5},
                      parameter_range{"queries", options.queries, 1, 1e12},
                      parameter_range{"drift", options.drift, 1.01, 20});
}

/// Raises the error of a score that is not a number.
[[gnu::cold]] inline void check_score(double score) {
  if (simd::is_nan(score)) fail<std::domain_error>("chaff: score is NaN, allowed is any number");
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Detects accounts that query a model as attackers do, from the scores of their queries: numbers that are small where
/// a query is suspicious, such as those of an energy_gate or a confidence_gate.
///
/// The state of an account is one number, its evidence, which the caller owns: 0 for a new account. After each query
/// it is max(0, evidence + surprise - drift), and the account is flagged once it reaches the threshold. This is a
/// CUSUM test (Page 1954) with one parameter, drift.
/// Formula: surprise = log((n + 1) / (rank + 1)), rank = the number of the n benign scores at or below the score;
/// threshold = log(queries / false_alarms) / theta, theta > 0 with exp(theta drift) (1 - theta) = 1.
/// theta is 0.797 at drift 2 and 0.583 at 1.5, so the threshold is 20.2 and 27.7 with the other options as they are.
///
/// False alarms: the surprise of a benign query is at most exponential with mean 1, so that by Lundberg's bound at most
/// a share false_alarms of benign accounts is flagged within `queries` independent queries. The bound is about benign
/// users as they are in benign_scores. Not independent are queries that repeat: an account that sends one unusual
/// query again and again is flagged.
///
/// Delay: an account whose queries have a mean surprise of m > drift is flagged after about
/// (threshold + overshoot) / (m - drift) queries; the overshoot is at most the largest step, log(n + 1) - drift. At the
/// default options these are 4 queries for m = 8, 11 for m = 4, and 41 for m = 2.5.
///
/// Few benign scores: the surprise is at most log(n + 1), so each query adds at most log(n + 1) - drift. It takes
/// benign scores of more than exp(drift + threshold / queries) - 1 for an account to be flagged within its queries; the
/// constructor refuses fewer: 7 are needed at the default options. n = 100 adds at most 2.6 a query, 1000 at most 4.9.
/// A monitor of few scores takes its own sample's rarest scores for all that there are. Over many samples, the factor
/// by which the chance of a false alarm differs from the bound is, at drift 2, below 1 in 95 % of samples from n = 50
/// on. At drift 1.5 it is below 1.5 in 90 % of samples, and in 95 % below 11 for n = 100, 4 for 500, 3.2 for 1000 and
/// 1.8 for 10,000.
///
/// Throws: the constructor, std::invalid_argument for an option out of its range, no benign scores or too few;
/// std::domain_error for a benign score that is NaN. Infinities are scores like others.
/// Allocates: the benign scores, where it is made and copied; a call allocates nothing. Many threads may share one.
/// Source: Page 1954, "Continuous inspection schemes"; Lorden 1971, "Procedures for reacting to a change in
/// distribution"; for Lundberg's inequality, Asmussen 2000, "Ruin Probabilities".
class query_monitor {
 public:
  /// From the scores of benign queries that the model was not trained on.
  explicit query_monitor(std::span<const double> benign_scores, const monitor_options& options = {})
      : options_(options), benign_scores_(benign_scores.begin(), benign_scores.end()) {
    detail::raise(detail::check_options(options));
    if (benign_scores.empty()) {
      detail::fail<std::invalid_argument>("chaff: benign_scores is empty, allowed is 1 score or more");
    }
    for (std::size_t i = 0; i < benign_scores.size(); ++i) {
      if (simd::is_nan(benign_scores[i])) {
        detail::fail<std::domain_error>("chaff: benign_scores[%zu] is NaN, allowed is any number", i);
      }
    }
    threshold_ = simd::log_of(options.queries / options.false_alarms) / detail::lundberg_exponent(options.drift);
    check_reach();
    std::sort(benign_scores_.begin(), benign_scores_.end());
  }

  /// How unusual a score is among benign users: log((n + 1) / (rank + 1)).
  /// Range: [0, log(n + 1)]; it never rises with the score.
  /// Throws: std::domain_error for NaN.
  double surprise(double score) const {
    detail::check_score(score);
    const auto above = std::upper_bound(benign_scores_.begin(), benign_scores_.end(), score);
    return surprise_of_rank(static_cast<std::size_t>(above - benign_scores_.begin()));
  }

  /// Adds a query with this score to the evidence against an account, and returns whether the account is flagged: with
  /// this query, or since an earlier one. The evidence of a flagged account does not change any more.
  /// Range: evidence is finite and at least 0; below the threshold before the query, it is below threshold +
  /// log(n + 1) - drift afterwards.
  /// Throws: std::invalid_argument for any other evidence, std::domain_error for a score that is NaN. The evidence is
  /// then as it was.
  bool update(double& evidence, double score) const {
    if (is_flagged(evidence)) return true;
    const double sum = evidence + (surprise(score) - options_.drift);
    evidence = sum > 0 ? sum : 0;
    return evidence >= threshold_;
  }

  /// Whether an account with this evidence is flagged.
  /// Throws: std::invalid_argument for evidence that is negative, infinite or NaN.
  bool is_flagged(double evidence) const {
    detail::raise(check_ranges(parameter_range{"evidence", evidence, 0, (std::numeric_limits<double>::max)()}));
    return evidence >= threshold_;
  }

  /// The evidence at which an account is flagged.
  double threshold() const { return threshold_; }

  /// What it was made with.
  const monitor_options& options() const { return options_; }

  /// The benign scores, rising.
  std::span<const double> benign_scores() const { return benign_scores_; }

 private:
  double surprise_of_rank(std::size_t rank) const {
    return simd::log_of(static_cast<double>(benign_scores_.size() + 1) / static_cast<double>(rank + 1));
  }

  void check_reach() const {
    const double needed_surprise = options_.drift + threshold_ / options_.queries;
    if (surprise_of_rank(0) >= needed_surprise) return;
    detail::fail<std::invalid_argument>(
        "chaff: %zu benign_scores flag no account within %g queries: drift %g needs %.0f benign scores or more",
        benign_scores_.size(), options_.queries, options_.drift, scores_for(needed_surprise));
  }

  /// The smallest n with log(n + 1) >= surprise.
  static double scores_for(double surprise) {
    return std::ceil(1 / simd::exp_nonpositive<double>(simd::broadcast(-surprise))[0] - 1);
  }

  monitor_options options_;
  std::vector<double> benign_scores_;
  double threshold_ = 0;
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
