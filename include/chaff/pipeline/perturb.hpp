// SPDX-License-Identifier: MIT
/// Stage 3, perturb: replaces the exponentials of an open row by its weights.
#ifndef CHAFF_PIPELINE_PERTURB_HPP
#define CHAFF_PIPELINE_PERTURB_HPP

#include <new>
#include <type_traits>

#include "chaff/concepts.hpp"
#include "chaff/perturbations/query.hpp"
#include "chaff/pipeline/observe.hpp"
#include "chaff/posterior/label_lead.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Memory for what a perturbation or a reduction prepares for one row.
struct prepared_memory {
  static constexpr std::size_t size = 128;
  alignas(simd::vector_bytes) std::byte bytes[size];
};

/// Blocks to be perturbed. Each vector holds a number for each lane: the same one where the lanes are classes of one
/// row, and that of each row where the lanes are rows.
template <class T>
struct perturb_input {
  simd::vec<T> top;          ///< the logit of e = 1
  simd::vec<T> log_mass;     ///< log p = (z - top) - log_mass
  simd::vec<T> scale;        ///< p = e scale
  simd::vec<T> alpha;        ///< from the gate
  simd::vec<T> label_p;      ///< p of the label
  simd::vec<T> log_against;  ///< log((1 - p) / p) of the label
  simd::vec<T> label;        ///< result: (1 - alpha) p + alpha w of the label, from the classes that begin at 0
  stretch<T> classes;        ///< in: z and e; result: (1 - alpha) p + alpha w in place of e

  [[gnu::always_inline]] block<T> at(std::size_t offset) const {
    return {classes.first + offset, simd::width<T>, simd::load<T>(classes.w + offset) * scale,
            simd::load<T>(classes.z + offset) - top - log_mass};
  }
  /// Stores the weights of a block; a masked class has none.
  [[gnu::always_inline]] void store(std::size_t offset, simd::vec<T> w) const {
    const simd::mask<T> is_masked =
        simd::is_infinity<T>(simd::load<T>(classes.z + offset), -std::numeric_limits<T>::infinity());
    simd::store<T>(classes.w + offset, simd::select<T>(is_masked, simd::vec<T>{}, w));
  }
};

/// A perturbation of any type.
template <class T>
struct perturbation_call {
  const void* perturbation;
  /// Prepares what is the same for all classes of a row; null for a classwise perturbation, which needs nothing.
  void (*prepare)(const void* perturbation, const row<T>& row, const row_position& position, prepared_memory& memory);
  void (*perturb)(const void* perturbation, const prepared_memory& memory, perturb_input<T>& input);
  void (*release)(prepared_memory& memory);  ///< null where nothing is to be released

  [[gnu::always_inline]] bool is_classwise() const { return prepare == nullptr; }
};

template <class T, class P>
CHAFF_NO_IPA void perturb_classwise(const void* perturbation, const prepared_memory&, perturb_input<T>& result) {
  const auto each = static_cast<const P*>(perturbation)->template classwise<T>();
  const perturb_input<T> input = result;  // a copy that no store can change, so that it stays in registers
  // two loops, each short enough that a processor works on many blocks at a time
  simd::vec<T> steps[stretch_blocks];
  for_blocks<T>(input.classes.blocks, [&](std::size_t i) CHAFF_INLINE {
    simd::store<T>(reinterpret_cast<T*>(steps) + i, each.step(input.at(i)));
  });
  for_blocks<T>(input.classes.blocks, [&](std::size_t i) CHAFF_INLINE {
    const simd::vec<T> p = simd::load<T>(input.classes.w + i) * input.scale;
    input.store(i, each.blend(p, simd::load<T>(reinterpret_cast<const T*>(steps) + i), input.alpha));
  });
  if (input.classes.first == 0) {
    const simd::vec<T> label = each.label(input.label_p, input.log_against);
    result.label = simd::multiply_add<T>(input.alpha, label - input.label_p, input.label_p);
  }
}

template <class T, class Weights>
CHAFF_NO_IPA void perturb_rowwise(const void*, const prepared_memory& memory, perturb_input<T>& result) {
  const Weights& weights = *std::launder(reinterpret_cast<const Weights*>(memory.bytes));
  const perturb_input<T> input = result;
  // of two products, so that the weights of an open row are w and hold nothing of p, not even in their last bits
  const simd::vec<T> kept = T(1) - input.alpha;
  for_blocks<T>(input.classes.blocks, [&](std::size_t i) CHAFF_INLINE {
    const block<T> block = input.at(i);
    const simd::vec<T> blend = simd::multiply_add<T>(input.alpha, weights(block), block.p * kept);
    input.store(i, simd::maximum<T>(blend, simd::vec<T>{}));
  });
  const simd::vec<T> label = simd::broadcast(static_cast<T>(weights.label));
  result.label = simd::multiply_add<T>(input.alpha, label, input.label_p * kept);
}

/// A perturbation for the row at a position: bound to it where it needs the query, and otherwise as it is.
template <class P>
[[gnu::always_inline]] inline decltype(auto) perturbation_at(const P& perturbation, const row_position& position) {
  if constexpr (requires { perturbation.at(position); }) {
    return perturbation.at(position);
  } else {
    return (perturbation);
  }
}

template <class T, class P>
using weights_of = std::remove_cvref_t<decltype(perturbation_at(std::declval<const P&>(), std::declval<row_position>())
                                                    .weights(std::declval<const row<T>&>()))>;

