// SPDX-License-Identifier: MIT
/// How much information lies between two posteriors.
#ifndef CHAFF_POSTERIOR_DIVERGENCE_HPP
#define CHAFF_POSTERIOR_DIVERGENCE_HPP

#include <cmath>
#include <limits>

#include "chaff/posterior/compare.hpp"

namespace chaff {

/// KL(a || b) = sum_i a_i log(a_i / b_i), in nats; a class of a_i = 0 counts nothing, one of b_i = 0 < a_i makes it
/// +inf. Of rows, their mean. Shapes, errors: see compare. Source: Kullback & Leibler 1951.
template <contiguous_values A, contiguous_values B>
double kl_divergence(const A& a, const B& b) {
  return sum_of_terms("kl_divergence", a, b, [](double p, double q) {
    if (!(p > 0)) return 0.0;
    return q > 0 ? p * std::log(p / q) : std::numeric_limits<double>::infinity();
  });
}
template <contiguous_values A, contiguous_values B>
double kl_divergence(const A& a, const B& b, std::size_t classes) {
  return mean_over_rows("kl_divergence", a, b, classes, [](auto p, auto q) { return kl_divergence(p, q); });
}

/// The Jensen-Shannon divergence, (KL(a || m) + KL(b || m)) / 2 with m = (a + b) / 2, in nats; in [0, log 2], and the
/// same both ways. Source: Lin 1991.
template <contiguous_values A, contiguous_values B>
double jensen_shannon(const A& a, const B& b) {
  const auto part = [](double p, double m) { return p > 0 ? p * std::log(p / m) : 0.0; };
  return sum_of_terms("jensen_shannon", a, b, [&](double p, double q) {
    const double m = (p + q) / 2;
    return (part(p, m) + part(q, m)) / 2;
  });
}
template <contiguous_values A, contiguous_values B>
double jensen_shannon(const A& a, const B& b, std::size_t classes) {
  return mean_over_rows("jensen_shannon", a, b, classes, [](auto p, auto q) { return jensen_shannon(p, q); });
}

}  // namespace chaff

#endif
