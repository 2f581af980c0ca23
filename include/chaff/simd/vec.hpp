// SPDX-License-Identifier: MIT
/// A machine vector of T, and the few operations that the kernels are written in.
///
/// A row is walked in blocks of width<T> classes, the last one padded, never in scalar steps, and each reduction has
/// one fixed order. So an answer's bits depend on the row and on the build alone, not on where the row lies.
#ifndef CHAFF_SIMD_VEC_HPP
#define CHAFF_SIMD_VEC_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>  // Eigen includes it in such a build as well
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "chaff/exact.hpp"

/// Marks a function that is compiled once for all callers, neither inlined nor specialised, so that the bits of a row
/// do not depend on the call.
#if __has_cpp_attribute(gnu::noipa)
#define CHAFF_NO_IPA [[gnu::noipa]]
#else
#define CHAFF_NO_IPA [[gnu::noinline]]
#endif

/// Bytes in a machine vector of this build, for the preprocessor.
/// GCC for 64-bit Windows keeps longer vectors on a stack that is aligned to 16 bytes, by instructions that fault there
/// (GCC's bug 54412; some distributors patch it), so vectors are short in its builds.
#if (defined(_WIN64) || defined(__CYGWIN__)) && !defined(__clang__)
#define CHAFF_VECTOR_BYTES 16
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define CHAFF_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define CHAFF_VECTOR_BYTES 32
#else
#define CHAFF_VECTOR_BYTES 16
#endif

/// Marks a lambda's call as [[gnu::always_inline]] marks a function.
#define CHAFF_INLINE __attribute__((always_inline))

CHAFF_BEGIN

