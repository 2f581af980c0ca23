// SPDX-License-Identifier: MIT
/// A machine vector of T, and the few operations that the kernels are written in.
///
/// A row is walked in blocks of lanes_of<T> classes, the last one padded, never in scalar steps, and each reduction has
/// one fixed order. So an answer's bits depend on the row and on the build alone, not on where the row lies.
#ifndef CHAFF_LANES_LANES_HPP
#define CHAFF_LANES_LANES_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if !defined(__GNUC__)
#error "chaff needs the vector extensions of GCC 12 or Clang 16, or newer"
#endif
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "chaff cannot keep its promises under -ffast-math: NaN checks vanish and sums are reordered; leave it out here"
#endif

namespace chaff {

/// Bytes in a machine vector of this build.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
inline constexpr std::size_t lane_bytes = 64;
#elif defined(__AVX2__)
inline constexpr std::size_t lane_bytes = 32;
#else
inline constexpr std::size_t lane_bytes = 16;
#endif

/// Number of T in a machine vector.
template <class T>
inline constexpr std::size_t lanes_of = lane_bytes / sizeof(T);

/// The signed integer as wide as T; comparisons of lanes<T> give lanes of it, 0 or -1.
template <class T>
using bits_of = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
struct lanes_type {
  using type [[gnu::vector_size(lane_bytes)]] = T;
};
template <class T>
using lanes = typename lanes_type<T>::type;
template <class T>
using mask = lanes<bits_of<T>>;

/// The number of classes of a full block, known to the compiler.
template <class T>
using full_block = std::integral_constant<std::size_t, lanes_of<T>>;

template <class T>
[[gnu::always_inline]] inline lanes<T> broadcast(T value) {
  return lanes<T>{} + value;
}

/// first, first + 1, ...: the indices of a block.
template <class I>
[[gnu::always_inline]] inline lanes<I> iota(I first) {
  lanes<I> steps{};
  for (std::size_t i = 0; i < lanes_of<I>; ++i) steps[i] = static_cast<I>(i);
  return steps + first;
}

template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, full_block<T> = {}) {
  lanes<T> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// The first `count` lanes from memory, the others `fill`; nothing past the count is read.
template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, std::size_t count, T fill) {
  lanes<T> value = broadcast(fill);
  for (std::size_t i = 0; i < lanes_of<T>; ++i) {
    if (i < count) value[i] = from[i];
  }
  return value;
}

template <class T>
[[gnu::always_inline]] inline lanes<T> load(const T* from, full_block<T>, T) {
  return load<T>(from);
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, lanes<T> value, full_block<T> = {}) {
  std::memcpy(to, &value, sizeof value);
}

/// Writes the first `count` lanes, and nothing past them.
template <class T>
[[gnu::always_inline]] inline void store(T* to, lanes<T> value, std::size_t count) {
  for (std::size_t i = 0; i < lanes_of<T>; ++i) {
    if (i < count) to[i] = value[i];
  }
}

/// a where `which` is -1, b where it is 0.
template <class T>
[[gnu::always_inline]] inline lanes<T> select(mask<T> which, lanes<T> a, lanes<T> b) {
  return which ? a : b;
}

template <class T>
[[gnu::always_inline]] inline lanes<T> least(lanes<T> a, lanes<T> b) {
  return a < b ? a : b;
}

template <class T>
[[gnu::always_inline]] inline lanes<T> most(lanes<T> a, lanes<T> b) {
  return a > b ? a : b;
}

template <class To, class From>
[[gnu::always_inline]] inline lanes<To> bit_lanes(lanes<From> value) {
  static_assert(sizeof(To) == sizeof(From));
  return reinterpret_cast<lanes<To>>(value);
}

/// Folds all lanes into one by halves: lane i with lane i + n/2, until one is left.
template <class T, class Join>
[[gnu::always_inline]] inline T fold(lanes<T> value, Join join) {
  T parts[lanes_of<T>];
  std::memcpy(parts, &value, sizeof value);
  for (std::size_t half = lanes_of<T> / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) parts[i] = join(parts[i], parts[i + half]);
  }
  return parts[0];
}

template <class T>
[[gnu::always_inline]] inline T sum_of(lanes<T> value) {
  return fold<T>(value, [](T a, T b) { return a + b; });
}

template <class T>
[[gnu::always_inline]] inline T most_of(lanes<T> value) {
  return fold<T>(value, [](T a, T b) { return a > b ? a : b; });
}

template <class T>
[[gnu::always_inline]] inline T least_of(lanes<T> value) {
  return fold<T>(value, [](T a, T b) { return a < b ? a : b; });
}

/// Calls visit(first, count) for each block of a row, in order: count is a full_block<T>, and a std::size_t for what is
/// left at the end.
template <class T, class Visit>
[[gnu::always_inline]] inline void for_each_block(std::size_t classes, Visit visit) {
  std::size_t first = 0;
  for (; first + lanes_of<T> <= classes; first += lanes_of<T>) visit(first, full_block<T>{});
  if (first < classes) visit(first, classes - first);
}

/// A sum over a row, block by block. At most 16 blocks are added in T before they are folded and carried on in double,
/// with compensation (Neumaier 1974), so the relative error for addends of one sign is below 21 units in the last place
/// of T for a row of any length.
template <class T>
class row_sum {
 public:
  [[gnu::always_inline]] void add(lanes<T> value) {
    part_ += value;
    if (++blocks_ == 16) carry();
  }
  [[gnu::always_inline]] double total() {
    if (blocks_ != 0) carry();
    return total_ + lost_;
  }

 private:
  [[gnu::always_inline]] void carry() {
    const double part = static_cast<double>(sum_of<T>(part_));
    const double sum = total_ + part;
    lost_ += total_ > part ? (total_ - sum) + part : (part - sum) + total_;
    total_ = sum;
    part_ = lanes<T>{};
    blocks_ = 0;
  }

  lanes<T> part_{};
  double total_ = 0;
  double lost_ = 0;
  int blocks_ = 0;
};

}  // namespace chaff

#endif
