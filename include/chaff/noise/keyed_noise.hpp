// SPDX-License-Identifier: MIT
/// Random words from a key and, optionally, a row: never from a call count.
#ifndef CHAFF_NOISE_KEYED_NOISE_HPP
#define CHAFF_NOISE_KEYED_NOISE_HPP

#include "chaff/noise/chacha.hpp"
#include "chaff/noise/siphash.hpp"
#include "chaff/posterior/row.hpp"
#include "chaff/simd/widen.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// What noise is for: parts that share a key do not share noise. The hash of rows has words of its own, too.
enum class noise_purpose : std::uint64_t { vertex = 1, gaussian = 2, derangement = 3, hash = 4 };

/// The cells of a row: its logits in units of 1/64, rounded (saturated at 2^24; of probabilities, their logarithms).
/// Writes those of a block, and 0 past its `count`.
template <class T, class Count>
[[gnu::always_inline]] inline void write_cells(const T* values, Count count, form input, std::uint32_t* cells) {
  constexpr T bound = T(1 << 30);
  simd::vec<T> value = simd::load<T>(values, count, input == form::probabilities ? T(1) : T(0));
  if (input == form::probabilities) value = simd::log_nonnegative<T>(value);
  const simd::vec<T> scaled =
      simd::maximum<T>(simd::minimum<T>(value * T(64), simd::broadcast(bound)), simd::broadcast(-bound));
  const simd::vec<T> half = simd::select<T>(scaled < T(0), simd::broadcast(T(-0.5)), simd::broadcast(T(0.5)));
  const auto whole = __builtin_convertvector(scaled + half, simd::vec<simd::int_of<T>>);  // truncates
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(cells, &whole, sizeof whole);
  } else {
    for (std::size_t i = 0; i < simd::width<T>; ++i) cells[i] = static_cast<std::uint32_t>(whole[i]);
  }
}

/// Writes the cells of `count` classes that begin at one, and 0 up to a multiple of 16, which it returns.
template <class T>
std::size_t write_row_of_cells(const row<T>& row, std::size_t from, std::size_t count, std::uint32_t* cells) {
  const std::size_t whole = (count + 15) / 16 * 16;
  std::memset(cells + (whole - 16), 0, 16 * sizeof(std::uint32_t));
  simd::for_each_block<T>(count, [&](std::size_t first, auto block_count) CHAFF_INLINE {
    write_cells<T>(row.values.data() + from + first, block_count, row.input, cells + first);
  });
  return whole;
}

/// Two universal hashes of up to 112 cells: NH, and NH again with the keys moved on by two.
/// Formula: sum over pairs of (cell_2j + key_2j mod 2^32) (cell_2j+1 + key_2j+1 mod 2^32), mod 2^64; 0 past the cells,
/// up to a multiple of 16. Error: two rows of one length that differ have equal hashes under at most 2^-64 of all keys.
/// Source: Black, Halevi, Krawczyk, Krovetz & Rogaway 1999, "UMAC", theorems 4.2 and 4.3.
struct row_hash {
  static constexpr std::size_t max_cells = 112;  // with two keys more, less than a chunk of random words
  std::uint64_t first;
  std::uint64_t second;

  row_hash(const std::uint32_t* cells, std::size_t count, const std::uint32_t* keys) {
    simd::vec<std::uint64_t> sums[2] = {};
    for (std::size_t i = 0; i < count; i += simd::width<float>) {
      for (std::size_t pass = 0; pass < 2; ++pass) {
        simd::vec<std::uint32_t> cell, key;
        std::memcpy(&cell, cells + i, sizeof cell);
        std::memcpy(&key, keys + i + 2 * pass, sizeof key);
        const auto pairs = reinterpret_cast<simd::vec<std::uint64_t>>(cell + key);
        sums[pass] += simd::multiply_low_words(pairs, pairs >> 32);
      }
    }
    first = simd::sum_across<std::uint64_t>(sums[0]);
    second = simd::sum_across<std::uint64_t>(sums[1]);
  }
};

