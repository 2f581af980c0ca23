// SPDX-License-Identifier: MIT
/// A perturbation that moves the posterior towards a random class: the baseline that knows nothing.
#ifndef CHAFF_PERTURBATIONS_RANDOM_VERTEX_HPP
#define CHAFF_PERTURBATIONS_RANDOM_VERTEX_HPP

#include "chaff/noise/keyed_noise.hpp"
#include "chaff/policy.hpp"
#include "chaff/posterior/row.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

template <class T>
struct random_vertex_weights {
  T label;             ///< w_k
  T kept;              ///< 1 - epsilon / 2
  T given;             ///< epsilon / 2
  std::size_t vertex;  ///< j

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    using Int = simd::int_of<T>;
    const simd::vec<T> w = block.p * kept;
    const simd::vec<T> w_of_vertex = simd::multiply_add<T>(block.p, simd::broadcast(kept), simd::broadcast(given));
    return simd::select<T>(simd::iota<Int>(0) == static_cast<Int>(vertex - block.first), w_of_vertex, w);
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// A perturbation that moves the posterior towards a random class other than the label.
/// Formula: w = (1 - epsilon / 2) p + (epsilon / 2) e_j, j uniform among the classes that are neither masked nor the
/// label, so that |w - p|_1 = epsilon (1 - p_j).
/// j is drawn from the key and from the logits rounded to 1/64: the same row has the same j. The class key says what an
/// attacker can learn.
/// Shapes: a row of K weights that sum to 1.
/// Range: epsilon in [0, 2].
/// Throws: std::invalid_argument for any other value, when bound to a model and at apply.
/// Allocates: nothing.
/// Source: the baseline "random" of Orekondy et al. 2020, arXiv 1906.10908, with a key in place of fresh draws.
struct random_vertex {
  double epsilon = 1;
  chaff::key key;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"epsilon", epsilon, 0, 2});
  }

  template <class T>
  detail::random_vertex_weights<T> weights(const row<T>& row) const {
    // the label is never masked
    const std::size_t others = row.classes() - 1 - detail::count_masked(row, 0, row.classes());
    if (others == 0) return {static_cast<T>(row.confidence()), T(1), T(0), row.label};
    std::uint64_t left = detail::keyed_noise(key, detail::noise_purpose::vertex, row).below(others);
    std::size_t vertex = left & 0xffffffffu;
    vertex += vertex >= row.label;
    if (others + 1 < row.classes()) {
      vertex = 0;
      while (vertex == row.label || row.is_masked(vertex) || left-- > 0) ++vertex;
    }
    return {static_cast<T>(row.confidence() * (1 - epsilon / 2)), static_cast<T>(1 - epsilon / 2),
            static_cast<T>(epsilon / 2), vertex};
  }
};

}  // namespace chaff

CHAFF_END

#endif
