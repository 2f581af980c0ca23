// SPDX-License-Identifier: MIT
/// The stages of the pipeline written straight down, in long double: what every kernel is compared with.
#ifndef CHAFF_TESTS_PIPELINE_REFERENCE_HPP
#define CHAFF_TESTS_PIPELINE_REFERENCE_HPP

#include <algorithm>
#include <chaff/policy.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace reference {

using real = long double;
using row = std::vector<real>;

/// y <- (1 - t) y + t e_k, where y leads by less than the margin.
inline row lead_by_margin(row y, std::size_t k, real margin) {
  real largest_other = 0;
  for (std::size_t i = 0; i < y.size(); ++i) largest_other = i == k ? largest_other : std::max(largest_other, y[i]);
  const real lead = y[k] - largest_other;
  if (margin <= 0 || lead >= margin) return y;
  const real t = (margin - lead) / (1 - lead);
  for (real& each : y) each *= 1 - t;
  y[k] += t;
  return y;
}

inline real distance(const row& a, const row& b) {
  real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::fabs(a[i] - b[i]);
  return sum;
}

/// The output for K >= 2 logits. gate(p, k, lse) returns alpha, perturb(p, k) the weights of the classes.
template <class T, class Gate, class Perturb>
row answer(const std::vector<T>& logits, Gate gate, Perturb perturb, const chaff::policy& policy) {
  // observe: the label, the posterior and the free energy
  const auto k = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  row p(logits.size());
  real mass = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    mass += p[i] = std::exp(static_cast<real>(logits[i]) - static_cast<real>(logits[k]));
  for (real& each : p) each /= mass;
  // gate: closed to within an epsilon of T is closed
  const real alpha = gate(p, k, static_cast<real>(logits[k]) + std::log(mass));
  if (alpha <= static_cast<real>(std::numeric_limits<T>::epsilon())) return lead_by_margin(p, k, policy.label_margin);
  // perturb
  row y = perturb(p, k);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::max<real>(0, (1 - alpha) * p[i] + alpha * y[i]);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (logits[i] == -std::numeric_limits<T>::infinity()) y[i] = 0;
  }
  // keep_label: the cap, then normalisation, then the margin
  if (policy.keep_label) {
    y[k] = std::max(y[k], 1e-6L);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = i == k ? y[i] : std::min(y[i], y[k] * 63 / 64);
  }
  real sum = 0;
  for (const real each : y) sum += each;
  for (real& each : y) each /= sum;
  y = lead_by_margin(y, k, policy.label_margin);
  // limit_l1: back towards the posterior, itself with the margin
  const row q = lead_by_margin(p, k, policy.label_margin);
  const real allowed = std::max<real>(0, static_cast<real>(policy.max_l1) - distance(q, p));
  const real s = policy.max_l1 < 2 && distance(y, q) > allowed ? allowed / distance(y, q) : 1;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = q[i] + s * (y[i] - q[i]);
  return y;
}

}  // namespace reference

#endif
