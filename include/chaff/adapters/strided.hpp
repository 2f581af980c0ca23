// SPDX-License-Identifier: MIT
/// Answers rows whose classes, or which themselves, are apart in memory, without the heap.
#ifndef CHAFF_ADAPTERS_STRIDED_HPP
#define CHAFF_ADAPTERS_STRIDED_HPP

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <utility>

#include "chaff/apply.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The largest size in bytes of a row that is gathered on the stack: 32768 classes of float, or 16384 of double.
inline constexpr std::size_t max_gathered_bytes = 128 * 1024;

/// Copies every from_step-th number to every to_step-th place, four at a time: the loop's own instructions would count.
template <class T>
[[gnu::noinline]] void copy_strided(const T* from, std::ptrdiff_t from_step, T* to, std::ptrdiff_t to_step,
                                    std::size_t count) {
  for (; count >= 4; count -= 4) {
    const T first = from[0], second = from[from_step], third = from[2 * from_step], fourth = from[3 * from_step];
    to[0] = first;
    to[to_step] = second;
    to[2 * to_step] = third;
    to[3 * to_step] = fourth;
    from += 4 * from_step;
    to += 4 * to_step;
  }
  for (std::size_t i = 0; i < count; ++i) {
    to[static_cast<std::ptrdiff_t>(i) * to_step] = from[static_cast<std::ptrdiff_t>(i) * from_step];
  }
}

/// Rows in memory: class c of row r is data[r * row_stride + c * class_stride].
template <class T>
struct strided_rows {
  T* data;
  std::size_t rows;
  std::size_t classes;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t class_stride;

  T* row(std::size_t r) const { return data + static_cast<std::ptrdiff_t>(r) * row_stride; }
  strided_rows part(std::size_t first, std::size_t end) const {
    return {row(first), end - first, classes, row_stride, class_stride};
  }
  std::size_t size() const { return rows * classes; }
  /// Whether the classes of a row follow one another.
  bool has_whole_rows() const { return class_stride == 1 || classes <= 1; }
  /// Whether the rows do so as well.
  bool is_contiguous() const {
    return size() == 0 || (has_whole_rows() && (rows == 1 || row_stride == static_cast<std::ptrdiff_t>(classes)));
  }

  /// Copies some rows into memory where they follow one another.
  void gather(std::size_t first, std::size_t count, std::remove_const_t<T>* to) const {
    for (std::size_t r = 0; r < count; ++r) {
      copy_strided<std::remove_const_t<T>>(row(first + r), class_stride, to + r * classes, 1, classes);
    }
  }
  void scatter(std::size_t first, std::size_t count, const T* from) const {
    for (std::size_t r = 0; r < count; ++r) {
      copy_strided<T>(from + r * classes, 1, row(first + r), class_stride, classes);
    }
  }
};

/// Zeroes all rows.
template <class T>
[[gnu::cold]] void zero(const strided_rows<T>& output) {
  for (std::size_t r = 0; r < output.rows; ++r) {
    for (std::size_t c = 0; c < output.classes; ++c) {
      output.row(r)[static_cast<std::ptrdiff_t>(c) * output.class_stride] = T(0);
    }
  }
}

/// The two directions of rows in memory, the longer stride first; a direction of one step has no stride.
struct strided_steps {
  std::ptrdiff_t longer, shorter;
  std::ptrdiff_t longer_count, shorter_count;

  template <class T>
  explicit strided_steps(const strided_rows<T>& of)
      : longer(of.rows > 1 ? of.row_stride : 0),
        shorter(of.classes > 1 ? of.class_stride : 0),
        longer_count(static_cast<std::ptrdiff_t>(of.rows)),
        shorter_count(static_cast<std::ptrdiff_t>(of.classes)) {
    if (longer < shorter) {
      std::swap(longer, shorter);
      std::swap(longer_count, shorter_count);
    }
  }

  friend bool operator==(const strided_steps&, const strided_steps&) = default;

  /// One more than the distance from the first entry to the last.
  std::ptrdiff_t extent() const { return longer * (longer_count - 1) + shorter * (shorter_count - 1) + 1; }
  /// Whether no two entries share memory, and one direction ends before the other goes its next step.
  bool is_disjoint() const {
    return (longer_count <= 1 || longer > shorter * (shorter_count - 1)) && (shorter_count <= 1 || shorter > 0);
  }
  /// Whether an entry of the same rows, begun `distance` later in memory, is an entry of these too.
  bool share_at(std::ptrdiff_t distance) const {
    const std::ptrdiff_t quotient = longer > 0 ? distance / longer : 0;
    for (std::ptrdiff_t q = quotient - 1; q <= quotient + 1; ++q) {
      const std::ptrdiff_t rest = distance - q * longer;
      const bool is_step = shorter > 0 ? rest % shorter == 0 && (std::abs)(rest / shorter) < shorter_count : rest == 0;
      if ((std::abs)(q) < std::max<std::ptrdiff_t>(longer_count, 1) && is_step) return true;
    }
    return false;
  }
};

