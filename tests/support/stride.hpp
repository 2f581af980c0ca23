// SPDX-License-Identifier: MIT
/// How many values the tests skip: none in the preset test_exhaustive, and most in all others.
#ifndef CHAFF_TESTS_SUPPORT_STRIDE_HPP
#define CHAFF_TESTS_SUPPORT_STRIDE_HPP

#include <cstddef>

#if defined(CHAFF_TESTS_ARE_EXHAUSTIVE)
inline constexpr bool is_exhaustive = true;
#else
inline constexpr bool is_exhaustive = false;
#endif

/// The step of sweeps over all floats or all triples of codes.
inline constexpr unsigned exhaustive_stride = is_exhaustive ? 1 : 61;

/// The step through edge-case rows of so many classes. An emulator takes long for each row.
constexpr unsigned row_stride(std::size_t classes) {
#if defined(CHAFF_EMULATED)
  static_cast<void>(classes);
  return 7;
#else
  return !is_exhaustive && classes > 5000 ? 6 : 1;
#endif
}

/// The step through parameters for rows of so many classes. An emulator takes long for a long row.
constexpr std::size_t setting_stride(std::size_t classes) {
#if defined(CHAFF_EMULATED)
  return classes > 1000 ? 4 : 1;
#else
  static_cast<void>(classes);
  return 1;
#endif
}

#endif
