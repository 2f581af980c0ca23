// SPDX-License-Identifier: MIT
/// The falling logistic step that gates are made of.
#ifndef CHAFF_GATES_STEP_HPP
#define CHAFF_GATES_STEP_HPP

#include <cmath>

namespace chaff {

/// 1 / (1 + exp(x)): 1 for a very negative x, 1/2 at 0. Exactly 1 and 0 past |x| = 40, where double has no room left
/// beside 1 and 4e-18 moves no answer.
inline double falling_step(double x) {
  if (x < -40) return 1;
  if (x > 40) return 0;
  return 1 / (1 + std::exp(x));
}

}  // namespace chaff

#endif