/// Whether an output may be written: no two of its entries share memory, and it is the logits' own memory or shares
/// none with them.
template <class T>
bool is_apart_or_same(const strided_rows<const T>& logits, const strided_rows<T>& output) {
  if (output.size() == 0) return true;
  const strided_steps from(logits), to(output);
  if (!to.is_disjoint()) return false;
  const T* const last_of_logits = logits.data + from.extent();
  const T* const last_of_output = output.data + to.extent();
  if (!std::less<>{}(logits.data, last_of_output) || !std::less<>{}(output.data, last_of_logits)) return true;
  // of equal steps, those of the classes may be those of the other's rows
  const bool is_alike = from == to && (logits.classes <= 1 || logits.class_stride == output.class_stride);
  if (is_alike && logits.data == output.data) return true;
  return from == to && !to.share_at(output.data - logits.data);
}

/// Answers rows of which those of logits or output are apart in memory. They are gathered on the stack where a row of
/// either is not whole: width<T> rows at a time where they go through the kernel for rows across lanes, and otherwise
/// one. Rows have the same bits as alone.
template <class T>
[[gnu::noinline]] void answer_strided_rows(const defense_call<T>& defense, const policy& policy,
                                           const strided_rows<const T>& logits, const strided_rows<T>& output) {
  const std::size_t classes = logits.classes;
  alignas(64) T across[simd::width<T> * max_classes_across];
  const bool is_direct = logits.has_whole_rows() && output.has_whole_rows();
  const bool fits_stack = classes <= max_gathered_bytes / sizeof(T);
  T* const gathered =
      !is_direct && fits_stack ? static_cast<T*>(__builtin_alloca(classes * sizeof(T))) : static_cast<T*>(nullptr);
  row_position position{0, logits.rows, classes};
  while (position.row < position.rows) {
    const std::size_t row = position.row;
    if (position.rows - row >= simd::width<T> && fits_across(classes, policy, defense)) {
      logits.gather(row, simd::width<T>, across);
      if (answer_rows_across<T>(defense, policy, across, classes, across)) {
        output.scatter(row, simd::width<T>, across);
        position.row += simd::width<T>;
        continue;
      }
    }
    T* const to = output.has_whole_rows() ? output.row(row) : gathered;
    const T* from = logits.row(row);
    if (!logits.has_whole_rows()) {
      T* const copy = gathered != nullptr ? gathered : to;
      logits.gather(row, 1, copy);
      from = copy;
    }
    const outcome result = classes == 1 ? answer_sigmoid<T>(defense, policy, *from, *to, position)
                                        : answer_row<T>(defense, policy, from, to, classes, position);
    if (result.why != fault::none) [[unlikely]] {
      // the row itself is zeroed last, since it may hold the logits in which the fault is looked for
      zero(output.part(0, row));
      zero(output.part(row + 1, output.rows));
      if (!output.has_whole_rows()) zero(output.part(row, row + 1));
      fail_row<T>(result.why, {from, classes}, row, std::span<T>(to, classes), policy.input);
    }
    if (to == gathered) output.scatter(row, 1, to);
    ++position.row;
  }
}

/// Zeroes the output, then says why it cannot be written.
template <class T>
[[noreturn, gnu::cold, gnu::noinline]] void fail_strided(const strided_rows<T>& output, bool is_too_long) {
  zero(output);
  if (is_too_long) {
    fail<std::invalid_argument>(
        "chaff: the classes of a row are apart in the output's memory, where rows of up to %zu classes are answered; "
        "the output has %zu: use a row-major one",
        max_gathered_bytes / sizeof(T), output.classes);
  }
  fail<std::invalid_argument>("chaff: logits and output overlap in part; allowed is the same or apart");
}

/// Answers rows at any strides; all else is as for apply_rows.
/// Shapes: logits and output have the same rows and classes.
/// Throws: what apply_rows does; std::invalid_argument where two entries of the output are one, where logits and output
/// share memory but are not the same rows, and where the output's rows are apart and longer than the stack takes.
/// Allocates: nothing; it takes up to max_gathered_bytes of stack.
template <class Defense, class T>
void apply_strided_rows(const Defense& defense, const strided_rows<const T>& logits, const strided_rows<T>& output,
                        const policy& policy) {
  if (!is_apart_or_same(logits, output)) [[unlikely]]
    fail_strided(output, false);
  if (logits.is_contiguous() && output.is_contiguous()) {
    return chaff::apply_rows<Defense, T>(defense, std::span<const T>(logits.data, logits.size()), logits.classes,
                                         std::span<T>(output.data, output.size()), policy);
  }
  if (!output.has_whole_rows() && output.classes > max_gathered_bytes / sizeof(T)) [[unlikely]]
    fail_strided(output, true);
#if defined(__cpp_exceptions)
  try {
#endif
    if (const parameter_error error = find_error(defense, policy)) [[unlikely]] {
      zero(output);
      raise(error);
    }
    with_defense_call<T>(defense, [&](const defense_call<T>& call)
                                      CHAFF_INLINE { answer_strided_rows<T>(call, policy, logits, output); });
#if defined(__cpp_exceptions)
  } catch (...) {
    zero(output);
    throw;
  }
#endif
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
