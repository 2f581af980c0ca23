// SPDX-License-Identifier: MIT
/// What all comparisons of two posteriors, or of two batches of them, have in common.
#ifndef CHAFF_POSTERIOR_COMPARE_HPP
#define CHAFF_POSTERIOR_COMPARE_HPP

#include "chaff/error.hpp"
#include "chaff/posterior/values.hpp"

namespace chaff {

/// sum_i term(a_i, b_i) over one row, in double. A row of one class is the probability of "yes", of two outcomes.
/// Raises std::invalid_argument where the two have not the same number of classes, or none.
template <contiguous_values A, contiguous_values B, class Term>
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

/// The mean of of_row(a's row, b's row) over the rows of two batches of N x classes entries, row-major.
/// Raises std::invalid_argument where the sizes differ, are no whole number of rows, or are 0.
template <contiguous_values A, contiguous_values B, class OfRow>
double mean_over_rows(const char* name, const A& a, const B& b, std::size_t classes, OfRow of_row) {
  const auto p = span_of(a);
  const auto q = span_of(b);
  if (classes == 0 || p.size() != q.size() || p.empty() || p.size() % classes != 0) {
    fail<std::invalid_argument>("chaff: %s of batches of %zu and %zu entries, in rows of %zu classes", name, p.size(),
                                q.size(), classes);
  }
  double sum = 0;
  for (std::size_t first = 0; first < p.size(); first += classes) {
    sum += static_cast<double>(of_row(p.subspan(first, classes), q.subspan(first, classes)));
  }
  return sum / static_cast<double>(p.size() / classes);
}

}  // namespace chaff

#endif
