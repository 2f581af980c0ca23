// SPDX-License-Identifier: MIT
/// A gate and the perturbation behind it: the form that every defense has in the end.
#ifndef CHAFF_DEFENSES_GATED_HPP
#define CHAFF_DEFENSES_GATED_HPP

#include "chaff/gates/always.hpp"

namespace chaff {

/// weights = (1 - alpha) p + alpha w, alpha from the gate, w from the perturbation.
template <class G, class P>
struct gated {
  G gate;
  P perturbation;
};
template <class G, class P>
gated(G, P) -> gated<G, P>;

/// The gate and the perturbation of a defense: a gated as it is, a named composition by its parts(), and a bare
/// perturbation behind a gate that is always open, by reference.
template <class G, class P>
constexpr const gated<G, P>& parts_of(const gated<G, P>& defense) {
  return defense;
}
template <class Defense>
constexpr auto parts_of(const Defense& defense) {
  if constexpr (requires { defense.parts(); }) {
    return defense.parts();
  } else {
    return gated<always, const Defense&>{{}, defense};
  }
}

}  // namespace chaff

#endif
