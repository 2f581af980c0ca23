// SPDX-License-Identifier: MIT
/// The secret that keyed noise is drawn from.
#ifndef CHAFF_NOISE_KEY_HPP
#define CHAFF_NOISE_KEY_HPP

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "chaff/error.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The two halves of a key, little-endian.
struct key_words {
  std::uint64_t low;
  std::uint64_t high;
};

constexpr std::uint64_t value_of_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint64_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint64_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint64_t>(c - 'A' + 10);
  return 16;
}

constexpr key_words parse_key(std::string_view hex) {
  if (hex.size() != 32) fail<std::invalid_argument>("chaff: a key has 32 hexadecimal digits, not %zu", hex.size());
  std::uint64_t words[2] = {};
  for (std::size_t i = 0; i < 32; ++i) {
    const std::uint64_t digit = value_of_digit(hex[i]);
    if (digit > 15) fail<std::invalid_argument>("chaff: character %zu of a key is not a hexadecimal digit", i);
    // two digits a byte, the high one first; eight bytes a word, the low one first
    words[i / 16] |= digit << (8 * (i % 16 / 2) + (i % 2 == 0 ? 4 : 0));
  }
  return {words[0], words[1]};
}

/// What no value is of: {} alone is a list of them.
struct no_value {
  no_value() = delete;
};

template <class Device>
key_words draw_key(Device& device) {
  std::uint64_t words[2];
  for (std::uint64_t& word : words) {
    word = device();
    word = word << 32 | device();
  }
  return {words[0], words[1]};
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// The secret that keyed noise is drawn from: 128 bits that the user supplies and keeps, without a default. All
/// replicas of a service share one key, or an attacker averages over them. A key is as good as the randomness that it
/// was made from, and no message shows it.
///
/// What an attacker can learn. Noise is SipHash-2-4 of the key, of its purpose and, for noise that differs from row to
/// row, of the row's logits rounded to 1/64 (saturated at 2^24); where many words are needed, ChaCha8 with such hashes
/// as its seed. Without the key, an attacker *cannot* predict it, nor tell it from independent uniform noise, whatever
/// other noise they have seen, as long as SipHash-2-4 and ChaCha8 are pseudo-random functions; and repeating a query
/// gains nothing, since the same row has the same noise on every replica that has the key. Of a row of more than 64
/// classes a keyed universal hash goes into SipHash: two rows that differ share their noise with a probability of at
/// most 2^-64 over the key, and so some two of n rows with at most n^2 / 2^65, whatever the attacker chooses, since no
/// output shows the hash. They *can* tell that two rows are equal after rounding, since their noise is; and they can
/// change a query until some logit moves by 1/64: that row has fresh noise, so the mean over n such neighbours has the
/// noise divided by sqrt(n), for n queries. Noise that depends on the key alone (misdirect) cannot be averaged away in
/// that manner, but is learned piece by piece by whoever knows the true labels of some queries.
class key {
 public:
  /// From 32 hexadecimal digits, bytes in order: "000102030405060708090a0b0c0d0e0f".
  /// Throws: std::invalid_argument for any other text.
  [[gnu::always_inline]] constexpr explicit key(std::string_view hex) : key(detail::parse_key(hex)) {}

  /// Draws a key from std::random_device, or from any other source whose call returns 32 random bits as an unsigned
  /// int. The pseudo-random generators of the standard library are refused: an attacker can guess a seed of 32 bits.
  template <class Device>
  requires requires(Device& device) {
    { device() } -> std::same_as<unsigned int>;
    requires !std::is_copy_constructible_v<std::remove_cvref_t<Device>>;
  }
  [[gnu::always_inline]] explicit key(Device&& device) : key(detail::draw_key(device)) {}

  /// @cond
  // {} is no key; the key of a struct such as misdirect{} is one where it is left out.
  __attribute__((unavailable(
      "chaff: a key has no default: write chaff::key(\"...\") with 32 hexadecimal digits of your "
      "own, such as chaff::misdirect{.key = chaff::key(digits)}"))) key(std::initializer_list<detail::no_value>);
  /// @endcond

  /// The first eight bytes, little-endian, as SipHash takes them.
  [[gnu::always_inline]] constexpr std::uint64_t low() const { return low_; }
  /// The last eight bytes, little-endian.
  [[gnu::always_inline]] constexpr std::uint64_t high() const { return high_; }

 private:
  [[gnu::always_inline]] constexpr explicit key(const detail::key_words& words) : low_(words.low), high_(words.high) {}

  std::uint64_t low_;
  std::uint64_t high_;
};

}  // namespace chaff

CHAFF_END

#endif
