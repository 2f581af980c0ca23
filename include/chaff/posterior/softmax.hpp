// SPDX-License-Identifier: MIT
/// The softmax of a row: the undefended output.
#ifndef CHAFF_POSTERIOR_SOFTMAX_HPP
#define CHAFF_POSTERIOR_SOFTMAX_HPP

#include <cmath>

#include "chaff/error.hpp"
#include "chaff/posterior/argmax.hpp"
#include "chaff/posterior/row.hpp"
#include "chaff/simd/row_sum.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Why there is no output for a row.
enum class fault { none, nan, infinite, all_masked, not_a_distribution };

/// What is wrong with a row of logits by its argmax alone.
template <class T>
[[gnu::always_inline]] inline fault fault_of(const row_argmax<T>& top) {
  if (top.has_nan) [[unlikely]]
    return fault::nan;
  if ((std::abs)(top.value) < std::numeric_limits<T>::infinity()) [[likely]]
    return fault::none;
  return top.value > 0 ? fault::infinite : fault::all_masked;
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Writes the softmax of a row.
/// Formula: softmax(z)_i = exp(z_i - lse), lse = max z + log sum exp(z - max z).
/// Shapes: both spans have K >= 1 entries, and may be the same memory.
/// Range: finite values, or -inf but not all of them.
/// Error: 25 eps of T relative for any K (the sum's bound is 21 of them); an entry below T's smallest normal number is
/// 0 or of about that size.
/// Throws: std::domain_error for NaN, +inf, or a row of only -inf; the posterior is then as it was.
template <std::floating_point T>
CHAFF_NO_IPA void softmax(std::span<const T> logits, std::span<T> posterior) {
  const detail::row_argmax<T> top = detail::find_argmax<T>(logits.data(), logits.size());
  if (detail::fault_of(top) != detail::fault::none) {
    detail::fail<std::domain_error>("chaff: softmax of a row with NaN or +inf, or of only -inf");
  }
  const auto exponentials = [&](std::size_t first, auto count) CHAFF_INLINE {
    const simd::vec<T> z = simd::load<T>(logits.data() + first, count, -std::numeric_limits<T>::infinity());
    return simd::exp_nonpositive<T>(z - top.value);
  };
  const T scale = static_cast<T>(1 / simd::sum_over_row<T>(logits.size(), exponentials));
  simd::for_each_block<T>(logits.size(), [&](std::size_t first, auto count) CHAFF_INLINE {
    simd::store<T>(posterior.data() + first, exponentials(first, count) * scale, count);
  });
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
