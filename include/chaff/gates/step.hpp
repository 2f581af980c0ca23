// SPDX-License-Identifier: MIT
/// The falling logistic step that gates are made of.
#ifndef CHAFF_GATES_STEP_HPP
#define CHAFF_GATES_STEP_HPP

#include <bit>
#include <cmath>
#include <cstdint>

namespace chaff {

/// 1 / (1 + exp(x)): 1 for a very negative x, 1/2 at 0. Exactly 1 and 0 past |x| = 40, where double has no room left
/// beside 1 and 4e-18 moves no answer.
inline double falling_step(double x) {
  // no branch tells the sides apart: wrong guesses at the rarer one would show in the time
  if (std::abs(x) > 40) return static_cast<double>(std::bit_cast<std::uint64_t>(x) >> 63);
  return 1 / (1 + std::exp(x));
}

}  // namespace chaff

#endif
