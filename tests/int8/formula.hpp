// SPDX-License-Identifier: MIT
/// The formula of the edge path, and the codes that it stands for. In long double, so that exp(-s d) of a scale that no
/// model has is not 0 before its logarithm is taken.
#ifndef CHAFF_TESTS_INT8_FORMULA_HPP
#define CHAFF_TESTS_INT8_FORMULA_HPP

#include <algorithm>
#include <chaff/int8/parameters.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

namespace formula {

using real = long double;

enum class gate { closed, confidence, open };

/// The lowest index of the largest logit.
inline std::size_t label(const std::vector<std::int8_t>& q) {
  return static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
}

/// p - alpha r(p), the label's weight at least 1e-6 and the others' at most that, normalised.
inline std::vector<real> answer(const std::vector<std::int8_t>& q, const chaff::int8::parameters& given, gate side) {
  const std::size_t k = label(q);
  std::vector<real> w(q.size());
  real others = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    w[i] = std::exp(static_cast<real>(given.input_scale) * (q[i] - q[k]));
    others += i == k ? 0 : w[i];
  }
  const real mass = 1 + others, confidence = 1 / mass;
  const real alpha =
      side == gate::closed ? 0
      : side == gate::open
          ? 1
          : 1 / (1 + std::exp(static_cast<real>(given.nu) * (confidence - static_cast<real>(given.tau))));
  for (std::size_t i = 0; i < q.size() && side != gate::closed; ++i) {
    real odds = std::max(w[i] / (i == k ? others : mass - w[i]), 1e-12L);
    if (given.rule == chaff::int8::odds::clamped) odds = std::min(odds, 1.0L);
    const real r = static_cast<real>(given.beta) * (1 / (1 + std::pow(odds, -static_cast<real>(given.gamma))) - 0.5L);
    const real p = w[i] / mass;
    w[i] = (1 - alpha) * p + alpha * std::max(0.0L, p - r);
  }
  w[k] = std::max(w[k], 1e-6L);
  real sum = 0;
  for (real& each : w) sum += each = std::min(each, w[k]);
  for (real& each : w) each /= sum;
  return w;
}

/// The units of the label's code: at least one, so that the others have room below it.
inline long label_units(real y, long top) {
  return std::clamp(std::lround(y * static_cast<real>(top + 1)), 1l, top);
}
inline long other_units(real y, long top, long label) {
  return std::min(std::lround(y * static_cast<real>(top + 1)), label - 1);
}

}  // namespace formula

#endif
