// SPDX-License-Identifier: MIT
/// Random words turned into normally distributed numbers.
#ifndef CHAFF_NOISE_NORMAL_HPP
#define CHAFF_NOISE_NORMAL_HPP

#include <cmath>

#include "chaff/noise/keyed_noise.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// One standard normal number from each 64-bit word: sqrt(-2 log u) sin(2 pi v), with u in (0, 1) from the word's high
/// half and v in [-1/4, 1/4] folded from the low one.
///
/// Range: |x| <= 6.77, so the tails past it, of probability 1.3e-11, are missing. No library function is called but the
/// square root, which IEEE 754 fixes: replicas of one build agree to the bit.
/// Source: Box & Muller 1958; the sine is a polynomial of degree 15 (Sollya's fpminimax, absolute error 2e-16).
inline simd::vec<double> normal(simd::vec<std::uint64_t> words) {
  using signed_words = simd::vec<std::int64_t>;
  const simd::vec<double> high =
      __builtin_convertvector(reinterpret_cast<signed_words>(words >> 32), simd::vec<double>);
  const simd::vec<double> low =
      __builtin_convertvector(reinterpret_cast<signed_words>(words & 0xffffffffu), simd::vec<double>);
  const simd::vec<double> radius_squared = simd::log_nonnegative<double>((high + 0.5) * 0x1p-32) * -2.0;
  simd::vec<double> radius{};
  for (std::size_t i = 0; i < simd::width<double>; ++i) radius[i] = std::sqrt(radius_squared[i]);
  // an angle in [-1/2, 1/2) of a turn has the sine of 1/4 - |angle|, moved by a quarter: as even a spread
  const simd::vec<double> turn = simd::multiply_add<double>(low + 0.5, simd::broadcast(0x1p-32), simd::broadcast(-0.5));
  const simd::vec<double> v = 0.25 - simd::select<double>(turn < 0.0, -turn, turn);
  const simd::vec<double> square = v * v;
  const simd::vec<double> y =
      simd::horner<double>(square, 0x1.921fb54442d17p2, -0x1.4abbce625bd61p5, 0x1.466bc6775174p6, -0x1.32d2cce1b3c2fp6,
                           0x1.5078325fc6072p5, -0x1.e3062c5df2f42p3, 0x1.e89e8b79ace2ep1, -0x1.62811015f56f8p-1);
  return radius * (y * v);
}

/// The normal numbers of the classes first, first + 1, ... of a block.
template <class T>
simd::vec<T> normal_at(const keyed_noise& noise, std::size_t first) {
  simd::vec<T> values{};
  for (std::size_t part = 0; part < simd::width<T>; part += simd::width<double>) {
    const simd::vec<double> numbers = normal(noise.at(first + part));
    for (std::size_t i = 0; i < simd::width<double>; ++i) values[part + i] = static_cast<T>(numbers[i]);
  }
  return values;
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
