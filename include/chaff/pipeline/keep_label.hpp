// SPDX-License-Identifier: MIT
/// Stage 4, keep_label: caps the other classes below the label, normalises, and gives the label its margin.
#ifndef CHAFF_PIPELINE_KEEP_LABEL_HPP
#define CHAFF_PIPELINE_KEEP_LABEL_HPP

#include <bit>

#include "chaff/pipeline/perturb.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// How weights become probabilities y: y_j = min(w_j scale, cap) kept, and the label's own is `label`.
template <class T>
struct normalisation {
  T scale;
  T cap;  ///< +inf where the label is not kept
  T label;
  T kept;  ///< 1 - t of the mixture with the label's vertex
};

/// The largest of the other classes' weights.
template <class T, bool is_short>
[[gnu::noinline]] T max_weight(working_row<T, is_short>& row, perturbed_row<T>* perturbed) {
  simd::vec<T> greatest{};
  for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE {
    const stretch<T> classes = weights_from(row, perturbed, first);
    for_blocks<T>(classes.blocks, [&](std::size_t i) CHAFF_INLINE {
      greatest = simd::maximum<T>(simd::load<T>(classes.w + i), greatest);
    });
  });
  return simd::max_across<T>(greatest);
}

/// Mixes y with the label's vertex, y <- (1 - t) y + t e_label, so that it has the margin; returns t.
/// `max_other` is the largest y of another class. A function of its own: inlined, a compiler could fuse the label's
/// product into the lead, in one kernel and not in another.
template <class T>
[[gnu::noinline]] double add_margin(normalisation<T>& y, T max_other, double margin) {
  const double t = share_for_margin<T>(static_cast<double>(y.label) - static_cast<double>(max_other), margin);
  y.kept = static_cast<T>(1 - t);
  y.label = static_cast<T>(static_cast<double>(y.label) * (1 - t) + t);
  return t;
}

/// The normalisation of the posterior: the weights are e.
template <class T, bool is_short>
[[gnu::always_inline]] inline normalisation<T> keep_label_of_posterior(const working_row<T, is_short>& row,
                                                                       bool keep_label) {
  const T label = row.label_p();
  return {row.scale, keep_label ? label * tie_label_cap<T> : std::numeric_limits<T>::infinity(), label, 1};
}

/// What weights are divided by so that they sum to 1; a row without any becomes the label's alone.
template <class T>
[[gnu::always_inline]] inline double mass_of_weights(double others, T& label_weight) {
  const double mass = others + static_cast<double>(label_weight);
  if (mass > 0) return mass;
  label_weight = 1;
  return 1;
}

/// 1 where alpha is 0 and else 0: an index, since a branch would show in the time.
template <class T>
[[gnu::always_inline]] inline std::size_t is_closed(const perturbed_row<T>& perturbed) {
  using Bits = std::make_unsigned_t<simd::int_of<T>>;
  return (std::bit_cast<Bits>(T(perturbed.input.alpha[0])) - 1) >> (8 * sizeof(Bits) - 1);
}

/// The normalisation of a perturbed row's weights under the label cap.
/// With alpha = 0 the weights are the posterior itself, and stay as they are: a gate of constant time comes this way.
template <class T, bool is_short>
[[gnu::always_inline]] inline normalisation<T> keep_label_of_weights(working_row<T, is_short>& row,
                                                                     perturbed_row<T>& perturbed,
                                                                     const policy& policy) {
  const std::size_t closed = is_closed(perturbed);
  constexpr T shares[] = {perturbed_label_cap<T>, tie_label_cap<T>};
  T label = perturbed.label_weight;
  const T cap = policy.keep_label ? label * shares[closed] : std::numeric_limits<T>::infinity();
  const auto sum_of_stretch = [&](std::size_t first) CHAFF_INLINE {
    const stretch<T> classes = weights_from(row, &perturbed, first);
    simd::vec<T> sum{};
    for_short_visits<is_short, T>(classes.blocks, [&](std::size_t i) CHAFF_INLINE {
      sum += simd::minimum<T>(simd::load<T>(classes.w + i), simd::broadcast(cap));
    });
    return sum;
  };
  double others;
  if constexpr (is_short) {
    others = static_cast<double>(simd::sum_across<T>(sum_of_stretch(0)));
  } else {
    simd::row_sum<T> sum;
    for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE { sum.carry(sum_of_stretch(first)); });
    others = sum.total();
  }
  const double mass = mass_of_weights(others, label);
  const double masses[] = {mass, 1};
  const T scale = static_cast<T>(1 / masses[closed]);
  return {scale, cap * scale, label * scale, 1};
}

/// Caps, normalises, and gives the label its margin. `perturbed` is null for a closed row.
template <class T, bool is_short>
[[gnu::always_inline]] inline normalisation<T> keep_label(working_row<T, is_short>& row, perturbed_row<T>* perturbed,
                                                          const policy& policy) {
  normalisation<T> y = perturbed == nullptr ? keep_label_of_posterior(row, policy.keep_label)
                                            : keep_label_of_weights(row, *perturbed, policy);
  if (policy.label_margin > 0) {
    add_margin(y, (std::min)(max_weight(row, perturbed) * y.scale, y.cap), policy.label_margin);
  }
  return y;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
