// SPDX-License-Identifier: MIT
/// A row in memory, block by block.
#ifndef CHAFF_SIMD_BLOCKS_HPP
#define CHAFF_SIMD_BLOCKS_HPP

#include "chaff/simd/vec.hpp"

CHAFF_BEGIN

namespace chaff::simd::inline CHAFF_ABI {

/// The number of classes of a full block, known to the compiler.
template <class T>
using full_block = std::integral_constant<std::size_t, width<T>>;

template <class T>
[[gnu::always_inline]] inline vec<T> load(const T* from, full_block<T> = {}) {
  vec<T> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

#if CHAFF_VECTOR_BYTES == 64
/// The lanes below `count`, as a mask of the instruction set's.
template <class T>
[[gnu::always_inline]] inline auto lanes_below(std::size_t count) {
  return static_cast<std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>((1u << count) - 1);
}
#elif CHAFF_VECTOR_BYTES == 32
/// The lanes below `count`, as a mask of the instruction set's.
template <class T>
[[gnu::always_inline]] inline __m256i lanes_below(std::size_t count) {
  return reinterpret_cast<__m256i>(iota<int_of<T>>(0) < static_cast<int_of<T>>(count));
}
#endif

/// The first `count` lanes, fewer than all, from memory, and the others `fill`; nothing past the count is read. No
/// scalar steps but for vectors of 16 bytes, of which at most three lanes can be left.
template <class T>
[[gnu::always_inline]] inline vec<T> load(const T* from, std::size_t count, T fill) {
#if CHAFF_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(_mm512_mask_loadu_ps(__m512(broadcast(fill)), lanes_below<T>(count), from));
  } else {
    return vec<T>(_mm512_mask_loadu_pd(__m512d(broadcast(fill)), lanes_below<T>(count), from));
  }
#elif CHAFF_VECTOR_BYTES == 32
  const __m256i below = lanes_below<T>(count);
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(
        _mm256_blendv_ps(__m256(broadcast(fill)), _mm256_maskload_ps(from, below), reinterpret_cast<__m256>(below)));
  } else {
    return vec<T>(
        _mm256_blendv_pd(__m256d(broadcast(fill)), _mm256_maskload_pd(from, below), reinterpret_cast<__m256d>(below)));
  }
#else
  vec<T> value = broadcast(fill);
  if constexpr (width<T> == 4) {
    if (count > 2) value[2] = from[2];
    if (count > 1) value[1] = from[1];
  }
  if (count > 0) value[0] = from[0];
  return value;
#endif
}

template <class T>
[[gnu::always_inline]] inline vec<T> load(const T* from, full_block<T>, T) {
  return load<T>(from);
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, vec<T> value, full_block<T> = {}) {
  std::memcpy(to, &value, sizeof value);
}

/// Sets one number among whole blocks by a store of its block: a load of that block would have to wait until a store of
/// the number alone has reached the cache, which takes as long as a fifth of a row of 10 classes.
template <class T>
[[gnu::always_inline]] inline void set_number(T* blocks, std::size_t at, T number) {
  T* const block = blocks + at / width<T> * width<T>;
  const mask<T> is_number = iota<int_of<T>>(0) == static_cast<int_of<T>>(at % width<T>);
  store<T>(block, select<T>(is_number, broadcast(number), load<T>(block)));
}

/// Writes the first `count` lanes, fewer than all, and nothing past them.
template <class T>
[[gnu::always_inline]] inline void store(T* to, vec<T> value, std::size_t count) {
#if CHAFF_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, lanes_below<T>(count), __m512(value));
  } else {
    _mm512_mask_storeu_pd(to, lanes_below<T>(count), __m512d(value));
  }
#elif CHAFF_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<T, float>) {
    _mm256_maskstore_ps(to, lanes_below<T>(count), __m256(value));
  } else {
    _mm256_maskstore_pd(to, lanes_below<T>(count), __m256d(value));
  }
#else
  if constexpr (width<T> == 4) {
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
  for (; first + width<T> <= classes; first += width<T>) visit(first, full_block<T>{});
  if (first < classes) visit(first, classes - first);
}

/// for_each_block with one copy of visit in the program, for code that is seldom run: count is a std::size_t, and
/// load_some and store_some take it.
template <class T, class Visit>
[[gnu::always_inline]] inline void for_each_block_compact(std::size_t classes, Visit visit) {
  for (std::size_t first = 0; first < classes; first += width<T>) visit(first, classes - first);
}

/// A block of which `count` classes are left in the row, which may be more than fit.
template <class T>
[[gnu::always_inline]] inline vec<T> load_some(const T* from, std::size_t count, T fill) {
  return count >= width<T> ? load<T>(from) : load<T>(from, count, fill);
}
template <class T>
[[gnu::always_inline]] inline void store_some(T* to, vec<T> value, std::size_t count) {
  if (count >= width<T>) {
    store<T>(to, value);
  } else {
    store<T>(to, value, count);
  }
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
