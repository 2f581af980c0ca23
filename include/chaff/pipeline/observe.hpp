// SPDX-License-Identifier: MIT
/// Stage 1, observe: finds the facts about a row, and the exponential of each class.
#ifndef CHAFF_PIPELINE_OBSERVE_HPP
#define CHAFF_PIPELINE_OBSERVE_HPP

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "chaff/posterior/softmax.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The number of blocks in a stretch of a row: as many as a row_sum adds before it carries on.
inline constexpr std::size_t stretch_blocks = simd::row_sum<float>::max_blocks;
template <class T>
inline constexpr std::size_t stretch_classes = stretch_blocks* simd::width<T>;

/// Neighbouring classes of a row in whole blocks. The last block is padded with masked classes.
template <class T>
struct stretch {
  const T* z;         ///< logits; -inf for the label where z is a buffer
  T* w;               ///< e, and after stage 3 the weights; 0 for the label
  std::size_t first;  ///< the class in the first lane
  std::size_t blocks;
};

/// One row on its way through the stages.
///
/// Where e and the weights are held: a short row, of one stretch, lies in buffers. Of a longer one, whole stretches are
/// held in the output's memory, and what is left over in the buffers, unless it is whole blocks, too. Nothing is held
/// of a long row that is answered in place or that the model returned as probabilities: each pass fills the buffers
/// anew, a stretch at a time. With `is_short` the row is a short one of logits or log-probabilities, and is compiled
/// for that alone.
template <class T, bool is_short>
struct working_row {
  row<T> facts;
  T* output;
  T scale;                ///< p = e scale
  std::size_t blocks;     ///< of a short row
  std::size_t in_output;  ///< the number of classes that are held in the output's memory
  bool is_held;           ///< whether what the buffers hold stays from pass to pass
  alignas(simd::vector_bytes) T z[stretch_classes<T>];
  alignas(simd::vector_bytes) T w[stretch_classes<T>];

  [[gnu::always_inline]] std::size_t classes() const { return facts.classes(); }

  /// p of the label.
  [[gnu::always_inline]] T label_p() const { return is_short ? scale : static_cast<T>(facts.label_mass) * scale; }

  /// The logit of e = 1: the label's or, where z is the logarithm of what the model returned, that of certainty.
  [[gnu::always_inline]] T logit_of_one() const {
    return !is_short && facts.input == form::probabilities ? T(0) : facts.label_value;
  }

  /// The number of blocks in the stretch that begins at a class.
  [[gnu::always_inline]] std::size_t blocks_from(std::size_t first) const {
    if constexpr (is_short) return blocks;
    return ((std::min)(classes() - first, stretch_classes<T>)+simd::width<T> - 1) / simd::width<T>;
  }
};

/// Calls visit(first) for each stretch of a row.
template <class T, bool is_short, class Visit>
[[gnu::always_inline]] inline void for_each_stretch(const working_row<T, is_short>& row, Visit visit) {
  if constexpr (is_short) {
    visit(std::size_t{0});
  } else {
    for (std::size_t first = 0; first < row.classes(); first += stretch_classes<T>) visit(first);
  }
}

/// Calls visit(offset) for each of a number of blocks, at least one.
template <class T, class Visit>
[[gnu::always_inline]] inline void for_blocks(std::size_t blocks, Visit visit) {
  const std::size_t end = blocks * simd::width<T>;
  std::size_t offset = 0;
  do {
    visit(offset);
    offset += simd::width<T>;
  } while (offset != end);
}

/// for_blocks for a visit so short that the loop's own instructions would count: two blocks at a time, but for the few
/// blocks of a short row.
template <bool is_short, class T, class Visit>
[[gnu::always_inline]] inline void for_short_visits(std::size_t blocks, Visit visit) {
  if constexpr (is_short) {
    for (std::size_t b = 0; b < blocks; ++b) visit(b * simd::width<T>);
  } else {
    for (std::size_t b = 0; b + 2 <= blocks; b += 2) {
      visit(b * simd::width<T>);
      visit(b * simd::width<T> + simd::width<T>);
    }
    if (blocks % 2 != 0) visit((blocks - 1) * simd::width<T>);
  }
}