namespace chaff::simd::inline CHAFF_ABI {

/// Bytes in a machine vector of this build.
inline constexpr std::size_t vector_bytes = CHAFF_VECTOR_BYTES;

/// The number of T in a machine vector.
template <class T>
inline constexpr std::size_t width = vector_bytes / sizeof(T);

/// The signed integer as wide as T; comparisons of vec<T> give vectors of it, with lanes of 0 or -1.
template <class T>
using int_of = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
struct vec_type {
  using type [[gnu::vector_size(vector_bytes)]] = T;
};
template <class T>
using vec = typename vec_type<T>::type;
template <class T>
using mask = vec<int_of<T>>;

/// A vector with one value in every lane. (A difference, since a compiler cannot leave out the addition of 0, which
/// would change -0.)
template <class T>
[[gnu::always_inline]] inline vec<T> broadcast(T value) {
  return value - vec<T>{};
}

/// first, first + 1, ...: the indices of a block.
template <class Int>
[[gnu::always_inline]] inline vec<Int> iota(Int first) {
  vec<Int> steps{};
  for (std::size_t i = 0; i < width<Int>; ++i) steps[i] = static_cast<Int>(i);
  return steps + first;
}

template <class To, class From>
[[gnu::always_inline]] inline vec<To> bit_cast(vec<From> value) {
  static_assert(sizeof(To) == sizeof(From));
  return reinterpret_cast<vec<To>>(value);
}

/// a where `which` is -1, b where it is 0.
template <class T>
[[gnu::always_inline]] inline vec<T> select(mask<T> which, vec<T> a, vec<T> b) {
#if defined(__clang__)  // whose -fno-honor-nans and -fno-honor-infinities reach a conditional operator everywhere
  return bit_cast<T, int_of<T>>((which & bit_cast<int_of<T>, T>(a)) | (~which & bit_cast<int_of<T>, T>(b)));
#else
  return which ? a : b;
#endif
}

/// Lanes of -1 where a value is NaN.
template <class T>
[[gnu::always_inline]] inline mask<T> is_nan(vec<T> value) {
#if defined(__clang__)
  // Under -fno-honor-nans Clang takes it that no call returns NaN; of the integers that come from an assembler
  // statement it knows nothing.
  mask<T> bits = reinterpret_cast<mask<T>>(value);
#if defined(__x86_64__) || defined(__i386__)
  asm("" : "+x"(bits));
#elif defined(__aarch64__)
  asm("" : "+w"(bits));
#else
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
  constexpr int_of<T> infinity = ((std::numeric_limits<int_of<T>>::max)() >> mantissa_bits) << mantissa_bits;
  return (bits & (std::numeric_limits<int_of<T>>::max)()) > infinity;
#endif
  value = reinterpret_cast<vec<T>>(bits);
#endif
  return value != value;
}

/// Lanes of -1 where a value is +inf or -inf, whichever `infinity` is. Clang compares bits: under
/// -fno-honor-infinities it takes it that no call returns an infinity.
template <class T>
[[gnu::always_inline]] inline mask<T> is_infinity(vec<T> value, T infinity) {
#if defined(__clang__)
  return reinterpret_cast<mask<T>>(value) == __builtin_bit_cast(int_of<T>, infinity);
#else
  return value == infinity;
#endif
}

template <std::floating_point T>
[[gnu::always_inline]] inline bool is_nan(T value) {
#if defined(__clang__)
  return is_nan<T>(vec<T>{} + value)[0] != 0;
#else
  return !detail::is_exactly(value, value);
#endif
}

/// The smaller of two, lane by lane; b where one is NaN.
/// (maskz with a full mask is the plain instruction, without GCC 12's warning of an undefined operand.)
template <class T>
[[gnu::always_inline]] inline vec<T> minimum(vec<T> a, vec<T> b) {
#if CHAFF_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>)
    return vec<T>(_mm512_maskz_min_ps(static_cast<__mmask16>(-1), __m512(a), __m512(b)));
  if constexpr (std::is_same_v<T, double>)
    return vec<T>(_mm512_maskz_min_pd(static_cast<__mmask8>(-1), __m512d(a), __m512d(b)));
#elif CHAFF_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<T, float>) return vec<T>(_mm256_min_ps(__m256(a), __m256(b)));
  if constexpr (std::is_same_v<T, double>) return vec<T>(_mm256_min_pd(__m256d(a), __m256d(b)));
#elif defined(__SSE2__)
  if constexpr (std::is_same_v<T, float>) return vec<T>(_mm_min_ps(__m128(a), __m128(b)));
  if constexpr (std::is_same_v<T, double>) return vec<T>(_mm_min_pd(__m128d(a), __m128d(b)));
#endif
  return select<T>(a < b, a, b);
}

/// The larger of two, lane by lane; b where one is NaN.
template <class T>
[[gnu::always_inline]] inline vec<T> maximum(vec<T> a, vec<T> b) {
#if CHAFF_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>)
    return vec<T>(_mm512_maskz_max_ps(static_cast<__mmask16>(-1), __m512(a), __m512(b)));
  if constexpr (std::is_same_v<T, double>)
    return vec<T>(_mm512_maskz_max_pd(static_cast<__mmask8>(-1), __m512d(a), __m512d(b)));
#elif CHAFF_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<T, float>) return vec<T>(_mm256_max_ps(__m256(a), __m256(b)));
  if constexpr (std::is_same_v<T, double>) return vec<T>(_mm256_max_pd(__m256d(a), __m256d(b)));
#elif defined(__SSE2__)
  if constexpr (std::is_same_v<T, float>) return vec<T>(_mm_max_ps(__m128(a), __m128(b)));
  if constexpr (std::is_same_v<T, double>) return vec<T>(_mm_max_pd(__m128d(a), __m128d(b)));
#endif
  return select<T>(a > b, a, b);
}

/// |value|, lane by lane.
template <class T>
[[gnu::always_inline]] inline vec<T> absolute(vec<T> value) {
  return bit_cast<T, int_of<T>>(bit_cast<int_of<T>, T>(value) & (std::numeric_limits<int_of<T>>::max)());
}

/// Whether any lane of a mask is set.
template <class T>
[[gnu::always_inline]] inline bool any_of(mask<T> which) {
#if CHAFF_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return _mm512_movepi32_mask(reinterpret_cast<__m512i>(which)) != 0;
  if constexpr (sizeof(T) == 8) return _mm512_movepi64_mask(reinterpret_cast<__m512i>(which)) != 0;
#elif CHAFF_VECTOR_BYTES == 32
  return _mm256_movemask_epi8(reinterpret_cast<__m256i>(which)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_epi8(reinterpret_cast<__m128i>(which)) != 0;
#else
  int_of<T> any = 0;
  for (std::size_t i = 0; i < width<T>; ++i) any |= which[i];
  return any != 0;
#endif
}

/// a * b + c, rounded once where the build has instructions for it, and twice elsewhere.
/// Every product that is added to something goes through this function: a compiler would otherwise fuse it in one place
/// and not in another, and the same formula would have different bits.
template <class T>
[[gnu::always_inline]] inline vec<T> multiply_add(vec<T> a, vec<T> b, vec<T> c) {
#if defined(__FMA__) && CHAFF_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
  } else {
    return vec<T>(_mm512_fmadd_pd(__m512d(a), __m512d(b), __m512d(c)));
  }
#elif defined(__FMA__) && CHAFF_VECTOR_BYTES == 32
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
  } else {
    return vec<T>(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c)));
  }
