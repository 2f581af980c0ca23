// SPDX-License-Identifier: MIT
/// Numbers of 32 bits as numbers of 64, and back.
#ifndef CHAFF_SIMD_WIDEN_HPP
#define CHAFF_SIMD_WIDEN_HPP

#include <array>
#include <bit>

#include "chaff/simd/blocks.hpp"

CHAFF_EXACT_ARITHMETIC

namespace chaff::simd::inline CHAFF_ABI {

/// As many numbers as a vector of 32-bit numbers has lanes, each with 64 bits, in order.
template <class Wide>
using wide_block = std::array<vec<Wide>, 2>;

/// A block of float as double.
[[gnu::always_inline]] inline wide_block<double> widen(vec<float> value) {
#if CHAFF_VECTOR_BYTES > 16
  return [&]<std::size_t... At>(std::index_sequence<At...>) CHAFF_INLINE {
    constexpr int half = static_cast<int>(width<double>);
    return wide_block<double>{
        __builtin_convertvector(__builtin_shufflevector(value, value, static_cast<int>(At)...), vec<double>),
        __builtin_convertvector(__builtin_shufflevector(value, value, (half + static_cast<int>(At))...), vec<double>)};
  }
  (std::make_index_sequence<width<double>>{});
#elif defined(__SSE2__)
  const __m128 lanes = __m128(value);
  return {vec<double>(_mm_cvtps_pd(lanes)), vec<double>(_mm_cvtps_pd(_mm_movehl_ps(lanes, lanes)))};
#else
  wide_block<double> wide{};
  for (std::size_t i = 0; i < width<float>; ++i) {
    wide[i / width<double>][i % width<double>] = static_cast<double>(value[i]);
  }
  return wide;
#endif
}

/// width<float> numbers from memory as double, or the `count` that are left in the row; 0 past those.
template <class T>
[[gnu::always_inline]] inline wide_block<double> load_wide(const T* from, std::size_t count) {
  if constexpr (std::is_same_v<T, float>) {
    return widen(load_some<float>(from, count, 0));
  } else {
    const bool has_more = count > width<double>;
    return {load_some<double>(from, count, 0),
            has_more ? load_some<double>(from + width<double>, count - width<double>, 0) : vec<double>{}};
  }
}

/// The low (0) or high (1) 32 bits of each number.
template <std::size_t word>
[[gnu::always_inline]] inline vec<std::uint32_t> words_of(const wide_block<std::uint64_t>& wide) {
  constexpr std::size_t at = std::endian::native == std::endian::little ? word : 1 - word;
  const auto lower = reinterpret_cast<vec<std::uint32_t>>(wide[0]);
  const auto upper = reinterpret_cast<vec<std::uint32_t>>(wide[1]);
  return [&]<std::size_t... At>(std::index_sequence<At...>) CHAFF_INLINE {
    return __builtin_shufflevector(lower, upper, static_cast<int>(2 * At + at)...);
  }
  (std::make_index_sequence<width<float>>{});
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_EXACT_ARITHMETIC_END

#endif
