// SPDX-License-Identifier: MIT
/// No defense: the posterior, under the same promises; the baseline of every comparison.
#ifndef CHAFF_DEFENSES_NONE_HPP
#define CHAFF_DEFENSES_NONE_HPP

#include "chaff/defenses/gated.hpp"

namespace chaff {

/// w = p behind a gate that is always closed (alpha = 0).
struct none {
  struct closed {
    void check(const policy&) const {}
    template <class T>
    double operator()(const row<T>&) const {
      return 0;
    }
  };
  struct identity {
    void check(const policy&) const {}
    template <class T>
    struct weights_of_row {
      T label;
      [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const { return at.p; }
    };
    template <class T>
    struct weight_of_class {
      [[gnu::always_inline]] lanes<T> step(const block<T>& at) const { return at.p; }
      [[gnu::always_inline]] lanes<T> blended(lanes<T> p, lanes<T>, lanes<T>) const { return p; }
      [[gnu::always_inline]] lanes<T> label(lanes<T> p, lanes<T>) const { return p; }
    };
    template <class T>
    weight_of_class<T> classwise() const {
      return {};
    }
    template <class T>
    weights_of_row<T> weights(const row<T>& seen) const {
      return {static_cast<T>(seen.confidence())};
    }
  };
  constexpr gated<closed, identity> parts() const { return {}; }
};

}  // namespace chaff

#endif
