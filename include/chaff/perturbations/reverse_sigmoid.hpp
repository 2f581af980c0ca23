// SPDX-License-Identifier: MIT
/// The reverse sigmoid: takes from the probable classes and gives to the improbable ones.
#ifndef CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP
#define CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP

#include <algorithm>

#include "chaff/posterior/row.hpp"

namespace chaff {

/// What is done about a class with p > 1/2. clamped: p / (1 - p) is clamped to [1e-12, 1], so such a class has r = 0,
/// as in the authors' code. exact: as in the formula, without the upper clamp; weights are clipped at 0. Only the label
/// can have p > 1/2, so the two differ in the label's weight alone.
enum class odds { clamped, exact };

/// w_i = p_i - r_i, with r_i = beta (sigmoid(gamma logit(p_i)) - 1/2) = (beta / 2) tanh((gamma / 2) logit(p_i)).
///
/// beta in [0, 1000], gamma in [0, 1000]. Shape: a row of K weights, not normalised.
/// Largest error of w: 2e-7 beta (1 + 2 gamma) in float, 1e-15 beta (1 + 2 gamma) in double; with exact odds, where
/// 1 - p_k is below T's smallest normal number, it counts as about that number, which moves the label's weight by at
/// most (beta / 2) (1 - tanh(43 gamma)). logit(p_i) = log p_i - log(1 - p_i), from the logits: nothing is lost for tiny
/// p.
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

  /// The weight of a class by its own probability alone, lane by lane: in any row, at any place.
  template <class T>
  struct weight_of_class {
    T half_beta;       ///< beta / 2
    T gamma_log2e;     ///< so that 2^(gamma_log2e logit) = exp(gamma logit)
    T least_log_odds;  ///< where the odds are clamped
    T least_exponent;  ///< where exp(gamma log-odds) would leave T's range
    bool clamped;      ///< whether r = 0 where p > 1/2

    /// The first step towards w: the log-odds of the classes in a block, clamped from below. p <= 1/2, which classes
    /// other than the label have.
    [[gnu::always_inline]] lanes<T> step(const block<T>& at) const {
      return most<T>(minus_log1m<T>(at.p, at.log_p), broadcast(least_log_odds));
    }

    /// The second: (1 - alpha) p + alpha w = p - alpha r, at least 0.
    [[gnu::always_inline]] lanes<T> blended(lanes<T> p, lanes<T> log_odds, lanes<T> alpha) const {
      return fused<T>(alpha * half_beta, minus_tanh(log_odds), p);
    }

    /// w of a label, from p and the logarithm of (1 - p) / p.
    [[gnu::always_inline]] lanes<T> label(lanes<T> p, lanes<T> log_against) const {
      const mask<T> unlikely = log_against > T(0);
      const lanes<T> log_odds = select<T>(unlikely, -log_against, log_against);
      const lanes<T> least = select<T>(unlikely, broadcast(least_log_odds), broadcast(least_exponent));
      const lanes<T> size = minus_tanh(most<T>(log_odds, least));
      const lanes<T> sign = select<T>(unlikely, broadcast(half_beta), broadcast(clamped ? T(0) : -half_beta));
      return most<T>(fused<T>(sign, size, p), lanes<T>{});
    }

    /// -tanh((gamma / 2) log_odds) for log_odds in [least_exponent, 0]: (1 - t) / (1 + t), t = exp(gamma log_odds) in
    /// [0, 1]; largest error 2e-7 in float, 2e-15 in double. A division costs less than Newton steps in its place,
    /// measured with SSE2, AVX2 and AVX-512.
    [[gnu::always_inline]] lanes<T> minus_tanh(lanes<T> log_odds) const {
      const lanes<T> t = exp2_nonpositive<T>(log_odds, broadcast(gamma_log2e));
      return (T(1) - t) / (T(1) + t);
    }
  };

  /// In two steps, each short enough that a processor works on many blocks at a time.
  template <class T>
  weight_of_class<T> classwise() const {
    constexpr double lowest = -27.631021115928547;  // log 1e-12
    constexpr double room = std::is_same_v<T, float> ? 87 : 708;
    const double least_exponent = -room / std::max(gamma, 1e-6);
    return {static_cast<T>(beta / 2), static_cast<T>(gamma * 1.4426950408889634),
            static_cast<T>(std::max(lowest, least_exponent)), static_cast<T>(least_exponent), rule == odds::clamped};
  }

  /// The weights of one row.
  template <class T>
  struct weights_of_row : weight_of_class<T> {
    T label;  ///< w_k

    /// w of the classes in a block, the label's lane excepted: there the value is not used.
    [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const {
      return this->blended(at.p, this->step(at), broadcast(T(1)));
    }
  };

  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    const weight_of_class<T> each = classwise<T>();
    const lanes<T> log_against = log_normal<T>(broadcast(seen.odds_against_label()));
    return {each, each.label(broadcast(static_cast<T>(seen.confidence())), log_against)[0]};
  }
};

}  // namespace chaff

#endif
