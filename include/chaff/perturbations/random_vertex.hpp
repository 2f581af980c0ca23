// SPDX-License-Identifier: MIT
/// Moves the posterior towards a class at random: the baseline that knows nothing.
#ifndef CHAFF_PERTURBATIONS_RANDOM_VERTEX_HPP
#define CHAFF_PERTURBATIONS_RANDOM_VERTEX_HPP

#include "chaff/noise/keyed_noise.hpp"
#include "chaff/posterior/row.hpp"

namespace chaff {

/// w = (1 - epsilon / 2) p + (epsilon / 2) e_j, j uniform among the classes that can occur, the label excepted.
///
/// epsilon in [0, 2]: |w - p|_1 = epsilon (1 - p_j). Raises std::invalid_argument for any other. j is drawn from the
/// key and the row's logits rounded to 1/64: the same row gets the same j. What an attacker can learn: keyed_noise.
/// Source: the baseline "random" of Orekondy et al. 2020, arXiv 1906.10908, with a key in place of fresh draws.
struct random_vertex {
  double epsilon = 1;
  chaff::key key;

  static constexpr bool is_dear = true;

  void check(const policy&) const { check_range("epsilon", epsilon, 0, 2); }

  template <class T>
  struct weights_of_row {
    T label;             ///< w_k
    T kept;              ///< 1 - epsilon / 2
    T given;             ///< epsilon / 2
    std::size_t vertex;  ///< j

    [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const {
      const lanes<T> w = at.p * kept;
      return select<T>(iota<bits_of<T>>(0) == static_cast<bits_of<T>>(vertex - at.first), w + given, w);
    }
  };

  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    std::size_t others = 0;
    for (std::size_t i = 0; i < seen.classes(); ++i) others += i != seen.label && seen.possible(i);
    if (others == 0) return {static_cast<T>(seen.confidence()), T(1), T(0), seen.label};
    std::uint64_t left = keyed_noise(key, noise_purpose::vertex, seen).below(others);
    std::size_t vertex = 0;
    while (vertex == seen.label || !seen.possible(vertex) || left-- > 0) ++vertex;
    return {static_cast<T>(seen.confidence() * (1 - epsilon / 2)), static_cast<T>(1 - epsilon / 2),
            static_cast<T>(epsilon / 2), vertex};
  }
};

}  // namespace chaff

#endif