/// Random 64-bit words by index, and random 32-bit words in bulk.
/// A word is SipHash-2-4 of (purpose, index), or of (purpose, K, row, index). A row of up to 64 classes goes in as its
/// cells, two at a time, and a longer one as hashes: two for each 112 classes, under keys that SipHash draws from the
/// secret. The same row has the same words in every call, in any batch, and on every replica that has the secret.
/// Words in bulk are ChaCha8, whose seed is the words 0 to 3.
class keyed_noise {
 public:
  /// Noise that is the same for all rows.
  keyed_noise(const key& secret, noise_purpose purpose) : state_(secret) {
    absorb(static_cast<std::uint64_t>(purpose));
  }

  /// Noise of one row.
  template <class T>
  [[gnu::noinline]] keyed_noise(const key& secret, noise_purpose purpose, const row<T>& row)
      : keyed_noise(secret, purpose) {
    absorb(row.classes());
    std::uint32_t cells[row_hash::max_cells];
    if (row.classes() <= max_short) {
      write_row_of_cells(row, 0, row.classes(), cells);
      for (std::size_t i = 0; i < row.classes(); i += 2) absorb(cells[i] | std::uint64_t{cells[i + 1]} << 32);
      return;
    }
    std::uint32_t keys[random_words::chunk_size];
    keyed_noise(secret, noise_purpose::hash).in_bulk().fill(0, keys);
    for (std::size_t from = 0; from < row.classes(); from += row_hash::max_cells) {
      const std::size_t count = (std::min)(row_hash::max_cells, row.classes() - from);
      const row_hash hash(cells, write_row_of_cells(row, from, count, cells), keys);
      absorb(hash.first);
      absorb(hash.second);
    }
  }

  /// The words of the indices first, first + 1, ...
  simd::vec<std::uint64_t> at(std::size_t first) const {
    siphash_state<simd::vec<std::uint64_t>> state(state_);
    state.absorb(simd::iota<std::uint64_t>(first));
    return state.finish(simd::vec<std::uint64_t>{} + length());
  }

  random_words in_bulk() const {
    std::uint64_t seed[4];
    for (std::size_t i = 0; i < 4; i += simd::width<double>) {
      const simd::vec<std::uint64_t> words = at(i);
      std::memcpy(seed + i, &words, (std::min)(sizeof words, sizeof seed));
    }
    return random_words(seed);
  }

  /// 16 words of 32 bits, which cost less than a chunk in bulk: the low halves of the words 0 to 7, then the high ones.
  void write_16(std::uint32_t* to) const {
    std::uint64_t words[(std::max)(std::size_t{8}, simd::width<double>)];
    for (std::size_t i = 0; i < 8; i += simd::width<double>) {
      const simd::vec<std::uint64_t> some = at(i);
      std::memcpy(words + i, &some, sizeof some);
    }
    for (std::size_t i = 0; i < 8; ++i) {
      to[i] = static_cast<std::uint32_t>(words[i]);
      to[8 + i] = static_cast<std::uint32_t>(words[i] >> 32);
    }
  }

  /// A number in [0, bound), from the word of index 0. bound in [1, 2^32]; no number is likelier than another by more
  /// than bound / 2^64.
  std::uint64_t below(std::uint64_t bound) const {
    siphash_state<std::uint64_t> state = state_;
    state.absorb(0);
    const std::uint64_t word = state.finish(length());
    // the high half of word * bound, by 32-bit halves
    return ((word >> 32) * bound + ((word & 0xffffffffu) * bound >> 32)) >> 32;
  }

 private:
  static constexpr std::size_t max_short = 64;  // where hashes begin to cost less

  void absorb(std::uint64_t word) {
    state_.absorb(word);
    ++words_;
  }

  /// The length of the message in bytes, at the place where SipHash takes it.
  std::uint64_t length() const { return (words_ + 1) * 8 << 56; }

  siphash_state<std::uint64_t> state_;
  std::uint64_t words_ = 0;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