/// Copies a row of one stretch into whole blocks, and finds its argmax on the way.
template <class T>
[[gnu::always_inline]] inline row_argmax<T> copy_and_find(std::span<const T> values, T* z) {
  using Int = simd::int_of<T>;
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  simd::vec<T> greatest = simd::broadcast(lowest);
  simd::vec<Int> here = simd::iota<Int>(0);
  simd::vec<Int> index = here;
  simd::mask<T> nan{};
  simd::for_each_block<T>(values.size(), [&](std::size_t first, auto count) CHAFF_INLINE {
    const simd::vec<T> value = simd::load<T>(values.data() + first, count, lowest);
    simd::store<T>(z + first, value);
    nan |= simd::is_nan<T>(value);
    index = value > greatest ? here : index;
    greatest = simd::maximum<T>(value, greatest);
    here += static_cast<Int>(simd::width<T>);
  });
  const T top = simd::max_across<T>(greatest);
  const simd::vec<Int> none = simd::vec<Int>{} + (std::numeric_limits<Int>::max)();
  return {top, static_cast<std::size_t>(simd::min_across<Int>(greatest >= top ? index : none)), simd::any_of<T>(nan)};
}

/// Writes e = exp(z - top) of whole blocks, and returns its sum, block by block.
template <class T>
[[gnu::always_inline]] inline simd::vec<T> write_exponentials(const T* z, T* e, std::size_t blocks, T top) {
  simd::vec<T> sum{};
  for_blocks<T>(blocks, [&](std::size_t i) CHAFF_INLINE {
    const simd::vec<T> value = simd::exp_nonpositive<T>(simd::load<T>(z + i) - top);
    simd::store<T>(e + i, value);
    sum += value;
  });
  return sum;
}

/// Fills the buffers with a stretch of the row, and returns the sum of its e, block by block.
template <class T>
[[gnu::noinline]] simd::vec<T> fill_buffers(working_row<T, false>& row, std::size_t first) {
  constexpr T masked = -std::numeric_limits<T>::infinity();
  const std::size_t count = (std::min)(row.classes() - first, stretch_classes<T>);
  const T* const values = row.facts.values.data() + first;
  const bool has_label = row.facts.label - first < count;  // wraps where the label lies before
  if (row.facts.input != form::probabilities) {
    simd::store<T>(row.z + (row.blocks_from(first) - 1) * simd::width<T>, simd::broadcast(masked));
    std::memcpy(row.z, values, count * sizeof(T));
    if (has_label) simd::set_number<T>(row.z, row.facts.label - first, masked);
    return write_exponentials<T>(row.z, row.w, row.blocks_from(first), row.facts.label_value);
  }
  simd::store<T>(row.w + (row.blocks_from(first) - 1) * simd::width<T>, simd::vec<T>{});
  std::memcpy(row.w, values, count * sizeof(T));
  if (has_label) row.w[row.facts.label - first] = 0;
  simd::vec<T> sum{};
  for_blocks<T>(row.blocks_from(first), [&](std::size_t i) CHAFF_INLINE {
    const simd::vec<T> p = simd::load<T>(row.w + i);
    simd::store<T>(row.z + i, simd::log_nonnegative<T>(p));
    sum += p;
  });
  return sum;
}

/// Whether a row of probabilities has a negative entry.
template <class T>
bool has_negative(std::span<const T> values) {
  simd::mask<T> negative{};
  simd::for_each_block_compact<T>(values.size(), [&](std::size_t first, std::size_t count) {
    negative |= simd::load_some<T>(values.data() + first, count, T(0)) < T(0);
  });
  return simd::any_of<T>(negative);
}

