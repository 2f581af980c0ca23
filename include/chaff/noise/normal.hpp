// SPDX-License-Identifier: MIT
/// Random words turned into normally distributed numbers.
#ifndef CHAFF_NOISE_NORMAL_HPP
#define CHAFF_NOISE_NORMAL_HPP

#include "chaff/noise/keyed_noise.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// sin(2 pi x) for x in [-1/4, 1/4].
/// Error: 2e-16 absolute. A polynomial of degree 15 (Sollya's fpminimax).
[[gnu::always_inline]] inline simd::vec<double> sine_of_turn(simd::vec<double> x) {
  const simd::vec<double> y =
      simd::horner<double>(x * x, 0x1.921fb54442d17p2, -0x1.4abbce625bd61p5, 0x1.466bc6775174p6, -0x1.32d2cce1b3c2fp6,
                           0x1.5078325fc6072p5, -0x1.e3062c5df2f42p3, 0x1.e89e8b79ace2ep1, -0x1.62811015f56f8p-1);
  return y * x;
}

/// Two independent standard normal numbers in each lane.
struct normal_pair {
  simd::vec<double> by_cosine;
  simd::vec<double> by_sine;
};

/// Two standard normal numbers from each two 32-bit words: sqrt(-2 log u) times cos(2 pi v) and sin(2 pi v), with u in
/// (0, 1) from the first word and v in (-1/2, 1/2) from the second.
///
/// Range: |x| <= 6.77, so the tails past it, of probability 1.3e-11, are missing. No library function is called, and
/// IEEE 754 fixes the square root: replicas of one build agree to the bit. Source: Box & Muller 1958.
[[gnu::always_inline]] inline normal_pair normals(simd::vec<std::uint64_t> first, simd::vec<std::uint64_t> second) {
  const simd::vec<double> u = (simd::double_of_word(first) + 0.5) * 0x1p-32;
  const simd::vec<double> v =
      simd::multiply_add<double>(simd::double_of_word(second) + 0.5, simd::broadcast(0x1p-32), simd::broadcast(-0.5));
  const simd::vec<double> radius = simd::square_root(simd::log_nonnegative<double>(u) * -2.0);
  // an angle of more than a quarter has the sine of what is left of the half turn
  const simd::vec<double> size = simd::absolute<double>(v);
  const simd::vec<double> rest = simd::select<double>(v < 0.0, simd::broadcast(-0.5), simd::broadcast(0.5)) - v;
  return {radius * sine_of_turn(0.25 - size), radius * sine_of_turn(simd::select<double>(size > 0.25, rest, v))};
}

/// The normal numbers of `count` classes from 2 * half words: class i and class half + i share the words i and half +
/// i. half is a multiple of 8; `to` has room for 2 * half numbers, of which those up to a multiple of 16 are written.
template <class T>
[[gnu::noinline]] void write_normals(const std::uint32_t* words, std::size_t half, std::size_t count, T* to) {
  constexpr std::size_t width = simd::width<double>;
  for (std::size_t first = 0; first < (std::min)((count + 15) / 16 * 16, half); first += width) {
    simd::vec<std::uint64_t> u{}, v{};
    for (std::size_t i = 0; i < width; ++i) {
      u[i] = words[first + i];
      v[i] = words[half + first + i];
    }
    const normal_pair pair = normals(u, v);
    simd::store_narrow<T>(to + first, pair.by_cosine);
    simd::store_narrow<T>(to + half + first, pair.by_sine);
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
