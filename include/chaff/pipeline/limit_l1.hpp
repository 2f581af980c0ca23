// SPDX-License-Identifier: MIT
/// Stage 5, limit_l1: moves a perturbed row back towards its posterior, as far as the L1 budget requires.
#ifndef CHAFF_PIPELINE_LIMIT_L1_HPP
#define CHAFF_PIPELINE_LIMIT_L1_HPP

#include "chaff/pipeline/keep_label.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// What the output is mixed from: q + s (y - q), y the normalised weights and q the posterior, both with the margin.
template <class T>
struct mixture {
  normalisation<T> y;
  normalisation<T> q;
  T s;  ///< 1: the output is y
};

template <class T>
[[gnu::noinline]] const T* copy_beside_label(const stretch<T>& classes, std::size_t from_label, T* buffer) {
  std::memcpy(buffer, classes.z, classes.blocks * simd::width<T> * sizeof(T));
  buffer[from_label] = -std::numeric_limits<T>::infinity();
  return buffer;
}

/// The logits of a stretch with the label masked, so that its e is 0: in `buffer` where they lie in the row itself.
template <class T>
[[gnu::always_inline]] inline const T* logits_beside_label(const working_row<T, false>& row, const stretch<T>& classes,
                                                           T* buffer) {
  const std::size_t from_label = row.facts.label - classes.first;
  if (from_label >= classes.blocks * simd::width<T>) [[likely]]
    return classes.z;
  return copy_beside_label(classes, from_label, buffer);
}

/// Whether loops that evaluate exponentials are compiled for one block at a time, where the code would else be long.
inline constexpr bool is_compact = simd::vector_bytes == 16;

/// The blocks of a row's posterior and of its normalised weights: e is evaluated anew from the logits, since the
/// weights have taken its place.
template <class T>
struct posterior_and_weights {
  simd::vec<T> top, scale, cap;

  posterior_and_weights(const working_row<T, false>& row, T weight_scale, T weight_cap)
      : top(simd::broadcast(row.logit_of_one())),
        scale(simd::broadcast(weight_scale)),
        cap(simd::broadcast(weight_cap)) {}

  [[gnu::always_inline]] simd::vec<T> e(const T* z) const { return simd::exp_nonpositive<T>(simd::load<T>(z) - top); }
  [[gnu::always_inline]] simd::vec<T> y(const T* w) const { return simd::minimum<T>(simd::load<T>(w) * scale, cap); }
};

/// The largest e of the classes other than the label, from the row itself: the weights have taken the place of e.
template <class T>
[[gnu::noinline]] T max_exponential_of_others(const working_row<T, false>& row) {
  T greatest = row.facts.masked_value();
  for (std::size_t i = 0; i < row.classes(); ++i) {
    // the label's own value is overwritten where the output is in place
    if (i != row.facts.label) greatest = (std::max)(greatest, row.facts.values[i]);
  }
  if (row.facts.input == form::probabilities) return greatest;
  return simd::exp_nonpositive<T>(simd::broadcast(greatest - row.facts.label_value))[0];
}

/// The mixture of a perturbed row under a budget: s is the largest in [0, 1] with |output - p|_1 <= max_l1. Where the
/// margin alone moves the posterior further than that, it outranks the budget, and s is 0.
/// Cost: a pass that evaluates e again.
template <class T>
[[gnu::noinline]] mixture<T> limit_l1(working_row<T, false>& row, perturbed_row<T>& perturbed,
                                      const normalisation<T>& y, const policy& policy) {
  mixture<T> mixed{y, keep_label_of_posterior(row, policy.keep_label), 1};
  normalisation<T>& q = mixed.q;
  alignas(simd::vector_bytes) T buffer[stretch_classes<T>];
  double from_p_to_q = 0;
  if (policy.label_margin > 0) {
    const T max_other = (std::min)(max_exponential_of_others(row) * q.scale, q.cap);
    const double label_p = static_cast<double>(q.label);
    const double t = add_margin(q, max_other, policy.label_margin);
    from_p_to_q = 2 * t * (1 - label_p);
  }
  const posterior_and_weights<T> both(row, y.scale * y.kept, y.cap * y.kept);
  const simd::vec<T> minus_q = simd::broadcast(-q.scale * q.kept);
  simd::row_sum<T> from_q_to_y;
  for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE {
    const stretch<T> classes = weights_from(row, &perturbed, first);
    const T* const z = logits_beside_label(row, classes, buffer);
    simd::vec<T> sum{};
    for_short_visits<is_compact, T>(classes.blocks, [&](std::size_t i) CHAFF_INLINE {
      sum += simd::absolute<T>(simd::multiply_add<T>(both.e(z + i), minus_q, both.y(classes.w + i)));
    });
    from_q_to_y.carry(sum);
  });
  const double distance = from_q_to_y.total() + (std::abs)(static_cast<double>(y.label) - static_cast<double>(q.label));
  // a little less than the policy allows, so that the rounded output keeps within it
  const double budget = policy.max_l1 - 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) - from_p_to_q;
  // a closed row comes here where the time must not tell; its y and q are one, and y has the bits of a closed row
  const double shares[] = {distance > (std::max)(budget, 0.0) ? (std::max)(budget, 0.0) / distance : 1, 1};
  mixed.s = static_cast<T>(shares[is_closed(perturbed)]);
  return mixed;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