/// Whether a row of probabilities sums to 1 within what the rounding of K entries to 1/256 may take from it, and has
/// such entries: so 8-bit networks give them.
template <class T>
[[gnu::cold, gnu::noinline]] bool is_8_bit_distribution(const row<T>& facts) {
  if (!(facts.label_value > 0) || (std::abs)(facts.mass() - 1) * 512 > static_cast<double>(facts.classes()))
    return false;
  for (const T value : facts.values) {
    const T codes = value * 256;
    if (static_cast<T>(static_cast<int>(codes)) < codes) return false;
  }
  return true;
}

/// Whether the mass of a row is that of a distribution, within 1 % or within the rounding of 8-bit probabilities.
template <class T>
bool is_distribution(const row<T>& facts) {
  if (facts.input == form::log_probabilities) return (std::abs)(facts.log_sum_exp()) <= 0.01;
  return facts.label_value <= T(1.01) && !has_negative(facts.values) &&
         ((std::abs)(facts.mass() - 1) <= 0.01 || is_8_bit_distribution(facts));
}

/// Finds the facts about a row of K >= 2 classes, and each class's e, and holds it where a working_row says.
/// `output` and `values` are the same memory or apart. A fault is returned, not raised, so that the caller can zero the
/// output first.
template <class T>
[[gnu::always_inline]] inline fault observe(std::span<const T> values, form input, T* output,
                                            working_row<T, true>& row) {
  const row_argmax<T> top = copy_and_find(values, row.z);
  if (const fault why = fault_of(top); why != fault::none) return why;
  row.facts = {values, input, top.index, top.value, 1, 0};
  row.output = output;
  row.blocks = (values.size() + simd::width<T> - 1) / simd::width<T>;
  simd::set_number<T>(row.z, top.index, -std::numeric_limits<T>::infinity());
  row.facts.other_mass =
      static_cast<double>(simd::sum_across<T>(write_exponentials<T>(row.z, row.w, row.blocks_from(0), top.value)));
  if (input != form::logits && !is_distribution(row.facts)) return fault::not_a_distribution;
  row.scale = static_cast<T>(1 / row.facts.mass());
  return fault::none;
}

template <class T>
[[gnu::always_inline]] inline fault observe(std::span<const T> values, form input, T* output,
                                            working_row<T, false>& row) {
  constexpr std::size_t size = stretch_classes<T>;
  const std::size_t classes = values.size();
  const row_argmax<T> top = find_argmax<T>(values.data(), classes);
  if (const fault why = fault_of(top); why != fault::none) return why;
  row.facts = {values, input, top.index, top.value, 1, 0};
  row.output = output;
  const bool is_long = classes > size;
  row.is_held = !is_long || (output != values.data() && input != form::probabilities);
  row.in_output = !row.is_held || !is_long ? 0 : classes % simd::width<T> == 0 ? classes : classes / size * size;
  simd::row_sum<T> sum;
  for_each_stretch(row, [&](std::size_t first) CHAFF_INLINE {
    const std::size_t from_label = top.index - first;
    if (first >= row.in_output) {
      sum.carry(fill_buffers(row, first));
      return;
    }
    const T* z = values.data() + first;
    const std::size_t blocks = row.blocks_from(first);
    if (from_label < size) {
      std::memcpy(row.z, z, blocks * simd::width<T> * sizeof(T));
      row.z[from_label] = -std::numeric_limits<T>::infinity();
      z = row.z;
    }
    sum.carry(write_exponentials<T>(z, output + first, blocks, top.value));
  });
  row.facts.other_mass = sum.total();
  if (input == form::probabilities) row.facts.label_mass = static_cast<double>(top.value);
  if (input != form::logits && !is_distribution(row.facts)) return fault::not_a_distribution;
  row.scale = static_cast<T>(1 / row.facts.mass());
  return fault::none;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
