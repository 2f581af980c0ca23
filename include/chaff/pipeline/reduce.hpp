// SPDX-License-Identifier: MIT
/// Stage 7, reduce: releases less of the output.
#ifndef CHAFF_PIPELINE_REDUCE_HPP
#define CHAFF_PIPELINE_REDUCE_HPP

#include "chaff/pipeline/perturb.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A reduction of any type.
template <class T>
struct reduction_call {
  const void* reduction;
  /// Prepares what must be read of a row before the output is written, which may be the row's own memory; null where
  /// the reduction reads the output alone.
  void (*prepare)(const void* reduction, const row<T>& row, prepared_memory& memory);
  void (*reduce)(const void* reduction, const prepared_memory& memory, std::span<T> output, kept_label kept);
  prepared_memory memory;
};

template <class T, class R>
void set_call_of_type(const R& reduction, reduction_call<T>& call) {
  using ForRow = std::remove_cvref_t<decltype(reduction_for_row(reduction, std::declval<const row<T>&>()))>;
  call.reduction = &reduction;
  if constexpr (std::is_same_v<ForRow, R>) {
    call.prepare = nullptr;
    call.reduce = [](const void* own, const prepared_memory&, std::span<T> output, kept_label kept) {
      (*static_cast<const R*>(own))(output, kept);
    };
  } else {
    static_assert(sizeof(ForRow) <= prepared_memory::size && alignof(ForRow) <= simd::vector_bytes &&
                      std::is_trivially_destructible_v<ForRow>,
                  "for_row of a reduction returns a plain object of at most 128 bytes");
    call.prepare = [](const void* own, const row<T>& row, prepared_memory& memory) {
      ::new (memory.bytes) ForRow(static_cast<const R*>(own)->for_row(row));
    };
    call.reduce = [](const void*, const prepared_memory& memory, std::span<T> output, kept_label kept) {
      (*std::launder(reinterpret_cast<const ForRow*>(memory.bytes)))(output, kept);
    };
  }
}

template <class T, class R>
void set_reduction_call(const R& reduction, reduction_call<T>& call) {
  if constexpr (requires { reduction.set_call(call); }) {  // that of an any_defense, looked up before
    reduction.set_call(call);
  } else {
    set_call_of_type(reduction, call);
  }
}

template <class T>
[[gnu::always_inline]] inline void prepare_reductions(std::span<reduction_call<T>> reductions, const row<T>& row) {
  for (std::size_t i = 0; i < reductions.size(); ++i) {
    reduction_call<T>& each = reductions[i];
    if (each.prepare != nullptr) each.prepare(each.reduction, row, each.memory);
  }
}

/// Reduces an output of probabilities, from the first reduction to the last. They keep the predicted label or, where
/// the policy does not, the output's own.
template <class T>
[[gnu::always_inline]] inline void reduce(std::span<const reduction_call<T>> reductions, std::span<T> output,
                                          std::size_t label, const policy& policy) {
  if (reductions.empty()) return;
  const kept_label kept{policy.keep_label ? label : find_argmax(output.data(), output.size()).index,
                        policy.label_margin};
  for (const reduction_call<T>& each : reductions) each.reduce(each.reduction, each.memory, output, kept);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
