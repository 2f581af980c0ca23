// SPDX-License-Identifier: MIT
/// One row of what a model returned, and the facts about its posterior that gates and perturbations are told.
#ifndef CHAFF_POSTERIOR_ROW_HPP
#define CHAFF_POSTERIOR_ROW_HPP

#include <cmath>
#include <span>

#include "chaff/lanes/blocks.hpp"
#include "chaff/lanes/exponential.hpp"
#include "chaff/lanes/logarithm.hpp"
#include "chaff/lanes/row_sum.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/label.hpp"

namespace chaff {

/// A block of neighbouring classes of a row.
template <class T>
struct block {
  std::size_t first;  ///< the class in lane 0
  std::size_t count;  ///< classes in the block; the lanes past it hold nothing of use
  lanes<T> p;         ///< the posterior
  lanes<T> log_p;     ///< its logarithm, which is finite and precise where p has underflowed to 0
};

/// Facts about one row of K >= 2 classes, with z the logits, k the label and e_i = exp(z_i - z_k) (or, where the model
/// returned probabilities, e_i the probability itself): p_i = e_i / (label_mass + other_mass).
template <std::floating_point T>
struct row {
  std::span<const T> values;  ///< as the model returned them
  form input;                 ///< how to read them
  std::size_t label;          ///< k, the lowest index of the largest value
  T label_value;              ///< values[label]; kept, since an answer in place overwrites the values as it goes
  double label_mass;          ///< e_k
  double other_mass;          ///< sum of e_i over i != k, so that 1 - p_k loses nothing where p_k is close to 1

  std::size_t classes() const { return values.size(); }
  double mass() const { return label_mass + other_mass; }

  /// p_k, the model's confidence; in [1/K, 1].
  double confidence() const { return label_mass / mass(); }

  /// (1 - p_k) / p_k, the odds against the label, as a T.
  T odds_against_label() const {
    return static_cast<T>(input == form::probabilities ? other_mass / label_mass : other_mass);
  }

  /// log(p_k / (1 - p_k)); +inf where nothing is left for the other classes.
  double label_log_odds() const { return std::log(label_mass / other_mass); }

  /// log sum exp z, the negative free energy, which only logits have; about 0 for (log-)probabilities.
  double log_sum_exp() const {
    return input == form::probabilities ? std::log(mass()) : static_cast<double>(label_value) + std::log1p(other_mass);
  }

  /// The posterior of one class.
  T posterior(std::size_t i) const { return static_cast<T>(static_cast<double>(e(broadcast(values[i]))[0]) / mass()); }

  /// The posterior of all K classes.
  void posterior(std::span<T> p) const {
    const T scale = static_cast<T>(1 / mass());
    for_each_block<T>(classes(), [&](std::size_t first, auto count) {
      store<T>(p.data() + first, e(load<T>(values.data() + first, count, impossible())) * scale, count);
    });
  }

  /// Whether class i can occur: its logit is not -inf.
  bool possible(std::size_t i) const { return values[i] != impossible(); }

  /// e of the values in a machine vector.
  [[gnu::always_inline]] lanes<T> e(lanes<T> value) const {
    return input == form::probabilities ? value : exp_nonpositive<T>(value - label_value);
  }

  /// log e of the values in a machine vector.
  [[gnu::always_inline]] lanes<T> log_e(lanes<T> value) const {
    return input == form::probabilities ? log_nonnegative<T>(value) : value - label_value;
  }

  /// -1 in the label's lane of the block that begins at `first`.
  [[gnu::always_inline]] mask<T> is_label(std::size_t first) const {
    using I = bits_of<T>;
    return iota<I>(0) == static_cast<I>(label - first);
  }

  /// The sum_over of terms(first, count), the label's lane left out.
  template <class Terms, class... Before>
  [[gnu::always_inline]] double sum_beside_label(Terms terms, Before... before) const {
    const std::size_t label_block = label / lanes_of<T> * lanes_of<T>;
    const mask<T> label_lane = is_label(label_block);
    const auto beside_label = [&](std::size_t first, auto count) CHAFF_INLINED {
      const lanes<T> term = terms(first, count);
      return first == label_block ? select<T>(label_lane, lanes<T>{}, term) : term;
    };
    return sum_over<T>(classes(), beside_label, before...);
  }

  /// What a class that cannot occur holds: such a class keeps exactly 0 in every answer.
  T impossible() const { return input == form::probabilities ? T(0) : -std::numeric_limits<T>::infinity(); }
};

}  // namespace chaff

#endif
