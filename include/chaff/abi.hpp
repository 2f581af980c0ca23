// SPDX-License-Identifier: MIT
/// The inline namespace of everything whose code or layout depends on how a translation unit is compiled.
#ifndef CHAFF_ABI_HPP
#define CHAFF_ABI_HPP

// A compiler cannot go on after these errors. The include of a file that does not exist stops it there.
#if !defined(__cplusplus) || __cplusplus < 202002L
#error "chaff needs C++20: compile with -std=c++20"
#include <chaff/stops_here>
#endif
#if !defined(__GNUC__)
#error "chaff needs the vector extensions of GCC 12 or Clang 16, or newer"
#include <chaff/stops_here>
#endif
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "chaff cannot keep its guarantees under -ffast-math: NaN checks vanish and sums are reordered; leave it out here"
#endif
#if defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)  // GCC tells of parts of -ffast-math
#error "chaff cannot keep its guarantees under -funsafe-math-optimizations: leave it out here"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16  // 16: half precision alone
#error "chaff cannot keep its guarantees with the excess precision of x87: compile with -msse2 -mfpmath=sse"
#endif
static_assert(0x1.0000000000001p0 > 1.0,
              "chaff cannot keep its guarantees under -fsingle-precision-constant: leave it out here");

// Headers put their code between CHAFF_BEGIN and CHAFF_END, for one reason a compiler.
// Clang has no macro for the parts of -ffast-math that change what arithmetic means, so it is told to ignore them
// there. Where it has no such pragma for a processor, it leaves the order of sums alone from the first header of chaff
// on, the user's own code included. GCC warns that parameters of constructors and of lambdas in templates shadow a
// user's global variables, such as model, where -Wshadow is given and the headers are no system headers.
#if !defined(__clang__) && defined(__GNUC__)
#define CHAFF_BEGIN _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#define CHAFF_END _Pragma("GCC diagnostic pop")
#elif !defined(__clang__)
#define CHAFF_BEGIN
#define CHAFF_END
#elif defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__s390x__) || defined(__powerpc64__)
#define CHAFF_BEGIN _Pragma("float_control(precise, on, push)")
#define CHAFF_END _Pragma("float_control(pop)")
#else
#define CHAFF_BEGIN _Pragma("clang fp reassociate(off)")
#define CHAFF_END
#endif

// The return type of an overload that exists only to refuse a wrong call: it is never defined, and its sentence is the
// compiler's message. A requires-expression that tests the call is false: for Clang because of the attribute, for GCC
// because the return type cannot be deduced.
#if defined(__clang__)
#define CHAFF_REFUSED(sentence) __attribute__((unavailable(sentence))) int
#else
#define CHAFF_REFUSED(sentence) __attribute__((unavailable(sentence))) auto
#endif

// Two translation units that are compiled with different flags may meet in one program. The linker keeps one copy of
// a function that has one name in both, so the name must say what the code depends on: the instruction sets that a
// compiler may use in it, and whether errors are thrown. The name of the inline namespace says so, for example
// v0_1_avx2_fma_bmi2. Types that hold plain values (policy, key, dcp, ...) lie outside and cross between units.

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define CHAFF_ABI_VECTORS _avx512
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define CHAFF_ABI_VECTORS _avx512dq
#elif defined(__AVX512F__)
#define CHAFF_ABI_VECTORS _avx512f
#elif defined(__AVX2__)
#define CHAFF_ABI_VECTORS _avx2
#elif defined(__AVX__)
#define CHAFF_ABI_VECTORS _avx
#elif defined(__SSE4_2__)
#define CHAFF_ABI_VECTORS _sse42
#elif defined(__SSE4_1__)
#define CHAFF_ABI_VECTORS _sse41
#elif defined(__SSSE3__)
#define CHAFF_ABI_VECTORS _ssse3
#elif defined(__SSE3__)
#define CHAFF_ABI_VECTORS _sse3
#elif defined(__SSE2__)
#define CHAFF_ABI_VECTORS _sse2
#elif defined(__aarch64__) && defined(__ARM_FEATURE_SVE)
#define CHAFF_ABI_VECTORS _sve
#elif defined(__ARM_NEON)
#define CHAFF_ABI_VECTORS _neon
#elif defined(__VX__)  // s390x
#define CHAFF_ABI_VECTORS _vx
#elif defined(__VSX__)
#define CHAFF_ABI_VECTORS _vsx
#elif defined(__riscv_vector)
#define CHAFF_ABI_VECTORS _rvv
#elif defined(__wasm_simd128__)
#define CHAFF_ABI_VECTORS _simd128
#else
#define CHAFF_ABI_VECTORS _plain
#endif

#if defined(__FMA__)
#define CHAFF_ABI_FMA _fma
#elif defined(__FMA4__)
#define CHAFF_ABI_FMA _fma4
#elif defined(__FP_FAST_FMA)  // processors other than x86
#define CHAFF_ABI_FMA _fma
#else
#define CHAFF_ABI_FMA
#endif

// instructions on general registers that a compiler picks by itself
#if defined(__BMI2__) && defined(__LZCNT__)
#define CHAFF_ABI_BITS _bmi2
#elif defined(__BMI__) || defined(__BMI2__) || defined(__LZCNT__)
#define CHAFF_ABI_BITS _bmi
#else
#define CHAFF_ABI_BITS
#endif

#if defined(__cpp_exceptions)
#define CHAFF_ABI_ERRORS
#else
#define CHAFF_ABI_ERRORS _noexceptions
#endif

#define CHAFF_ABI_JOIN_EXPANDED(version, vectors, fma, bits, errors) version##vectors##fma##bits##errors
#define CHAFF_ABI_JOIN(version, vectors, fma, bits, errors) CHAFF_ABI_JOIN_EXPANDED(version, vectors, fma, bits, errors)
/// The name of the inline namespace of this translation unit.
#define CHAFF_ABI CHAFF_ABI_JOIN(v0_1, CHAFF_ABI_VECTORS, CHAFF_ABI_FMA, CHAFF_ABI_BITS, CHAFF_ABI_ERRORS)

#if defined(__clang__) && defined(__has_warning)
#if __has_warning("-Wnan-infinity-disabled")
// Since version 18 Clang warns of an infinity under -fno-honor-infinities, and its optimizer takes every argument for
// finite: no pragma helps. The warning is made an error. The line marker gives it a sentence for a file's name, and
// keeps it an error where chaff is included as a system header.
#include <limits>
#pragma clang diagnostic push
#pragma clang diagnostic error "-Wnan-infinity-disabled"
#pragma clang diagnostic ignored "-Wgnu-line-marker"
namespace chaff::detail::inline CHAFF_ABI {
# 1 "chaff cannot keep its guarantees under -fno-honor-infinities: leave it out here"
inline float needs_infinities() {
  return std::numeric_limits<float>::infinity();
}
}
#pragma clang diagnostic pop
#endif
#endif

#endif
