// SPDX-License-Identifier: MIT
/// Random words from a key and, optionally, a row: never from a call count.
#ifndef CHAFF_NOISE_KEYED_NOISE_HPP
#define CHAFF_NOISE_KEYED_NOISE_HPP

#include "chaff/noise/siphash.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// What noise is for: parts that share a key do not share noise.
enum class noise_purpose : std::uint64_t { vertex = 1, gaussian = 2, derangement = 3 };

/// A random 64-bit word for each index: SipHash-2-4 of (purpose, index), or of (purpose, K, row, index) with the row's
/// logits rounded to 1/64 (saturated at 2^24; of probabilities, their logarithms). The same row has the same words in
/// every call, in any batch, and on every replica that has the key.
class keyed_noise {
 public:
  /// Noise that is the same for all rows.
  keyed_noise(const key& secret, noise_purpose purpose) : state_(secret) {
    state_.absorb(static_cast<std::uint64_t>(purpose));
    words_ = 1;
  }

  /// Noise of one row.
  template <class T>
  keyed_noise(const key& secret, noise_purpose purpose, const row<T>& row) : keyed_noise(secret, purpose) {
    state_.absorb(row.classes());
    std::uint64_t pair = 0;
    bool half = false;
    simd::for_each_block<T>(row.classes(), [&](std::size_t first, auto count) {
      simd::vec<T> value = simd::load<T>(row.values.data() + first, count, T(1));
      if (row.input == form::probabilities) value = simd::log_nonnegative<T>(value);
      const simd::vec<simd::int_of<T>> cells = cells_of<T>(value);
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t cell = static_cast<std::uint32_t>(cells[i]);
        if (half) state_.absorb(pair | cell << 32);
        pair = cell;
        half = !half;
      }
    });
    if (half) state_.absorb(pair);
    words_ += 1 + (row.classes() + 1) / 2;
  }

  /// The words of the indices first, first + 1, ...
  simd::vec<std::uint64_t> at(std::size_t first) const {
    siphash_state<simd::vec<std::uint64_t>> state(state_);
    state.absorb(simd::iota<std::uint64_t>(first));
    return state.finish(simd::vec<std::uint64_t>{} + length());
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
  template <class T>
  [[gnu::always_inline]] static simd::vec<simd::int_of<T>> cells_of(simd::vec<T> value) {
    constexpr T bound = T(1 << 30);
    const simd::vec<T> scaled =
        simd::maximum<T>(simd::minimum<T>(value * T(64), simd::broadcast(bound)), simd::broadcast(-bound));
    const simd::vec<T> half = simd::select<T>(scaled < T(0), simd::broadcast(T(-0.5)), simd::broadcast(T(0.5)));
    return __builtin_convertvector(scaled + half, simd::vec<simd::int_of<T>>);  // truncates
  }

  /// The length of the message in bytes, at the place where SipHash takes it.
  std::uint64_t length() const { return (words_ + 1) * 8 << 56; }

  siphash_state<std::uint64_t> state_;
  std::uint64_t words_ = 0;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
