// SPDX-License-Identifier: MIT
/// What comparisons of two posteriors, or of two batches of them, have in common.
#ifndef CHAFF_METRICS_COMPARE_HPP
#define CHAFF_METRICS_COMPARE_HPP

#include "chaff/error.hpp"
#include "chaff/posterior/contiguous.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// sum_i term(a_i, b_i) over one row, in double. A row of one class is the probability of "yes", of two outcomes.
/// Throws: std::invalid_argument where the two have different numbers of classes, or none.
template <ContiguousRange A, ContiguousRange B, class Term>
double sum_of_terms(const char* name, const A& a, const B& b, Term term) {
  const auto p = span_of(a);
  const auto q = span_of(b);
  if (p.size() != q.size() || p.empty()) {
    fail<std::invalid_argument>("chaff: %s of rows of %zu and %zu classes", name, p.size(), q.size());
  }
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += term(static_cast<double>(p[i]), static_cast<double>(q[i]));
  if (p.size() == 1) sum += term(1 - static_cast<double>(p[0]), 1 - static_cast<double>(q[0]));
  return sum;
}

/// The mean of value(row of a, row of b) over the rows of two batches of N x classes entries, row-major.
/// Throws: std::invalid_argument where the sizes differ, are not a whole number of rows, or are 0.
template <ContiguousRange A, ContiguousRange B, class Value>
double mean_over_rows(const char* name, const A& a, const B& b, std::size_t classes, Value value) {
  const auto p = span_of(a);
  const auto q = span_of(b);
  if (classes == 0 || p.size() != q.size() || p.empty() || p.size() % classes != 0) {
    fail<std::invalid_argument>("chaff: %s of batches of %zu and %zu entries, in rows of %zu classes", name, p.size(),
                                q.size(), classes);
  }
  double sum = 0;
  for (std::size_t first = 0; first < p.size(); first += classes) {
    sum += static_cast<double>(value(p.subspan(first, classes), q.subspan(first, classes)));
  }
  return sum / static_cast<double>(p.size() / classes);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
