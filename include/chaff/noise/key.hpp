// SPDX-License-Identifier: MIT
/// The secret that keyed noise is drawn from.
#ifndef CHAFF_NOISE_KEY_HPP
#define CHAFF_NOISE_KEY_HPP

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "chaff/error.hpp"

namespace chaff {

/// 128 bits that the user supplies and keeps: there is no default. All replicas of a service share one key, or a caller
/// averages over them. A key is as good as the randomness that it was made from, and no message shows it.
class key {
 public:
  /// From 32 hexadecimal digits, bytes in order: "000102030405060708090a0b0c0d0e0f".
  /// Raises std::invalid_argument for any other text.
  constexpr explicit key(std::string_view hex) {
    if (hex.size() != 32) fail<std::invalid_argument>("chaff: a key has 32 hexadecimal digits, not %zu", hex.size());
    for (std::size_t i = 0; i < 32; ++i) {
      const std::uint64_t digit = value_of_digit(hex[i]);
      if (digit > 15) fail<std::invalid_argument>("chaff: character %zu of a key is no hexadecimal digit", i);
      // two digits a byte, high one first; eight bytes a word, low one first
      words_[i / 16] |= digit << (8 * (i % 16 / 2) + (i % 2 == 0 ? 4 : 0));
    }
  }

  /// From std::random_device: from any source that returns 32 random bits as an unsigned int. Not from the standard's
  /// pseudo-random generators, whose 32 bits of seed are no secret.
  template <class Device>
  requires requires(Device& device) {
    { device() } -> std::same_as<unsigned int>;
    requires !std::is_copy_constructible_v<std::remove_cvref_t<Device>>;
  }
  explicit key(Device&& device) {
    for (std::uint64_t& word : words_) {
      word = device();
      word = word << 32 | device();
    }
  }

  /// The two halves, little-endian, as SipHash takes them.
  constexpr std::uint64_t low() const { return words_[0]; }
  constexpr std::uint64_t high() const { return words_[1]; }

 private:
  static constexpr std::uint64_t value_of_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint64_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint64_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint64_t>(c - 'A' + 10);
    return 16;
  }

  std::uint64_t words_[2] = {};
};

}  // namespace chaff

#endif
