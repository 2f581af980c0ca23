// SPDX-License-Identifier: MIT
/// Finds the n-th largest of many keys without sorting or storing them.
#ifndef CHAFF_POSTERIOR_N_LARGEST_HPP
#define CHAFF_POSTERIOR_N_LARGEST_HPP

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A number, not NaN, as an unsigned integer of the same order; -0 and 0 are one.
template <std::floating_point T>
constexpr auto order_of(T t) {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr bits sign = bits{1} << (8 * sizeof(bits) - 1);
  const bits of_t = std::bit_cast<bits>(t + T(0));
  return of_t & sign ? ~of_t : of_t | sign;
}

/// Which of the keys of a set are the n largest; of equal keys, the first ones.
template <std::unsigned_integral Key>
struct largest {
  Key threshold;         ///< the n-th largest key
  std::size_t last_tie;  ///< the last index of a key equal to it that is among the n

  bool has(std::size_t i, Key key) const { return key > threshold || (key == threshold && i <= last_tie); }
};

/// The n largest, n in [1, count], of key_at(0), ..., key_at(count - 1): radix selection, byte by byte from the top.
/// Cost: a pass over the keys for each byte of Key, and one more. Allocation: none; 256 counters on the stack.
template <class KeyAt>
auto n_largest(std::size_t count, std::size_t n, KeyAt key_at) {
  using Key = std::invoke_result_t<KeyAt, std::size_t>;
  constexpr int bits = 8 * sizeof(Key);
  Key prefix = 0;
  std::size_t left = n;  // to be taken among the keys that begin with the prefix
  for (int shift = bits - 8; shift >= 0; shift -= 8) {
    const auto above = [&](Key key) { return shift + 8 < bits ? key >> (shift + 8) : Key{0}; };
    std::size_t having[256] = {};
    for (std::size_t i = 0; i < count; ++i) {
      const Key key = key_at(i);
      if (above(key) == above(prefix)) ++having[key >> shift & 0xff];
    }
    std::size_t digit = 255;
    for (; having[digit] < left; --digit) left -= having[digit];
    prefix |= static_cast<Key>(digit) << shift;
  }
  std::size_t i = 0;
  for (; left > 0; ++i) left -= key_at(i) == prefix;
  return largest<Key>{prefix, i - 1};
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
