// SPDX-License-Identifier: MIT
/// The formulas, written plainly in long double: what the library is compared with.
#ifndef CHAFF_TESTS_SUPPORT_REFERENCE_HPP
#define CHAFF_TESTS_SUPPORT_REFERENCE_HPP

#include <algorithm>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/gates/always.hpp>
#include <chaff/gates/confidence_gate.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace reference {

using real = long double;

/// The lowest index of the largest value.
template <class T>
std::size_t argmax(const std::vector<T>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

/// The largest entry of another class than k, of at least two.
template <class T>
T max_other(const std::vector<T>& row, std::size_t k) {
  T largest = row[k == 0 ? 1 : 0];
  for (std::size_t i = 0; i < row.size(); ++i) largest = i == k ? largest : std::max(largest, row[i]);
  return largest;
}

/// exp(z_i) / sum exp(z_j).
template <class T>
std::vector<real> softmax(const std::vector<T>& z) {
  const real top = static_cast<real>(*std::max_element(z.begin(), z.end()));
  std::vector<real> p(z.begin(), z.end());
  real sum = 0;
  for (real& x : p) sum += x = std::exp(x - top);
  for (real& x : p) x /= sum;
  return p;
}

/// 1 / (1 + exp(nu (score - tau))).
inline real falling_step(real score, double tau, double nu) {
  return 1 / (1 + std::exp(static_cast<real>(nu) * (score - static_cast<real>(tau))));
}

/// alpha of the library's own gates, for a row whose predicted label has the logit `label_logit` and the posterior
/// `label_p`; so log sum exp z = label_logit - log(label_p).
inline real alpha_of(const chaff::always&, real, real) {
  return 1;
}
inline real alpha_of(const chaff::detail::never&, real, real) {
  return 0;
}
inline real alpha_of(const chaff::confidence_gate& gate, real, real label_p) {
  return falling_step(label_p, gate.tau, gate.nu);
}
inline real alpha_of(const chaff::energy_gate& gate, real label_logit, real label_p) {
  return falling_step(label_logit - std::log(label_p), *gate.tau, gate.nu);
}

/// The weights p - alpha r(p), divided by their sum, under odds that are clamped or exact. A masked class keeps 0. The
/// label is not kept.
template <class T>
std::vector<real> reverse_sigmoid(const std::vector<T>& z, const chaff::reverse_sigmoid& parameters, real alpha) {
  std::vector<real> p = softmax(z);
  const std::size_t k = argmax(z);
  real rest = 0;  // 1 - p_k, to full precision
  for (std::size_t i = 0; i < z.size(); ++i) rest += i == k ? 0 : p[i];
  real sum = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (z[i] == -std::numeric_limits<T>::infinity()) {
      p[i] = 0;
      continue;
    }
    const real ratio = p[i] / (i == k ? rest : 1 - p[i]);
    real odds = std::max(ratio, 1e-12L);
    if (parameters.rule == chaff::odds::clamped) odds = std::min(odds, 1.0L);
    const real gamma = static_cast<real>(parameters.gamma);
    const real r = static_cast<real>(parameters.beta) * (1 / (1 + std::pow(odds, -gamma)) - 0.5L);
    p[i] = (1 - alpha) * p[i] + alpha * std::max(0.0L, p[i] - r);
    sum += p[i];
  }
  for (real& x : p) x /= sum;
  return p;
}

/// DCP without the label cap: the reverse sigmoid behind the confidence gate, whose tau is beta where it is not set.
template <class T>
std::vector<real> dcp(const std::vector<T>& z, const chaff::dcp& parameters, bool is_always_open = false) {
  const chaff::confidence_gate gate{parameters.tau.value_or(parameters.beta), parameters.nu};
  return reverse_sigmoid(z, {parameters.beta, parameters.gamma, parameters.rule},
                         is_always_open ? real(1) : alpha_of(gate, 0, softmax(z)[argmax(z)]));
}

/// The share t = (margin - lead) / (1 - lead) with which a row whose label k has too small a lead is mixed with the
/// label's vertex, (1 - t) y + t e_k; 0 where the lead is large enough.
inline real share_for_margin(const std::vector<real>& y, std::size_t k, double margin) {
  const real lead = y[k] - max_other(y, k);
  return lead < static_cast<real>(margin) ? (static_cast<real>(margin) - lead) / (1 - lead) : 0;
}

/// A row under policy.label_margin.
inline std::vector<real> with_margin(std::vector<real> y, std::size_t k, double margin) {
  const real t = share_for_margin(y, k, margin);
  for (real& value : y) value *= 1 - t;
  y[k] += t;
  return y;
}

/// How far policy.label_margin alone moves a posterior p: |with_margin(p) - p|_1.
inline real l1_of_margin(const std::vector<real>& p, std::size_t k, double margin) {
  return 2 * share_for_margin(p, k, margin) * (1 - p[k]);
}

/// The sum of |a_i - b_i|.
template <class A, class B>
real l1(const std::vector<A>& a, const std::vector<B>& b) {
  real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::fabs(static_cast<real>(a[i]) - static_cast<real>(b[i]));
  return sum;
}

}  // namespace reference

#endif
