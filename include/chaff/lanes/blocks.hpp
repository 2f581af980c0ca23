// SPDX-License-Identifier: MIT
/// A row in memory, block by block.
#ifndef CHAFF_LANES_BLOCKS_HPP
#define CHAFF_LANES_BLOCKS_HPP

#include "chaff/lanes/lanes.hpp"

namespace chaff {

/// The number of classes of a full block, known to the compiler.
template <class T>
using full_block = std::integral_constant<std::size_t, lanes_of<T>>;

template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, full_block<T> = {}) {
  lanes<T> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// The lanes below `count`, as a mask of the instruction set's.
template <class T>
[[gnu::always_inline]] inline auto lanes_below(std::size_t count) {
  return static_cast<std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>((1u << count) - 1);
}
#elif defined(__AVX2__)
/// The lanes below `count`, as a mask of the instruction set's.
template <class T>
[[gnu::always_inline]] inline __m256i lanes_below(std::size_t count) {
  return reinterpret_cast<__m256i>(iota<bits_of<T>>(0) < static_cast<bits_of<T>>(count));
}
#endif

/// The first `count` lanes, fewer than all, from memory, and the others `fill`; nothing past the count is read. No
/// scalar steps but for vectors of 16 bytes, of which at most three lanes can be left.
template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, std::size_t count, T fill) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (std::is_same_v<T, float>) {
    return lanes<T>(_mm512_mask_loadu_ps(__m512(broadcast(fill)), lanes_below<T>(count), from));
  } else {
    return lanes<T>(_mm512_mask_loadu_pd(__m512d(broadcast(fill)), lanes_below<T>(count), from));
  }
#elif defined(__AVX2__)
  const __m256i below = lanes_below<T>(count);
  if constexpr (std::is_same_v<T, float>) {
    return lanes<T>(
        _mm256_blendv_ps(__m256(broadcast(fill)), _mm256_maskload_ps(from, below), reinterpret_cast<__m256>(below)));
  } else {
    return lanes<T>(
        _mm256_blendv_pd(__m256d(broadcast(fill)), _mm256_maskload_pd(from, below), reinterpret_cast<__m256d>(below)));
  }
#else
  lanes<T> value = broadcast(fill);
  if constexpr (lanes_of<T> == 4) {
    if (count > 2) value[2] = from[2];
    if (count > 1) value[1] = from[1];
  }
  if (count > 0) value[0] = from[0];
  return value;
#endif
}

template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, full_block<T>, T) {
  return load<T>(from);
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, lanes<T> value, full_block<T> = {}) {
  std::memcpy(to, &value, sizeof value);
}

/// Writes the first `count` lanes, fewer than all, and nothing past them.
template <class T>
[[gnu::always_inline]] inline void store(T* to, lanes<T> value, std::size_t count) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, lanes_below<T>(count), __m512(value));
  } else {
    _mm512_mask_storeu_pd(to, lanes_below<T>(count), __m512d(value));
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
    _mm256_maskstore_ps(to, lanes_below<T>(count), __m256(value));
  } else {
    _mm256_maskstore_pd(to, lanes_below<T>(count), __m256d(value));
  }
#else
  if constexpr (lanes_of<T> == 4) {
    if (count > 2) to[2] = value[2];
    if (count > 1) to[1] = value[1];
  }
  if (count > 0) to[0] = value[0];
#endif
}

/// Calls visit(first, count) for each block of a row, in order: count is a full_block<T>, and a std::size_t for what is
/// left at the end.
template <class T, class Visit>
[[gnu::always_inline]] inline void for_each_block(std::size_t classes, Visit visit) {
  std::size_t first = 0;
  for (; first + lanes_of<T> <= classes; first += lanes_of<T>) visit(first, full_block<T>{});
  if (first < classes) visit(first, classes - first);
}

}  // namespace chaff

#endif
