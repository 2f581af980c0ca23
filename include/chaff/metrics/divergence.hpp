// SPDX-License-Identifier: MIT
/// How much information lies between two posteriors.
#ifndef CHAFF_METRICS_DIVERGENCE_HPP
#define CHAFF_METRICS_DIVERGENCE_HPP

#include <cmath>
#include <limits>

#include "chaff/metrics/compare.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// The Kullback-Leibler divergence of two rows, in nats.
/// Formula: KL(a || b) = sum_i a_i log(a_i / b_i); a class with a_i = 0 adds nothing, one with b_i = 0 < a_i makes it
/// +inf.
/// Throws: std::invalid_argument for different numbers of classes, or none.
/// Source: Kullback & Leibler 1951.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double kl_divergence(const A& a, const B& b) {
  return detail::sum_of_terms("kl_divergence", a, b, [](double p, double q) {
    if (!(p > 0)) return 0.0;
    return q > 0 ? p * std::log(p / q) : std::numeric_limits<double>::infinity();
  });
}

/// The mean Kullback-Leibler divergence between the rows of two batches.
/// Shapes: both are N x classes, row-major.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double kl_divergence(const A& a, const B& b, std::size_t classes) {
  return detail::mean_over_rows("kl_divergence", a, b, classes, [](auto p, auto q) { return kl_divergence(p, q); });
}

/// The Jensen-Shannon divergence of two rows, in nats.
/// Formula: (KL(a || m) + KL(b || m)) / 2, m = (a + b) / 2; in [0, log 2], and symmetric.
/// Throws: std::invalid_argument for different numbers of classes, or none.
/// Source: Lin 1991.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double jensen_shannon(const A& a, const B& b) {
  const auto part = [](double p, double m) { return p > 0 ? p * std::log(p / m) : 0.0; };
  return detail::sum_of_terms("jensen_shannon", a, b, [&](double p, double q) {
    const double m = (p + q) / 2;
    return (part(p, m) + part(q, m)) / 2;
  });
}

/// The mean Jensen-Shannon divergence between the rows of two batches.
/// Shapes: both are N x classes, row-major.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double jensen_shannon(const A& a, const B& b, std::size_t classes) {
  return detail::mean_over_rows("jensen_shannon", a, b, classes, [](auto p, auto q) { return jensen_shannon(p, q); });
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
