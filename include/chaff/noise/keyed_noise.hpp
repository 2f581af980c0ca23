// SPDX-License-Identifier: MIT
/// Random words that depend on a key and, where asked for, on a row: never on a call count.
#ifndef CHAFF_NOISE_KEYED_NOISE_HPP
#define CHAFF_NOISE_KEYED_NOISE_HPP

#include "chaff/noise/siphash.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// What noise is for: parts that share a key do not share noise.
enum class noise_purpose : std::uint64_t { vertex = 1, gaussian = 2, derangement = 3 };

/// A random 64-bit word for each index: SipHash-2-4 of (purpose, index), or of (purpose, K, row, index) with the row's
/// logits rounded to 1/64 (saturated at 2^24; of probabilities, their logarithms). The same row gives the same words
/// when asked again, in any batch, and by any replica that has the key.
///
/// Who does not know the key *cannot* foretell a word, nor tell the words from independent uniform ones, whatever other
/// words he has seen, as long as SipHash-2-4 is a pseudo-random function; nor does he gain anything by asking the same
/// query again. He *can* tell that two rows are the same after rounding, since their noise is; and he can change a
/// query until some logit moves by 1/64: that row's noise is fresh, so the mean over n such neighbours has the noise
/// divided by sqrt(n), for n queries. Noise that depends on the key alone cannot be averaged away in that manner, but
/// is learned piece by piece by who knows what some answers should have been.
class keyed_noise {
 public:
  /// The same for all rows.
  keyed_noise(const key& secret, noise_purpose purpose) : state_(secret) {
    state_.absorb(static_cast<std::uint64_t>(purpose));
    words_ = 1;
  }

  /// Of one row.
  template <class T>
  keyed_noise(const key& secret, noise_purpose purpose, const row<T>& seen) : keyed_noise(secret, purpose) {
    state_.absorb(seen.classes());
    std::uint64_t pair = 0;
    bool half = false;
    for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
      lanes<T> value = load<T>(seen.values.data() + first, count, T(1));
      if (seen.input == form::probabilities) value = log_nonnegative<T>(value);
      const lanes<bits_of<T>> cells = cells_of<T>(value);
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t cell = static_cast<std::uint32_t>(cells[i]);
        if (half) state_.absorb(pair | cell << 32);
        pair = cell;
        half = !half;
      }
    });
    if (half) state_.absorb(pair);
    words_ += 1 + (seen.classes() + 1) / 2;
  }

  /// The words of the indices first, first + 1, ...
  lanes<std::uint64_t> at(std::size_t first) const {
    siphash_state<lanes<std::uint64_t>> state(state_);
    state.absorb(iota<std::uint64_t>(first));
    return state.finish(lanes<std::uint64_t>{} + length());
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
  [[gnu::always_inline]] static lanes<bits_of<T>> cells_of(lanes<T> value) {
    constexpr T bound = T(1 << 30);
    const lanes<T> scaled = most<T>(least<T>(value * T(64), broadcast(bound)), broadcast(-bound));
    const lanes<T> half = select<T>(scaled < T(0), broadcast(T(-0.5)), broadcast(T(0.5)));
    return __builtin_convertvector(scaled + half, lanes<bits_of<T>>);  // truncates
  }

  /// Of the message in bytes, where SipHash wants it.
  std::uint64_t length() const { return (words_ + 1) * 8 << 56; }

  siphash_state<std::uint64_t> state_;
  std::uint64_t words_ = 0;
};

}  // namespace chaff

#endif
