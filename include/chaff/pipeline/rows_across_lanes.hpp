// SPDX-License-Identifier: MIT
/// A kernel for batches of short rows: the same stages with a row in each lane, and the same bits.
#ifndef CHAFF_PIPELINE_ROWS_ACROSS_LANES_HPP
#define CHAFF_PIPELINE_ROWS_ACROSS_LANES_HPP

#include "chaff/pipeline/answer_row.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The largest number of classes of a row that this kernel takes: 32, perturbed 16 at a time.
inline constexpr std::size_t max_classes_across = 2 * stretch_blocks;

/// Whether rows can go this way: logits to probabilities, without margin, budget or reductions, under a perturbation
/// that weighs each class by itself.
template <class T>
[[gnu::always_inline]] inline bool fits_across(std::size_t classes, const policy& policy,
                                               const defense_call<T>& defense) {
  return classes >= 2 && classes <= max_classes_across && policy.input == form::logits &&
         policy.answer == form::probabilities && !(policy.label_margin > 0) && !(policy.max_l1 < 2) &&
         defense.perturbation.is_classwise() && defense.reductions.empty();
}

/// Class c of each of the rows.
template <class T>
struct classes_across {
  simd::vec<T> of[max_classes_across];

  [[gnu::always_inline]] void gather(const T* rows, std::size_t classes) {
    for (std::size_t c = 0; c < classes; ++c) {
      simd::vec<T> across{};
      for (std::size_t r = 0; r < simd::width<T>; ++r) across[r] = rows[r * classes + c];
      of[c] = across;
    }
  }

  [[gnu::always_inline]] T* data() { return reinterpret_cast<T*>(of); }
};

/// The sum of term(c) over the classes, in the order of a row_sum: classes as far apart as a block is long, then by
/// halves.
template <class T, class Term>
[[gnu::always_inline]] inline simd::vec<T> sum_across_rows(std::size_t classes, Term term) {
  simd::vec<T> part[simd::width<T>];
  std::size_t left = (std::min)(classes, simd::width<T>);
  part[0] = term(0);
  for (std::size_t c = 1; c < left; ++c) part[c] = term(c);
  for (std::size_t c = left; c < classes; ++c) part[c % simd::width<T>] += term(c);
  for (std::size_t half = simd::width<T> / 2; half > 0; half /= 2) {
    for (std::size_t c = 0; c + half < left; ++c) part[c] += part[c + half];
    left = (std::min)(left, half);
  }
  return part[0];
}

/// Answers width<T> rows, one after another in memory, that fit. `values` and `output` are the same memory or apart.
/// Returns false, with nothing written, where a row has no output.
template <class T>
CHAFF_NO_IPA bool answer_rows_across(const defense_call<T>& defense, const policy& policy, const T* values,
                                     std::size_t classes, T* output) {
  using Int = simd::int_of<T>;
  using Vec = simd::vec<T>;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  if (classes < 2 || classes > max_classes_across) __builtin_unreachable();
  classes_across<T> z, w;

  // observe
  z.gather(values, classes);
  Vec top = z.of[0];
  simd::vec<Int> label{};
  simd::mask<T> nan = simd::is_nan<T>(top);
  for (std::size_t c = 1; c < classes; ++c) {
    nan |= simd::is_nan<T>(z.of[c]);
    label = z.of[c] > top ? simd::vec<Int>{} + static_cast<Int>(c) : label;
    top = simd::maximum<T>(z.of[c], top);
  }
  if (simd::any_of<T>(nan | simd::is_infinity<T>(top, infinity) | simd::is_infinity<T>(top, -infinity))) return false;
  const Vec others = sum_across_rows<T>(classes, [&](std::size_t c) CHAFF_INLINE {
    z.of[c] = simd::select<T>(label == static_cast<Int>(c), simd::broadcast(-infinity), z.of[c]);
    w.of[c] = simd::exp_nonpositive<T>(z.of[c] - top);
    return w.of[c];
  });
  Vec mass{}, scale{};
  row<T> rows[simd::width<T>];
  for (std::size_t r = 0; r < simd::width<T>; ++r) {
    rows[r] = {{values + r * classes, classes}, form::logits, static_cast<std::size_t>(label[r]), top[r], 1,
               static_cast<double>(others[r])};
    mass[r] = static_cast<T>(rows[r].mass());
    scale[r] = static_cast<T>(1 / rows[r].mass());
  }

  // gate
  double alphas[simd::width<T>];
  defense.gate.evaluate_rows(defense.gate.gate, rows, alphas);
  Vec alpha{};
  for (std::size_t r = 0; r < simd::width<T>; ++r) alpha[r] = alpha_of<T>(alphas[r]);
  const simd::mask<T> is_closed = alpha <= T(0);

  // perturb and keep_label; the label of a row has e = 1, and so p = scale
  Vec y_scale = scale;
  Vec y_cap = policy.keep_label ? scale * tie_label_cap<T> : simd::broadcast(infinity);
  Vec y_label = scale;
  if (policy.constant_time_gate || simd::any_of<T>(~is_closed)) {
    prepared_memory nothing;
    perturb_input<T> input{top, simd::log_normal<T>(mass), scale, alpha, scale, simd::log_normal<T>(others), {}, {}};
    for (std::size_t first = 0; first < classes; first += stretch_blocks) {
      const std::size_t offset = first * simd::width<T>;
      input.classes = {z.data() + offset, w.data() + offset, first, (std::min)(classes - first, stretch_blocks)};
      defense.perturbation.perturb(defense.perturbation.perturbation, nothing, input);
    }
    Vec label_weight = lift_label(input, policy.keep_label);
    const Vec share =
        simd::select<T>(is_closed, simd::broadcast(tie_label_cap<T>), simd::broadcast(perturbed_label_cap<T>));
    const Vec cap = policy.keep_label ? label_weight * share : simd::broadcast(infinity);
    const Vec sum =
        sum_across_rows<T>(classes, [&](std::size_t c) CHAFF_INLINE { return simd::minimum<T>(w.of[c], cap); });
    Vec inverse_mass{};
    for (std::size_t r = 0; r < simd::width<T>; ++r) {
      T weight = label_weight[r];
      inverse_mass[r] = static_cast<T>(1 / mass_of_weights(static_cast<double>(sum[r]), weight));
      label_weight[r] = weight;
    }
    y_scale = simd::select<T>(is_closed, simd::broadcast(T(1)), inverse_mass);  // with alpha = 0, w is p
    y_cap = simd::select<T>(is_closed, y_cap, cap * inverse_mass);
    y_label = simd::select<T>(is_closed, y_label, label_weight * inverse_mass);
  }

  // emit
  for (std::size_t c = 0; c < classes; ++c) {
    const Vec y = simd::select<T>(label == static_cast<Int>(c), y_label, simd::minimum<T>(w.of[c] * y_scale, y_cap));
    for (std::size_t r = 0; r < simd::width<T>; ++r) output[r * classes + c] = y[r];
  }
  return true;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