/// A perturbation of which the call was looked up before: that of an any_defense.
template <class P, class T>
concept ErasedPerturbation = requires(const P& perturbation) {
  { perturbation.template call<T>() } -> std::same_as<const perturbation_call<T>&>;
};

template <class T, class P>
constexpr perturbation_call<T> perturbation_call_of(const P& perturbation) {
  if constexpr (ErasedPerturbation<P, T>) {
    return perturbation.template call<T>();
  } else if constexpr (ClasswisePerturbation<P, T>) {
    return {&perturbation, nullptr, &perturb_classwise<T, P>, nullptr};
  } else {
    using Weights = weights_of<T, P>;
    static_assert(sizeof(Weights) <= prepared_memory::size && alignof(Weights) <= simd::vector_bytes,
                  "the weights of a perturbation are an object of at most 128 bytes: hold larger data by a pointer");
    perturbation_call<T> call{
        &perturbation,
        [](const void* own, const row<T>& row, const row_position& position, prepared_memory& memory) {
          ::new (memory.bytes) Weights(perturbation_at(*static_cast<const P*>(own), position).weights(row));
        },
        &perturb_rowwise<T, Weights>, nullptr};
    if constexpr (!std::is_trivially_destructible_v<Weights>) {
      call.release = [](prepared_memory& memory) {
        std::launder(reinterpret_cast<Weights*>(memory.bytes))->~Weights();
      };
    }
    return call;
  }
}

/// What stage 3 knows of an open row.
template <class T>
struct perturbed_row {
  const perturbation_call<T>& call;
  prepared_memory memory;
  perturb_input<T> input;
  T label_weight;  ///< (1 - alpha) p + alpha w of the label, lifted to min_label_weight where the label is kept

  [[gnu::always_inline]] perturbed_row(const perturbation_call<T>& given, const row<T>& row,
                                       const row_position& position)
      : call(given) {
    if (!call.is_classwise()) call.prepare(call.perturbation, row, position, memory);
  }
  perturbed_row(const perturbed_row&) = delete;
  perturbed_row& operator=(const perturbed_row&) = delete;
  [[gnu::always_inline]] ~perturbed_row() {
    if (call.release != nullptr) call.release(memory);
  }
};

/// (1 - alpha) p + alpha w of a label, lifted to min_label_weight where the label is kept.
template <class T>
[[gnu::always_inline]] inline simd::vec<T> lift_label(const perturb_input<T>& input, bool keep_label) {
  const T lowest = keep_label ? static_cast<T>(min_label_weight) : T(0);
  return simd::maximum<T>(input.label, simd::broadcast(lowest));
}

template <class T, bool is_short>
[[gnu::always_inline]] inline void perturb_stretch(working_row<T, is_short>& row, perturbed_row<T>& perturbed,
                                                   const stretch<T>& classes) {
  perturbed.input.classes = classes;
  perturbed.call.perturb(perturbed.call.perturbation, perturbed.memory, perturbed.input);
  // the label's own weight is held apart; a buffer masks the label
  if constexpr (!is_short) {
    const std::size_t from_label = row.facts.label - classes.first;
    if (from_label < classes.blocks * simd::width<T>) classes.w[from_label] = 0;
  }
}

/// Fills the buffers with a stretch of a row of which nothing is held, and perturbs it where the row is open.
template <class T>
[[gnu::noinline]] void refill(working_row<T, false>& row, perturbed_row<T>* perturbed, const stretch<T>& buffers) {
  fill_buffers(row, buffers.first);
  if (perturbed != nullptr) perturb_stretch(row, *perturbed, buffers);
}

/// The stretch of a row that begins at a class, with its weights: those that are held, or made anew. `perturbed` is
/// null for a closed row, whose weights are e.
template <class T, bool is_short>
[[gnu::always_inline]] inline stretch<T> weights_from(working_row<T, is_short>& row, perturbed_row<T>* perturbed,
                                                      std::size_t first) {
  if constexpr (is_short) return {row.z, row.w, 0, row.blocks_from(0)};
  if constexpr (!is_short) {
    const std::size_t blocks = row.blocks_from(first);
    if (first < row.in_output) return {row.facts.values.data() + first, row.output + first, first, blocks};
    const stretch<T> buffers{row.z, row.w, first, blocks};
    if (!row.is_held) refill(row, perturbed, buffers);
    return buffers;
  }
}

/// Perturbs an open row: e becomes the weights where it is held, and the label's weight is found.
template <class T, bool is_short>
[[gnu::always_inline]] inline void perturb(working_row<T, is_short>& row, perturbed_row<T>& perturbed, T alpha,
                                           bool keep_label) {
  // both logarithms at once
  simd::vec<T> logs = simd::broadcast(static_cast<T>(row.facts.mass()));
  logs[1] = is_short ? static_cast<T>(row.facts.other_mass) : row.facts.odds_against_label();
  logs = simd::log_normal<T>(logs);
  perturb_input<T>& input = perturbed.input;
  input.top = simd::broadcast(row.logit_of_one());
  input.log_mass = simd::broadcast(logs[0]);
  input.scale = simd::broadcast(row.scale);
  input.alpha = simd::broadcast(alpha);
  input.label_p = simd::broadcast(row.label_p());
  input.log_against = simd::broadcast(logs[1]);
  if (is_short || row.is_held) {
    for_each_stretch(row, [&](std::size_t first)
                              CHAFF_INLINE { perturb_stretch(row, perturbed, weights_from(row, &perturbed, first)); });
  } else {
    weights_from(row, &perturbed, 0);
  }
  perturbed.label_weight = lift_label(input, keep_label)[0];
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
