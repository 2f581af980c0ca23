// SPDX-License-Identifier: MIT
/// One row through all stages: observe, gate, perturb, keep_label, limit_l1, emit, reduce.
#ifndef CHAFF_PIPELINE_ANSWER_ROW_HPP
#define CHAFF_PIPELINE_ANSWER_ROW_HPP

#include <bit>

#include "chaff/pipeline/emit.hpp"
#include "chaff/pipeline/gate.hpp"
#include "chaff/pipeline/reduce.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A defense of any type: what the stages call.
template <class T>
struct defense_call {
  gate_call<T> gate;
  perturbation_call<T> perturbation;
  std::span<reduction_call<T>> reductions;
};

/// What became of a row.
struct outcome {
  fault why;
  std::size_t label;
};

/// Answers one row of K >= 2 classes. `values` and `output` have one size and are the same memory or apart.
/// With `is_short` it is a row of one stretch, of logits or log-probabilities, without a budget.
template <class T, bool is_short>
CHAFF_NO_IPA outcome answer_row_as(const defense_call<T>& defense, const policy& policy, const T* values, T* output,
                                   std::size_t classes, const row_position& position) {
  working_row<T, is_short> row;
  if (const fault why = observe({values, classes}, policy.input, output, row); why != fault::none) return {why, 0};
  prepare_reductions(defense.reductions, row.facts);  // now, since an output in place overwrites the row

  const T alpha = alpha_of<T>(defense.gate.evaluate(defense.gate.gate, row.facts));
  const bool as_logarithms = policy.answer != form::probabilities;
  // Where the time must not tell the gate's side, a closed row goes the open way, with alpha = 0. One number says so,
  // +0 where the row goes the closed way: of two conditions, a branch of the compiler's choice would know the gate's
  // side.
  const auto open_way = std::bit_cast<simd::int_of<T>>(alpha) | static_cast<simd::int_of<T>>(policy.constant_time_gate);
  if (open_way == 0) {
    if (as_logarithms && policy.input != form::probabilities && defense.reductions.empty() &&
        !(policy.label_margin > 0)) {
      emit_log_posterior(row.facts, output, policy.keep_label);
      return {fault::none, row.facts.label};
    }
    emit_output<T>(row, nullptr, keep_label<T, is_short>(row, nullptr, policy));
  } else {
    perturbed_row<T> perturbed(defense.perturbation, row.facts, position);
    perturb(row, perturbed, alpha, policy.keep_label);
    const normalisation<T> y = keep_label(row, &perturbed, policy);
    if constexpr (!is_short) {
      if (policy.max_l1 < 2) {
        emit_mixture(row, perturbed, limit_l1(row, perturbed, y, policy), policy);
      } else {
        emit_output(row, &perturbed, y);
      }
    } else {
      emit_output(row, &perturbed, y);
    }
  }
  const std::span<T> probabilities(output, classes);
  reduce<T>(defense.reductions, probabilities, row.facts.label, policy);
  if (as_logarithms) take_logarithms(probabilities, row.facts.label, policy.keep_label);
  return {fault::none, row.facts.label};
}

/// Answers one row of K >= 2 classes by the kernel for its size.
template <class T>
[[gnu::always_inline]] inline outcome answer_row(const defense_call<T>& defense, const policy& policy, const T* values,
                                                 T* output, std::size_t classes, const row_position& position) {
  const bool is_short = classes <= stretch_classes<T> && policy.input != form::probabilities && !(policy.max_l1 < 2);
  return is_short ? answer_row_as<T, true>(defense, policy, values, output, classes, position)
                  : answer_row_as<T, false>(defense, policy, values, output, classes, position);
}

/// Answers a row of one class, a single sigmoid logit z: as the two classes of the logits {z, 0}, of which the first is
/// written. At exactly 1/2 there is no label to keep ahead, and the output is 1/2 unless a reduction decides.
template <class T>
CHAFF_NO_IPA outcome answer_sigmoid(const defense_call<T>& defense, const policy& policy, T value, T& output,
                                    const row_position& position) {
  T pair[2] = {value, T(0)};
  if (simd::is_nan(value)) return {fault::nan, 0};
  if (value >= std::numeric_limits<T>::infinity()) return {fault::infinite, 0};
  if (value <= -std::numeric_limits<T>::infinity()) return {fault::all_masked, 0};
  if (policy.input != form::logits) {
    const bool is_log = policy.input == form::log_probabilities;
    const T largest = is_log ? T(0) : T(1);
    if (value > largest + T(0.01)) return {fault::not_a_distribution, 0};
    pair[0] = (std::min)(value, largest);
    pair[1] = is_log ? static_cast<T>(simd::log_complement_of(static_cast<double>(pair[0]))) : 1 - pair[0];
  }
  const bool undecided =
      defense.reductions.empty() && is_exactly(pair[0], pair[1]) && policy.keep_label && !(policy.label_margin > 0);
  auto policy_of_pair = policy;
  policy_of_pair.answer = form::probabilities;
  T both[2];
  const outcome result = answer_row<T>(defense, policy_of_pair, pair, both, 2, position);
  if (result.why != fault::none) return result;
  if (undecided) {
    both[0] = both[1] = T(0.5);
  } else if (policy.keep_label) {
    // a lead too small for T still shows on which side of 1/2 the logit was
    both[0] = result.label == 0 ? (std::max)(both[0], std::nextafter(T(0.5), T(1)))
                                : (std::min)(both[0], std::nextafter(T(0.5), T(0)));
  }
  // near 1/2, what rounding or the lead above left out of the sum would be much of the log-odds
  if (both[0] > T(0.25) && both[0] < T(0.75)) both[1] = T(1) - both[0];
  output = both[0];
  if (policy.answer != form::probabilities) {
    double log_p = simd::log_of_nonnegative(static_cast<double>(both[0]));
    if (policy.answer == form::logits) log_p -= simd::log_of_nonnegative(static_cast<double>(both[1]));
    output = static_cast<T>(log_p);
  }
  return result;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
