// SPDX-License-Identifier: MIT
/// No defense: the posterior, under the same guarantees; the baseline of every comparison.
#ifndef CHAFF_DEFENSES_NONE_HPP
#define CHAFF_DEFENSES_NONE_HPP

#include "chaff/defenses/gated.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A gate that is always closed.
struct never {
  template <class T>
  [[gnu::always_inline]] double operator()(const row<T>&) const {
    return 0;
  }
};

/// The perturbation that leaves p as it is.
struct identity {
  template <class T>
  struct weights_of_row {
    T label;
    [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const { return block.p; }
  };
  template <class T>
  struct weight_of_class {
    [[gnu::always_inline]] simd::vec<T> step(const block<T>& block) const { return block.p; }
    [[gnu::always_inline]] simd::vec<T> blend(simd::vec<T> p, simd::vec<T>, simd::vec<T>) const { return p; }
    [[gnu::always_inline]] simd::vec<T> label(simd::vec<T> p, simd::vec<T>) const { return p; }
  };
  template <class T>
  [[gnu::always_inline]] weight_of_class<T> classwise() const {
    return {};
  }
  template <class T>
  [[gnu::always_inline]] weights_of_row<T> weights(const row<T>& row) const {
    return {static_cast<T>(row.confidence())};
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// No defense: the posterior, under the same guarantees; the baseline of every comparison.
/// Formula: alpha = 0.
struct none {
  [[gnu::always_inline]] constexpr gated<detail::never, detail::identity> parts() const { return {}; }
};

}  // namespace chaff

CHAFF_END

#endif
