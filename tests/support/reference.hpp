// SPDX-License-Identifier: MIT
/// The formulas, written down plainly in long double: what the library is compared with.
#ifndef CHAFF_TESTS_SUPPORT_REFERENCE_HPP
#define CHAFF_TESTS_SUPPORT_REFERENCE_HPP

#include <algorithm>
#include <chaff/chaff.hpp>
#include <cmath>
#include <vector>

namespace reference {

using real = long double;

template <class T>
std::vector<real> softmax(const std::vector<T>& z) {
  const real top = static_cast<real>(*std::max_element(z.begin(), z.end()));
  std::vector<real> p(z.begin(), z.end());
  real sum = 0;
  for (real& x : p) sum += x = std::exp(x - top);
  for (real& x : p) x /= sum;
  return p;
}

/// p - alpha r(p), normalised; classes of p = 0 and logit -inf keep 0. No label is kept.
template <class T>
std::vector<real> dcp(const std::vector<T>& z, const chaff::dcp& used, bool always_open = false) {
  std::vector<real> p = softmax(z);
  const std::size_t k = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
  const real confidence = p[k];
  const real alpha =
      always_open ? 1 : 1 / (1 + std::exp(static_cast<real>(used.nu) * (confidence - static_cast<real>(used.tau))));
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
    if (used.rule == chaff::odds::clamped) odds = std::min(odds, 1.0L);
    const real r = static_cast<real>(used.beta) * (1 / (1 + std::pow(odds, -static_cast<real>(used.gamma))) - 0.5L);
    p[i] = (1 - alpha) * p[i] + alpha * std::max(0.0L, p[i] - r);
    sum += p[i];
  }
  for (real& x : p) x /= sum;
  return p;
}

template <class A, class B>
real l1(const std::vector<A>& a, const std::vector<B>& b) {
  real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::fabs(static_cast<real>(a[i]) - static_cast<real>(b[i]));
  return sum;
}

}  // namespace reference

#endif
