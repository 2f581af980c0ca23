// SPDX-License-Identifier: MIT
/// How many values the exhaustive tests skip.
#ifndef CHAFF_TESTS_SUPPORT_STRIDE_HPP
#define CHAFF_TESTS_SUPPORT_STRIDE_HPP

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define CHAFF_TESTS_ARE_SLOW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__) || defined(CHAFF_EMULATED)
#define CHAFF_TESTS_ARE_SLOW
#endif

/// The step of sweeps over all floats or all triples of codes: 1 is every value. It is 61 where a sanitizer, a build
/// without optimisation or an emulator makes each value slow.
#if defined(CHAFF_TESTS_ARE_SLOW)
inline constexpr unsigned exhaustive_stride = 61;
#else
inline constexpr unsigned exhaustive_stride = 1;
#endif

/// The step of the tests of the guarantees through pairs of row and policy: 1 is every pair. Only an emulator is too
/// slow for that.
#if defined(CHAFF_EMULATED)
inline constexpr unsigned row_stride = 7;
#else
inline constexpr unsigned row_stride = 1;
#endif

#endif
