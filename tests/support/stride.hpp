// SPDX-License-Identifier: MIT
/// How thoroughly the exhaustive tests go.
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

/// Every value; but one in 61 where a sanitizer, a build without optimisation or an emulator makes each of them slow.
#if defined(CHAFF_TESTS_ARE_SLOW)
inline constexpr unsigned exhaustive_stride = 61;
#else
inline constexpr unsigned exhaustive_stride = 1;
#endif

/// The same for the laws, on all their rows under all policies: an emulator alone makes those too slow.
#if defined(CHAFF_EMULATED)
inline constexpr unsigned law_stride = 7;
#else
inline constexpr unsigned law_stride = 1;
#endif

#endif
