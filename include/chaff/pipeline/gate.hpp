// SPDX-License-Identifier: MIT
/// Stage 2, gate: the weight alpha of the perturbation in the blend.
#ifndef CHAFF_PIPELINE_GATE_HPP
#define CHAFF_PIPELINE_GATE_HPP

#include "chaff/concepts.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A gate of any type: alpha of one row, and of width<T> rows.
template <class T>
struct gate_call {
  const void* gate;
  double (*evaluate)(const void* gate, const row<T>& row);
  void (*evaluate_rows)(const void* gate, const row<T>* rows, double* alphas);
};

template <class T, class G>
double evaluate_gate(const void* gate, const row<T>& row) {
  return static_cast<double>((*static_cast<const G*>(gate))(row));
}

template <class T, class G>
void evaluate_gate_of_rows(const void* gate, const row<T>* rows, double* alphas) {
  for (std::size_t r = 0; r < simd::width<T>; ++r) alphas[r] = evaluate_gate<T, G>(gate, rows[r]);
}

/// A gate of which the call was looked up before: that of an any_defense.
template <class G, class T>
concept ErasedGate = requires(const G& gate) {
  { gate.template call<T>() } -> std::same_as<const gate_call<T>&>;
};

template <class T, class G>
[[gnu::always_inline]] constexpr gate_call<T> gate_call_of(const G& gate) {
  if constexpr (ErasedGate<G, T>) {
    return gate.template call<T>();
  } else {
    return {&gate, &evaluate_gate<T, G>, &evaluate_gate_of_rows<T, G>};
  }
}

/// What a gate returned, as alpha: exactly 0 where it is closed to within an epsilon of T; and 1 where a gate of the
/// user returned NaN or more than 1, which is the defended side.
template <class T>
[[gnu::always_inline]] inline T alpha_of(double returned) {
  // lanes are compared without a branch, whose wrong predictions would show in the time
  const simd::vec<T> open = simd::broadcast(returned <= 1 ? static_cast<T>(returned) : T(1));
  return simd::select<T>(open > std::numeric_limits<T>::epsilon(), open, simd::vec<T>{})[0];
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
