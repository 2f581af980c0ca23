// SPDX-License-Identifier: MIT
/// The arithmetic of an account's evidence: one number that queries raise and lower.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_EVIDENCE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_EVIDENCE_HPP

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

namespace service {

/// The numbers of a chaff::query_monitor that a store needs.
struct evidence_rule {
  double threshold;
  double drift;

  bool is_flagged(double evidence) const { return evidence >= threshold; }

  /// The evidence after a query of this surprise. It is that of query_monitor::update, to the bit.
  /// Evidence at the threshold stays as it is: the account is flagged from then on.
  double after(double evidence, double surprise) const {
    return is_flagged(evidence) ? evidence : std::max(0.0, evidence + (surprise - drift));
  }
};

/// What some queries of one account did to its evidence.
struct verdict {
  double evidence = 0;  ///< after the last query
  std::size_t first_flagged =
      0;  ///< the query that reached the threshold, or the number of queries; 0 if flagged before
};

/// Lets queries count, in order.
inline verdict count_queries(const evidence_rule& rule, double evidence, std::span<const double> surprises) {
  verdict result{evidence, rule.is_flagged(evidence) ? 0 : surprises.size()};
  for (std::size_t i = 0; i < surprises.size() && !rule.is_flagged(result.evidence); ++i) {
    result.evidence = rule.after(result.evidence, surprises[i]);
    if (rule.is_flagged(result.evidence)) result.first_flagged = i;
  }
  return result;
}

/// Queries in a row, by what they do to any evidence that they may start from. A store keeps one for queries that
/// count elsewhere later.
///
/// One query maps evidence e to max(0, e + x), x = surprise - drift. Maps of the form max(floor, e + total) are closed
/// under composition:
///     max(f2, max(f1, e + t1) + t2) = max(max(f2, f1 + t2), e + (t1 + t2)).
/// So two numbers hold any run, and the query {x, 0} is one. The highest evidence on the way decides about the flag.
/// After query i it is max(floor_i, e + total_i), so its maximum over i is max(max floor_i, e + max total_i): two more
/// numbers, and again a maximum of the same form. Until an evidence reaches the threshold this is what counting the
/// queries one by one gives, but for the rounding of the sums: at most n units in the last place of the largest sum.
struct evidence_run {
  double total = 0;
  double floor = -std::numeric_limits<double>::infinity();
  double highest_total = -std::numeric_limits<double>::infinity();
  double highest_floor = -std::numeric_limits<double>::infinity();
  std::uint64_t queries = 0;

  /// Appends one query.
  void add(double surprise, double drift) {
    const double step = surprise - drift;
    append({step, 0, step, 0, 1});
  }

  /// Appends a later run.
  void append(const evidence_run& later) {
    highest_total = std::max(highest_total, total + later.highest_total);
    highest_floor = std::max({highest_floor, floor + later.highest_total, later.highest_floor});
    floor = std::max(later.floor, floor + later.total);
    total += later.total;
    queries += later.queries;
  }

  /// The evidence after the run; the highest on the way, if that reached the threshold.
  double after(double evidence, const evidence_rule& rule) const {
    if (queries == 0 || rule.is_flagged(evidence)) return evidence;
    const double highest = std::max(highest_floor, evidence + highest_total);
    return rule.is_flagged(highest) ? highest : std::max(floor, evidence + total);
  }
};

}  // namespace service

#endif