#elif defined(__FMA__)
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(_mm_fmadd_ps(__m128(a), __m128(b), __m128(c)));
  } else {
    return vec<T>(_mm_fmadd_pd(__m128d(a), __m128d(b), __m128d(c)));
  }
#elif defined(__aarch64__) && defined(__ARM_NEON)
  if constexpr (std::is_same_v<T, float>) {
    return vec<T>(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
  } else {
    return vec<T>(vfmaq_f64(float64x2_t(c), float64x2_t(a), float64x2_t(b)));
  }
#elif defined(__FP_FAST_FMA) || defined(__FP_FAST_FMAF)
  vec<T> sum;
  for (std::size_t i = 0; i < width<T>; ++i)
    sum[i] = std::is_same_v<T, float> ? T(__builtin_fmaf(float(a[i]), float(b[i]), float(c[i])))
                                      : T(__builtin_fma(double(a[i]), double(b[i]), double(c[i])));
  return sum;
#else
  return a * b + c;
#endif
}

/// The polynomial of the given coefficients, the lowest power's first, by Horner's rule: the fewest steps.
template <class T, class Lowest, class... Others>
[[gnu::always_inline]] inline vec<T> horner(vec<T> x, Lowest lowest, Others... others) {
  if constexpr (sizeof...(others) == 0) {
    return broadcast<T>(lowest);
  } else {
    return multiply_add<T>(horner<T>(x, others...), x, broadcast<T>(lowest));
  }
}

/// terms[0] + terms[1] x + terms[2] x^2 + ... by Estrin's scheme: pairs, then pairs of pairs in x^2, so that few steps
/// wait for one another.
template <class T, std::size_t n>
[[gnu::always_inline]] inline vec<T> sum_of_powers(vec<T> x, const vec<T> (&terms)[n]) {
  if constexpr (n == 1) {
    return terms[0];
  } else {
    vec<T> pairs[(n + 1) / 2];
    [&]<std::size_t... At>(std::index_sequence<At...>) CHAFF_INLINE {
      ((pairs[At] = multiply_add<T>(terms[2 * At + 1], x, terms[2 * At])), ...);
    }
    (std::make_index_sequence<n / 2>{});
    if constexpr (n % 2 == 1) pairs[n / 2] = terms[n - 1];
    return sum_of_powers<T>(x * x, pairs);
  }
}

/// The polynomial of the given coefficients, the lowest power's first, by Estrin's scheme.
template <class T, class... Coefficients>
[[gnu::always_inline]] inline vec<T> estrin(vec<T> x, Coefficients... lowest_first) {
  const vec<T> terms[] = {broadcast<T>(lowest_first)...};
  return sum_of_powers<T>(x, terms);
}

/// The polynomial of the given coefficients, the lowest power's first, by the faster scheme for many blocks: Horner's
/// for vectors of 64 bytes, which keep a processor's multipliers busy, and Estrin's for shorter ones, which leave it
/// waiting for the previous step (measured on Zen 4).
template <class T, class... Coefficients>
[[gnu::always_inline]] inline vec<T> polynomial(vec<T> x, Coefficients... lowest_first) {
  if constexpr (vector_bytes == 64) {
    return horner<T>(x, lowest_first...);
  } else {
    return estrin<T>(x, lowest_first...);
  }
}

/// The lanes of a vector in the order From...
template <class T, std::size_t... From>
[[gnu::always_inline]] inline vec<T> shuffle(vec<T> value, std::index_sequence<From...>) {
  return __builtin_shufflevector(value, value, static_cast<int>(From)...);
}

/// Folds all lanes into one by halves: lane i with lane i + n/2, until one is left. Join takes two vectors.
template <class T, std::size_t half = width<T> / 2, class Join>
[[gnu::always_inline]] inline T fold(vec<T> value, Join join) {
  if constexpr (half == 0) {
    return value[0];
  } else {
    const vec<T> upper = []<std::size_t... At>(vec<T> all, std::index_sequence<At...>) {
      return shuffle<T>(all, std::index_sequence<(At % half) + half...>{});
    }
    (value, std::make_index_sequence<width<T>>{});
    return fold<T, half / 2>(join(value, upper), join);
  }
}

template <class T>
[[gnu::always_inline]] inline T sum_across(vec<T> value) {
  return fold<T>(value, [](vec<T> a, vec<T> b) { return a + b; });
}

template <class T>
[[gnu::always_inline]] inline T max_across(vec<T> value) {
  return fold<T>(value, [](vec<T> a, vec<T> b) { return maximum<T>(a, b); });
}

template <class T>
[[gnu::always_inline]] inline T min_across(vec<T> value) {
  return fold<T>(value, [](vec<T> a, vec<T> b) { return minimum<T>(a, b); });
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
