// SPDX-License-Identifier: MIT
/// Numbers of 32 bits as numbers of 64, and back.
#ifndef CHAFF_SIMD_WIDEN_HPP
#define CHAFF_SIMD_WIDEN_HPP

#include <array>
#include <bit>
#include <cmath>

#include "chaff/simd/blocks.hpp"

CHAFF_BEGIN

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
  return {_mm_cvtps_pd(value), _mm_cvtps_pd(_mm_movehl_ps(value, value))};
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

/// A block of 32-bit numbers, each in the low half of a 64-bit one. `high` holds the other halves.
[[gnu::always_inline]] inline wide_block<std::uint64_t> interleave(vec<std::uint32_t> low, vec<std::uint32_t> high) {
  constexpr int size = static_cast<int>(width<float>);
  const bool is_little = std::endian::native == std::endian::little;
  const vec<std::uint32_t> first = is_little ? low : high, second = is_little ? high : low;
  return [&]<std::size_t... At>(std::index_sequence<At...>) CHAFF_INLINE {
    return wide_block<std::uint64_t>{reinterpret_cast<vec<std::uint64_t>>(__builtin_shufflevector(
                                         first, second, static_cast<int>(At / 2 + At % 2 * size)...)),
                                     reinterpret_cast<vec<std::uint64_t>>(__builtin_shufflevector(
                                         first, second, static_cast<int>((size + At) / 2 + At % 2 * size)...))};
  }
  (std::make_index_sequence<width<float>>{});
}

/// The products of the low 32 bits of each number, 64 bits long.
[[gnu::always_inline]] inline vec<std::uint64_t> multiply_low_words(vec<std::uint64_t> a, vec<std::uint64_t> b) {
#if CHAFF_VECTOR_BYTES == 64
  return reinterpret_cast<vec<std::uint64_t>>(
      _mm512_maskz_mul_epu32(static_cast<__mmask8>(-1), reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif CHAFF_VECTOR_BYTES == 32
  return reinterpret_cast<vec<std::uint64_t>>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<vec<std::uint64_t>>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

/// The square root of each number, as IEEE 754 fixes it.
[[gnu::always_inline]] inline vec<double> square_root(vec<double> value) {
#if CHAFF_VECTOR_BYTES == 64
  return _mm512_maskz_sqrt_pd(static_cast<__mmask8>(-1), value);
#elif CHAFF_VECTOR_BYTES == 32
  return _mm256_sqrt_pd(value);
#elif defined(__SSE2__)
  return _mm_sqrt_pd(value);
#else
  for (std::size_t i = 0; i < width<double>; ++i) value[i] = std::sqrt(value[i]);
  return value;
#endif
}

/// Whole numbers below 2^32, in 64 bits, as double.
[[gnu::always_inline]] inline vec<double> double_of_word(vec<std::uint64_t> word) {
  constexpr std::uint64_t bits_of_two_to_52 = 0x4330000000000000u;
  return bit_cast<double, std::uint64_t>(word | bits_of_two_to_52) - 0x1p52;
}

/// Writes width<double> numbers as T.
template <class T>
[[gnu::always_inline]] inline void store_narrow(T* to, vec<double> value) {
  if constexpr (std::is_same_v<T, double>) {
    store<double>(to, value);
  } else {
#if CHAFF_VECTOR_BYTES > 16
    using half [[gnu::vector_size(vector_bytes / 2)]] = float;
    const half narrow = __builtin_convertvector(value, half);
    std::memcpy(to, &narrow, sizeof narrow);
#else
    for (std::size_t i = 0; i < width<double>; ++i) to[i] = static_cast<T>(value[i]);
#endif
  }
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
