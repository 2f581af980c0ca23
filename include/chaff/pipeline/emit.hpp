// SPDX-License-Identifier: MIT
/// Stage 6, emit: writes the probabilities of a row, or their logarithms.
#ifndef CHAFF_PIPELINE_EMIT_HPP
#define CHAFF_PIPELINE_EMIT_HPP

#include <cmath>

#include "chaff/pipeline/limit_l1.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Writes what value(offset) returns for each block of a stretch to the row's output, and nothing past the row's end.
/// With `is_compact`, the code has one copy of value.
template <bool is_compact, class T, bool is_short, class Value>
[[gnu::always_inline]] inline void write_stretch(working_row<T, is_short>& row, const stretch<T>& classes,
                                                 Value value) {
  const std::size_t left = row.classes() - classes.first;
  const std::size_t count = is_short ? left : (std::min)(left, stretch_classes<T>);
  T* const output = row.output + classes.first;
  if constexpr (is_compact) {
    return simd::for_each_block_compact<T>(
        count, [&](std::size_t i, std::size_t rest) CHAFF_INLINE { simd::store_some<T>(output + i, value(i), rest); });
  }
  for_short_visits<is_short, T>(count / simd::width<T>,
                                [&](std::size_t i) CHAFF_INLINE { simd::store<T>(output + i, value(i)); });
  const std::size_t rest = count % simd::width<T>;
  if (rest != 0) simd::store<T>(output + (count - rest), value(count - rest), rest);
}

/// Writes normalised weights. `perturbed` is null for a closed row.
template <class T, bool is_short>
[[gnu::always_inline]] inline void emit_here(working_row<T, is_short>& row, perturbed_row<T>* perturbed,
                                             const normalisation<T>& y) {
  const simd::vec<T> scale = simd::broadcast(y.scale), cap = simd::broadcast(y.cap), kept = simd::broadcast(y.kept);
  const bool has_margin = y.kept < 1;
  for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE {
    const stretch<T> classes = weights_from(row, perturbed, first);
    const auto capped = [&](std::size_t i)
                            CHAFF_INLINE { return simd::minimum<T>(simd::load<T>(classes.w + i) * scale, cap); };
    if (has_margin) [[unlikely]] {
      write_stretch<true>(row, classes, [&](std::size_t i) CHAFF_INLINE { return capped(i) * kept; });
    } else {
      write_stretch<false>(row, classes, capped);
    }
  });
  row.output[row.facts.label] = y.label;
}

template <class T>
[[gnu::always_inline]] inline void emit_output(working_row<T, true>& row, perturbed_row<T>* perturbed,
                                               const normalisation<T>& y) {
  emit_here(row, perturbed, y);
}
/// Writes a long row: a function of its own, since three callers share it.
template <class T>
[[gnu::noinline]] void emit_output(working_row<T, false>& row, perturbed_row<T>* perturbed, const normalisation<T>& y) {
  emit_here(row, perturbed, y);
}

/// Writes q + s (y - q) of a row under a budget. If s is 1, that is y, which is written directly, except under
/// constant_time_gate.
template <class T>
[[gnu::noinline]] void emit_mixture(working_row<T, false>& row, perturbed_row<T>& perturbed, const mixture<T>& mixed,
                                    const policy& policy) {
  const normalisation<T>& y = mixed.y;
  const normalisation<T>& q = mixed.q;
  if (!(mixed.s < 1) && !policy.constant_time_gate) return emit_output(row, &perturbed, y);
  const T s = mixed.s;
  const T label = (1 - s) * q.label + s * y.label;
  const simd::vec<T> cap =
      simd::broadcast(policy.keep_label ? label * tie_label_cap<T> : std::numeric_limits<T>::infinity());
  const posterior_and_weights<T> both(row, y.scale, y.cap);
  const simd::vec<T> e_share = simd::broadcast((1 - s) * (q.scale * q.kept)), y_share = simd::broadcast(s * y.kept);
  // what is written for the label is replaced in the end
  for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE {
    const stretch<T> classes = weights_from(row, &perturbed, first);
    write_stretch<is_compact>(row, classes, [&](std::size_t i) CHAFF_INLINE {
      return simd::minimum<T>(simd::multiply_add<T>(both.e(classes.z + i), e_share, both.y(classes.w + i) * y_share),
                              cap);
    });
  });
  row.output[row.facts.label] = label;
}

/// Writes the logarithm of the posterior, from the logits: precise where the posterior itself underflows.
template <class T>
[[gnu::noinline]] void emit_log_posterior(const row<T>& facts, T* output, bool keep_label) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T label = static_cast<T>(simd::log_of(facts.confidence()));
  const T log_mass = static_cast<T>(simd::log_of(facts.mass()));
  const T highest = keep_label ? std::nextafter(label, -infinity) : infinity;
  const T top = facts.label_value;
  simd::for_each_block_compact<T>(facts.classes(), [&](std::size_t first, std::size_t count) CHAFF_INLINE {
    const simd::vec<T> value = simd::load_some<T>(facts.values.data() + first, count, top);
    // a difference past the range of T belongs to a class that is not masked
    const simd::vec<T> log_p =
        simd::maximum<T>(value - top - log_mass, simd::broadcast(std::numeric_limits<T>::lowest()));
    const simd::vec<T> capped = simd::minimum<T>(log_p, simd::broadcast(highest));
    simd::store_some<T>(output + first, simd::select<T>(simd::is_infinity<T>(value, -infinity), value, capped), count);
  });
  output[facts.label] = label;
}

/// Turns an output of probabilities into their logarithms, in place, with the label strictly first if it is kept.
template <class T>
[[gnu::noinline]] void take_logarithms(std::span<T> output, std::size_t label, bool keep_label) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T label_log = simd::log_nonnegative<T>(simd::broadcast(output[label]))[0];
  // close probabilities may have one logarithm: there the others step down
  const T highest = keep_label ? std::nextafter(label_log, -infinity) : infinity;
  simd::for_each_block_compact<T>(output.size(), [&](std::size_t first, std::size_t count) CHAFF_INLINE {
    const simd::vec<T> log_p = simd::log_nonnegative<T>(simd::load_some<T>(output.data() + first, count, T(0)));
    simd::store_some<T>(output.data() + first, simd::minimum<T>(log_p, simd::broadcast(highest)), count);
  });
  output[label] = label_log;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
