// SPDX-License-Identifier: MIT
/// What bounds the time of an output: the exponentials, which every softmax computes, and memory.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_LIMITS_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_LIMITS_HPP

#include <algorithm>
#include <chaff/core.hpp>
#include <cstdint>

/// Takes 1000 cycles of the core's clock, whatever that is at the moment: each step needs the one before.
inline void spend_1000_cycles() {
  std::uint64_t x = 1, y = 3;
  for (int step = 0; step < 100; ++step) {
#pragma GCC unroll 10
    for (int i = 0; i < 10; ++i) {
      x ^= y;
      asm volatile("" : "+r"(x));
    }
  }
}

/// Computes as many of our exponentials as there are classes and does nothing with them. At most 2048 classes of the
/// row are read, again and again, so that they stay in the first cache; it reads up to a vector past the row.
[[gnu::noinline]] inline void compute_exponentials(const float* row, std::size_t classes, float top) {
  for (std::size_t done = 0; done < classes; done += 2048) {
    for (std::size_t i = 0; i < std::min<std::size_t>(classes - done, 2048); i += chaff::simd::width<float>) {
      const chaff::simd::vec<float> e = chaff::simd::exp_nonpositive<float>(chaff::simd::load<float>(row + i) - top);
      asm volatile("" : : "x"(e));
    }
  }
}

/// The bytes a class that code reads and writes, pass by pass. What one pass reads again before it leaves the first
/// cache counts once.
inline constexpr double copy_bytes = 4 + 4;
/// find the maximum; write the exponentials; sum them; divide them
inline constexpr double eigen_bytes = 4 + (4 + 4) + 4 + (4 + 4);
/// find the argmax, in a short row with a copy; write the exponentials; scale them
inline constexpr double closed_bytes(std::size_t classes) {
  return (classes <= chaff::detail::stretch_classes<float> ? 4 + 4 : 4) + (4 + 4) + (4 + 4);
}
/// the same, and: perturb, from logits and exponentials; sum the weights under the label's cap
inline constexpr double open_bytes(std::size_t classes) {
  return closed_bytes(classes) + (4 + 4 + 4) + 4;
}

#endif
