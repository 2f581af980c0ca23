// SPDX-License-Identifier: MIT
/// The reverse sigmoid: it takes from the probable classes and gives to the improbable ones.
#ifndef CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP
#define CHAFF_PERTURBATIONS_REVERSE_SIGMOID_HPP

#include <algorithm>
#include <cmath>

#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff {

/// What is done about a class with p > 1/2. Only the label can have p > 1/2, so the two differ in its weight alone.
/// clamped: p / (1 - p) is clamped to [1e-12, 1], so that such a class has r = 0, as in the authors' code.
/// exact: as in the formula, without the upper clamp; weights are clipped at 0.
enum class odds { clamped, exact };

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// The weight that the reverse sigmoid gives a class by its probability alone, lane by lane.
template <class T>
struct reverse_sigmoid_weight {
  T half_beta;       ///< beta / 2
  T gamma_log2e;     ///< so that 2^(gamma_log2e x) = exp(gamma x)
  T min_log_odds;    ///< where the odds are clamped
  T min_exponent;    ///< where exp(gamma log-odds) would leave T's range
  bool are_clamped;  ///< whether r = 0 where p > 1/2

  /// The log-odds of the classes in a block, clamped from below; for p <= 1/2, as of classes other than the label.
  [[gnu::always_inline]] simd::vec<T> step(const block<T>& block) const {
    return simd::maximum<T>(simd::log_odds<T>(block.p, block.log_p), simd::broadcast(min_log_odds));
  }

  /// (1 - alpha) p + alpha w = p - alpha r, at least 0.
  [[gnu::always_inline]] simd::vec<T> blend(simd::vec<T> p, simd::vec<T> log_odds, simd::vec<T> alpha) const {
    return simd::multiply_add<T>(alpha * half_beta, minus_tanh(log_odds), p);
  }

  /// w of a label, from p and log((1 - p) / p).
  [[gnu::always_inline]] simd::vec<T> label(simd::vec<T> p, simd::vec<T> log_against) const {
    const simd::mask<T> unlikely = log_against > T(0);
    const simd::vec<T> log_odds = simd::select<T>(unlikely, -log_against, log_against);
    const simd::vec<T> lowest = simd::select<T>(unlikely, simd::broadcast(min_log_odds), simd::broadcast(min_exponent));
    const simd::vec<T> size = minus_tanh(simd::maximum<T>(log_odds, lowest));
    const simd::vec<T> sign =
        simd::select<T>(unlikely, simd::broadcast(half_beta), simd::broadcast(are_clamped ? T(0) : -half_beta));
    return simd::maximum<T>(simd::multiply_add<T>(sign, size, p), simd::vec<T>{});
  }

  /// -tanh((gamma / 2) log_odds) for log_odds in [min_exponent, 0]: (1 - t) / (1 + t), t = exp(gamma log_odds).
  /// Error: 2e-7 in float, 2e-15 in double. A division costs less than Newton steps in its place (measured with SSE2,
  /// AVX2 and AVX-512).
  [[gnu::always_inline]] simd::vec<T> minus_tanh(simd::vec<T> log_odds) const {
    const simd::vec<T> t = simd::exp2_nonpositive<T>(log_odds, simd::broadcast(gamma_log2e));
    return (T(1) - t) / (T(1) + t);
  }
};

/// The weights of one row.
template <class T>
struct reverse_sigmoid_weights : reverse_sigmoid_weight<T> {
  T label;

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    return this->blend(block.p, this->step(block), simd::broadcast(T(1)));
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// The reverse sigmoid: it takes from the probable classes and gives to the improbable ones.
/// Formula: w_i = p_i - r_i, r_i = beta (sigmoid(gamma logit(p_i)) - 1/2) = (beta / 2) tanh((gamma / 2) logit(p_i)).
/// logit(p_i) = log p_i - log(1 - p_i) comes from the logits: nothing is lost for tiny p.
/// Shape: a row of K weights, not normalised.
/// Range: beta in [0, 1000], the strength; gamma in [0, 1000].
/// Error: of w, 2e-7 beta (1 + 2 gamma) in float and 1e-15 beta (1 + 2 gamma) in double. With exact odds, where 1 - p_k
/// is below T's smallest normal number, it counts as about that number, which moves the label's weight by at most
/// (beta / 2) (1 - tanh(43 gamma)).
/// Throws: std::invalid_argument for a parameter out of its range, when bound to a model and at apply.
/// Source: Lee, Edwards, Molloy & Su 2018, "Defending against machine learning model stealing attacks using deceptive
/// perturbations", arXiv 1806.00054. The authors' code writes the upper clamp as 1 - 1e-12, which is 1 in float32.
struct reverse_sigmoid {
  double beta = 0.32;
  double gamma = 0.2;
  odds rule = odds::clamped;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"beta", beta, 0, 1000}, parameter_range{"gamma", gamma, 0, 1000});
  }

  /// The weight of a class by its probability alone, in two steps, each short enough that a processor works on many
  /// blocks at a time.
  template <class T>
  [[gnu::always_inline]] detail::reverse_sigmoid_weight<T> classwise() const {
    constexpr double log_min_odds = -27.631021115928547;  // log 1e-12
    constexpr double room = std::is_same_v<T, float> ? 87 : 708;
    const double min_exponent = -room / (std::abs)(gamma);  // -inf for 0, and for -0
    return {static_cast<T>(beta / 2), static_cast<T>(gamma * 1.4426950408889634),
            static_cast<T>((std::max)(log_min_odds, min_exponent)), static_cast<T>(min_exponent),
            rule == odds::clamped};
  }

  template <class T>
  detail::reverse_sigmoid_weights<T> weights(const row<T>& row) const {
    const detail::reverse_sigmoid_weight<T> each = classwise<T>();
    const simd::vec<T> log_against = simd::log_normal<T>(simd::broadcast(row.odds_against_label()));
    return {each, each.label(simd::broadcast(static_cast<T>(row.confidence())), log_against)[0]};
  }
};

}  // namespace chaff

CHAFF_END

#endif
