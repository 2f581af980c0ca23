// SPDX-License-Identifier: MIT
/// ChaCha8 in counter mode: many random words from one seed, a block in each lane of a machine vector.
#ifndef CHAFF_NOISE_CHACHA_HPP
#define CHAFF_NOISE_CHACHA_HPP

#include <algorithm>
#include <cstdint>

#include "chaff/simd/vec.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Blocks of ChaCha, one in each lane.
using chacha_words = simd::vec<std::uint32_t>;

[[gnu::always_inline]] inline chacha_words rotate_left(chacha_words x, int by) {
  return x << by | x >> (32 - by);
}

[[gnu::always_inline]] inline void quarter_round(chacha_words& a, chacha_words& b, chacha_words& c, chacha_words& d) {
  a += b;
  d = rotate_left(d ^ a, 16);
  c += d;
  b = rotate_left(b ^ c, 12);
  a += b;
  d = rotate_left(d ^ a, 8);
  c += d;
  b = rotate_left(b ^ c, 7);
}

/// The block function of ChaCha, in place: the rounds, and the sum with the input.
/// Source: Bernstein 2008, "ChaCha, a variant of Salsa20"; RFC 8439, section 2.3.
template <int rounds>
[[gnu::always_inline]] inline void chacha(chacha_words (&x)[16]) {
  chacha_words input[16];
  std::copy(x, x + 16, input);
  for (int i = 0; i < rounds; i += 2) {
    for (int column = 0; column < 4; ++column) quarter_round(x[column], x[4 + column], x[8 + column], x[12 + column]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  for (int i = 0; i < 16; ++i) x[i] += input[i];
}

/// Random words of 32 bits from a seed of 256, in chunks of 128: ChaCha8 with the seed as its key and no nonce. Word w
/// of block b is at 8 w + b mod 8 of chunk b / 8, which needs no shuffle and does not depend on how long vectors are.
class random_words {
 public:
  static constexpr std::size_t chunk_size = 128;

  random_words() = default;
  explicit random_words(const std::uint64_t (&seed)[4]) {
    for (int i = 0; i < 4; ++i) {
      seed_[2 * i] = static_cast<std::uint32_t>(seed[i]);
      seed_[2 * i + 1] = static_cast<std::uint32_t>(seed[i] >> 32);
    }
  }

  /// Writes the 128 words of a chunk.
  [[gnu::noinline]] void fill(std::size_t chunk, std::uint32_t* to) const {
    constexpr std::size_t blocks = 8;
    constexpr std::size_t at_once = (std::min)(blocks, simd::width<float>);
    for (std::size_t first = 0; first < blocks; first += at_once) {
      chacha_words x[16];
      constexpr std::uint32_t constants[] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
      for (int i = 0; i < 4; ++i) x[i] = chacha_words{} + constants[i];
      for (int i = 0; i < 8; ++i) x[4 + i] = chacha_words{} + seed_[i];
      x[12] = simd::iota<std::uint32_t>(static_cast<std::uint32_t>(chunk * blocks + first));
      x[13] = x[14] = x[15] = chacha_words{};
      chacha<8>(x);
      for (std::size_t w = 0; w < 16; ++w) {
        std::memcpy(to + blocks * w + first, &x[w], at_once * sizeof(std::uint32_t));
      }
    }
  }

 private:
  std::uint32_t seed_[8];
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
