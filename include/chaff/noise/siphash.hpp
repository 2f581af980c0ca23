// SPDX-License-Identifier: MIT
/// SipHash-2-4: a keyed hash of 64 bits that cannot be predicted without the key.
#ifndef CHAFF_NOISE_SIPHASH_HPP
#define CHAFF_NOISE_SIPHASH_HPP

#include <cstdint>
#include <span>

#include "chaff/noise/key.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The state of SipHash-2-4. Word is std::uint64_t, or a machine vector of it: each lane then hashes its own message,
/// all of one length. Source: Aumasson & Bernstein 2012, "SipHash: a fast short-input PRF".
template <class Word>
class siphash_state {
 public:
  [[gnu::always_inline]] explicit siphash_state(const key& secret)
      : v0_(Word{} + (secret.low() ^ 0x736f6d6570736575u)),
        v1_(Word{} + (secret.high() ^ 0x646f72616e646f6du)),
        v2_(Word{} + (secret.low() ^ 0x6c7967656e657261u)),
        v3_(Word{} + (secret.high() ^ 0x7465646279746573u)) {}

  /// A state whose lanes all hold the state `one`.
  template <class One>
  requires(std::is_same_v<One, std::uint64_t> && !std::is_same_v<Word, One>)
      [[gnu::always_inline]] explicit siphash_state(const siphash_state<One>& one)
      : v0_(Word{} + one.v0_), v1_(Word{} + one.v1_), v2_(Word{} + one.v2_), v3_(Word{} + one.v3_) {}

  /// Takes in eight bytes of the message, little-endian.
  [[gnu::always_inline]] void absorb(Word message) {
    v3_ ^= message;
    rounds(2);
    v0_ ^= message;
  }

  /// The hash of the message: `last` holds its bytes after the last full eight, and its length modulo 256 on top.
  [[gnu::always_inline]] Word finish(Word last) {
    absorb(last);
    v2_ ^= Word{} + std::uint64_t{0xff};
    rounds(4);
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  template <class>
  friend class siphash_state;

  [[gnu::always_inline]] static Word rotate_left(Word x, int by) { return x << by | x >> (64 - by); }

  [[gnu::always_inline]] void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v2_ += v3_;
      v1_ = rotate_left(v1_, 13) ^ v0_;
      v3_ = rotate_left(v3_, 16) ^ v2_;
      v0_ = rotate_left(v0_, 32);
      v2_ += v1_;
      v0_ += v3_;
      v1_ = rotate_left(v1_, 17) ^ v2_;
      v3_ = rotate_left(v3_, 21) ^ v0_;
      v2_ = rotate_left(v2_, 32);
    }
  }

  Word v0_, v1_, v2_, v3_;
};

/// The SipHash-2-4 of bytes.
inline std::uint64_t siphash(const key& secret, std::span<const std::uint8_t> bytes) {
  siphash_state<std::uint64_t> state(secret);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{bytes[i]} << (8 * (i % 8));
    if (i % 8 == 7) {
      state.absorb(word);
      word = 0;
    }
  }
  return state.finish(word | std::uint64_t{bytes.size()} << 56);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
