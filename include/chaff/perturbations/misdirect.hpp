// SPDX-License-Identifier: MIT
/// A perturbation that sends the label to another class, always the same one: it misleads an attacker who keeps only
/// labels.
#ifndef CHAFF_PERTURBATIONS_MISDIRECT_HPP
#define CHAFF_PERTURBATIONS_MISDIRECT_HPP

#include "chaff/noise/keyed_noise.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Classes in a keyed order, on a circle: by a random word each and, of equal words, by index.
class keyed_circle {
 public:
  keyed_circle(const key& secret, std::size_t classes) {
    const keyed_noise noise(secret, noise_purpose::derangement);
    if (classes <= 16) {
      noise.write_16(words_);
      chunk_ = 0;
    } else {
      random_ = noise.in_bulk();
    }
  }

  /// Goes on to the chunk of a class; the steps of its classes are then known.
  void go_to(std::size_t i) {
    if (i / random_words::chunk_size == chunk_) return;
    chunk_ = i / random_words::chunk_size;
    random_.fill(chunk_, words_);
  }

  /// Where a class lies on the circle of 2^64 places.
  std::uint64_t place_of(std::size_t i) const {
    return std::uint64_t{words_[i % random_words::chunk_size]} << 32 | static_cast<std::uint32_t>(i);
  }

  /// The fewest steps from after a place to a class of the chunk, of `count` classes that begin at one.
  std::uint64_t steps_to_nearest(std::uint64_t place, std::size_t first, std::size_t count) const {
    constexpr std::uint64_t sign = std::uint64_t{1} << 63;  // signed numbers are compared
    simd::vec<std::int64_t> nearest = simd::vec<std::int64_t>{} + (std::numeric_limits<std::int64_t>::max)();
    for (std::size_t i = 0; i < count; i += simd::width<float>) {
      simd::vec<std::uint32_t> words;
      std::memcpy(&words, words_ + (first + i) % random_words::chunk_size, sizeof words);
      const auto places = simd::interleave(simd::iota<std::uint32_t>(static_cast<std::uint32_t>(first + i)), words);
      for (std::size_t part = 0; part < 2; ++part) {
        const auto steps = reinterpret_cast<simd::vec<std::int64_t>>(places[part] - (place + 1 + sign));
        nearest = steps < nearest ? steps : nearest;
      }
    }
    return static_cast<std::uint64_t>(simd::min_across<std::int64_t>(nearest)) ^ sign;
  }

 private:
  random_words random_;
  std::size_t chunk_ = static_cast<std::size_t>(-1);
  std::uint32_t words_[random_words::chunk_size] = {};
};

/// pi(k) of a row: the class that follows the label in the keyed order, of those that are not masked, and the first
/// after the last.
template <class T>
[[gnu::noinline]] std::size_t class_after_label(const key& key, const row<T>& row) {
  constexpr std::size_t chunk = random_words::chunk_size;
  keyed_circle circle(key, row.classes());
  circle.go_to(row.label);
  const std::uint64_t place = circle.place_of(row.label);
  std::uint64_t fewest = static_cast<std::uint64_t>(-1);  // the label itself is so many steps away
  for (std::size_t from = 0; from < row.classes(); from += chunk) {
    circle.go_to(from);
    const std::size_t count = (std::min)(chunk, row.classes() - from);
    const std::size_t whole = count / simd::width<float> * simd::width<float>;
    if (whole == count && count_masked(row, from, count) == 0) {
      fewest = (std::min)(fewest, circle.steps_to_nearest(place, from, count));
      continue;
    }
    for (std::size_t i = from; i < from + count; ++i) {
      if (!row.is_masked(i)) fewest = (std::min)(fewest, circle.place_of(i) - place - 1);
    }
  }
  return (place + 1 + fewest) & 0xffffffffu;
}

template <class T>
struct misdirect_weights {
  T label;            ///< w_k = p_pi(k)
  T confidence;       ///< p_k
  std::size_t other;  ///< pi(k)

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    using Int = simd::int_of<T>;
    return simd::select<T>(simd::iota<Int>(0) == static_cast<Int>(other - block.first), simd::broadcast(confidence),
                           block.p);
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// A perturbation that sends the label to another class, always the same one: it misleads an attacker who keeps only
/// labels.
/// Formula: w = p with the entries of the label k and of pi(k) exchanged. The key gives each class a rank, a
/// random word of 32 bits; pi(k) is the class that follows k in rank, of those that are not masked, and the first after
/// the last; of equal ranks, the lower index comes first. So pi is a derangement, one cycle through all classes, drawn
/// from such cycles: pi(i) = j has the same probability for each j, within 2^-32. It is the same for all queries:
/// repeating or changing a query a little does not average it away.
/// It changes labels on purpose: use it behind a gate, with policy.keep_label = false. A row in which only one class is
/// not masked stays as it is.
/// Throws: std::invalid_argument under policy.keep_label, when bound to a model and at apply.
/// What an attacker can learn: whoever knows the true label of a misdirected query knows pi of that class; K - 1 such
/// queries give all of pi, and then show which responses were misdirected.
/// Cost: O(K), a random word for each class where the gate is open.
/// Source: this library.
struct misdirect {
  chaff::key key;

  [[gnu::always_inline]] constexpr parameter_error check(const policy& policy) const {
    if (policy.keep_label) return {.sentence = "misdirect changes labels on purpose: set policy.keep_label = false"};
    return {};
  }

  template <class T>
  detail::misdirect_weights<T> weights(const row<T>& row) const {
    const std::size_t other = detail::class_after_label(key, row);
    return {row.posterior(other), static_cast<T>(row.confidence()), other};
  }
};

}  // namespace chaff

CHAFF_END

#endif
