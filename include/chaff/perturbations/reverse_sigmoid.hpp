// SPDX-License-Identifier: MIT
/// The reverse sigmoid: takes from the probable classes and gives to the improbable ones.
#ifndef CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP
#define CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP

#include <algorithm>
#include <cmath>

#include "chaff/lanes/exponential.hpp"
#include "chaff/lanes/logarithm.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// What is done about a class with p > 1/2. clamped: p / (1 - p) is clamped to [1e-12, 1], so such a class has r = 0,
/// as in the authors' code. exact: as in the formula, without the upper clamp; weights are clipped at 0. Only the label
/// can have p > 1/2, so the two differ in the label's weight alone.
enum class odds { clamped, exact };

/// w_i = p_i - r_i, with r_i = beta (sigmoid(gamma logit(p_i)) - 1/2) = (beta / 2) tanh((gamma / 2) logit(p_i)).
///
/// beta in [0, 1000], gamma in [0, 1000]. Shape: a row of K weights, not normalised.
/// Largest error of w: 1e-6 beta in float, 1e-14 beta in double; with exact odds, where 1 - p_k is below T's smallest
/// normal number, logit(p_k) counts as +inf, which moves the label's weight by at most (beta / 2) (1 - tanh(43 gamma)).
/// logit(p_i) = log p_i - log(1 - p_i), from the logits: nothing is lost for tiny p.
/// Source: Lee, Edwards, Molloy & Su 2018, "Defending against machine learning model stealing attacks using deceptive
/// perturbations", arXiv 1806.00054. The authors' code writes the upper clamp as 1 - 1e-12, which is 1 in float32.
struct reverse_sigmoid {
  double beta = 0.32;
  double gamma = 0.2;
  odds rule = odds::clamped;

  void check(const policy&) const {
    check_range("beta", beta, 0, 1000);
    check_range("gamma", gamma, 0, 1000);
  }

  /// The weights of one row.
  template <class T>
  struct weights_of_row {
    T label;           ///< w_k
    T half_beta;       ///< beta / 2
    T gamma_log2e;     ///< so that 2^(gamma_log2e logit) = exp(gamma logit)
    T least_log_odds;  ///< where the odds are clamped, or where exp would leave T's range

    /// w of the classes in a block, the label's lane excepted: there the value is not used.
    [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const {
      lanes<T> log_odds = at.log_p + minus_log1m<T>(at.p);
      log_odds = most<T>(least<T>(log_odds, lanes<T>{}), broadcast(least_log_odds));
      const lanes<T> t = exp2_nonpositive<T>(log_odds * gamma_log2e);
      return at.p + half_beta * rise(t);
    }

    /// (1 - t) / (1 + t) for t in [0, 1]; largest error 2e-7 in float, 2e-15 in double.
    /// 1 / (1 + t) is a cubic (relative error 2^-9.2), sharpened by d <- d (1 + c + c^2), c = 1 - (1 + t) d.
    [[gnu::always_inline]] static lanes<T> rise(lanes<T> t) {
      const lanes<T> u = t + T(1);
      lanes<T> d = u * T(-0x1.c65256p-3) + T(0x1.54bdcap0);
      d = d * u - T(0x1.783c44p1);
      d = d * u + T(0x1.6a09bap1);
      for (int step = 0; step < (std::is_same_v<T, float> ? 1 : 2); ++step) {
        const lanes<T> c = T(1) - u * d;
        d = d * (c * c + c) + d;
      }
      return (T(1) - t) * d;
    }
  };

  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    const double lowest = std::log(1e-12);
    const double room = std::is_same_v<T, float> ? 87 : 708;
    const double log_odds = seen.label_log_odds();
    const double highest = rule == odds::clamped ? 0 : std::numeric_limits<double>::infinity();
    const double clamped = std::clamp(log_odds, lowest, highest);
    const double r = clamped == 0 ? 0 : beta / 2 * std::tanh(gamma / 2 * clamped);
    return {static_cast<T>(std::max(0.0, seen.confidence() - r)), static_cast<T>(beta / 2),
            static_cast<T>(gamma * 1.4426950408889634),
            static_cast<T>(gamma * -lowest > room ? -room / gamma : lowest)};
  }
};

}  // namespace chaff

#endif
