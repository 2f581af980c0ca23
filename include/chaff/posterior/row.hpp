// SPDX-License-Identifier: MIT
/// One row of logits, and the facts about its posterior that gates and perturbations read.
#ifndef CHAFF_POSTERIOR_ROW_HPP
#define CHAFF_POSTERIOR_ROW_HPP

#include <limits>
#include <span>

#include "chaff/form.hpp"
#include "chaff/simd/blocks.hpp"
#include "chaff/simd/exponential.hpp"
#include "chaff/simd/logarithm.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A block of neighbouring classes of a row, one in each lane of a machine vector.
template <class T>
struct block {
  std::size_t first;   ///< the class in lane 0
  std::size_t count;   ///< the number of classes in the block; the lanes past it hold nothing of use
  simd::vec<T> p;      ///< the posterior
  simd::vec<T> log_p;  ///< its logarithm, which is finite and precise where p has underflowed to 0
};

/// Facts about one row of K >= 2 classes.
/// With z the logits, k the predicted label and e_i = exp(z_i - z_k) (the probability itself, where the model returned
/// probabilities): p_i = e_i / (label_mass + other_mass).
template <std::floating_point T>
struct row {
  std::span<const T> values;  ///< as the model returned them
  form input;                 ///< how to read them
  std::size_t label;          ///< k, the lowest index of the largest value
  T label_value;              ///< values[label]; kept, since an output in place overwrites the values
  double label_mass;          ///< e_k
  double other_mass;          ///< sum of e_i over i != k, so that 1 - p_k loses nothing where p_k is close to 1

  [[gnu::always_inline]] std::size_t classes() const { return values.size(); }
  [[gnu::always_inline]] double mass() const { return label_mass + other_mass; }

  /// p_k, the confidence of the model; in [1/K, 1].
  [[gnu::always_inline]] double confidence() const { return label_mass / mass(); }

  /// (1 - p_k) / p_k, the odds against the label.
  [[gnu::always_inline]] T odds_against_label() const {
    return static_cast<T>(input == form::probabilities ? other_mass / label_mass : other_mass);
  }

  /// log sum exp z, the negative free energy, which only logits have; about 0 for probabilities and their logarithms.
  /// Error: 1e-15 (1 + |z_k|).
  [[gnu::always_inline]] double log_sum_exp() const {
    const double log_mass = simd::log_of(mass());
    return input == form::probabilities ? log_mass : static_cast<double>(label_value) + log_mass;
  }

  /// The posterior of one class.
  [[gnu::always_inline]] T posterior(std::size_t i) const {
    const T e = input == form::probabilities ? values[i]
                                             : simd::exp_nonpositive<T>(simd::broadcast(values[i] - label_value))[0];
    return static_cast<T>(static_cast<double>(e) / mass());
  }

  /// Whether class i is masked: its logit is -inf. A masked class keeps exactly 0 in every output.
  [[gnu::always_inline]] bool is_masked(std::size_t i) const { return values[i] <= masked_value(); }

  /// What a masked class holds.
  [[gnu::always_inline]] T masked_value() const {
    return input == form::probabilities ? T(0) : -std::numeric_limits<T>::infinity();
  }
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// How many of `count` classes, of which one is the first, are masked.
template <class T>
std::size_t count_masked(const row<T>& row, std::size_t first, std::size_t count) {
  const T* const values = row.values.data() + first;
  const simd::vec<T> masked = simd::vec<T>{} + row.masked_value();
  simd::mask<T> found{};
  for (std::size_t i = 0; i < count; i += simd::width<T>) {
    found -= simd::load_some<T>(values + i, count - i, row.label_value) <= masked;  // the label is never masked
  }
  return static_cast<std::size_t>(simd::sum_across<simd::int_of<T>>(found));
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
