// SPDX-License-Identifier: MIT
/// Comparisons of floating-point numbers that are meant to be exact.
#ifndef CHAFF_EXACT_HPP
#define CHAFF_EXACT_HPP

#include "chaff/abi.hpp"
// the build is checked first
#include <functional>

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Whether two numbers are equal, without a tolerance: -0 equals 0, and NaN equals nothing.
/// It is a == b, said by the standard library: in builds of users, -Wfloat-equal takes a == b for a mistake.
template <class T>
[[gnu::always_inline]] constexpr bool is_exactly(T a, T b) {
  return std::equal_to<T>{}(a, b);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
