// SPDX-License-Identifier: MIT
/// The falling logistic step that gates are made of.
#ifndef CHAFF_GATES_STEP_HPP
#define CHAFF_GATES_STEP_HPP

#include <bit>
#include <cmath>
#include <cstdint>

#include "chaff/simd/exponential.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// 1 / (1 + exp(x)) for |x| <= 40.
[[gnu::noinline]] inline double logistic(double x) {
  const double e = simd::exp_nonpositive<double>(simd::broadcast(-(std::abs)(x)))[0];
  return (x >= 0 ? e : 1) / (1 + e);  // of NaN, 1: the gate is open
}

/// 1 / (1 + exp(x)): 1 for a very negative x, 1/2 at 0. Exactly 1 and 0 past |x| = 40, where double has no room left
/// beside 1, and 4e-18 moves no output.
[[gnu::always_inline]] inline double falling_step(double x) {
  // no branch depends on the side: wrong predictions at the rarer one would show in the time
  if ((std::abs)(x) > 40) return static_cast<double>(static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(x) >> 63));
  return logistic(x);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
