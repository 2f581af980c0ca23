// SPDX-License-Identifier: MIT
/// A gate and the perturbation behind it: what every defense consists of.
#ifndef CHAFF_DEFENSES_GATED_HPP
#define CHAFF_DEFENSES_GATED_HPP

#include "chaff/gates/always.hpp"

CHAFF_BEGIN

namespace chaff {

/// A gate and the perturbation behind it.
/// Formula: weights = (1 - alpha) p + alpha w, alpha from the gate, w from the perturbation.
template <class G, class P>
struct gated {
  G gate;
  P perturbation;
};
template <class G, class P>
gated(G, P) -> gated<G, P>;

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// The gate and the perturbation of a defense: a gated as it is, a composition of the user by its member parts(), and a
/// bare perturbation, by reference, behind a gate that is always open.
template <class G, class P>
[[gnu::always_inline]] constexpr const gated<G, P>& parts_of(const gated<G, P>& defense) {
  return defense;
}
template <class Defense>
[[gnu::always_inline]] constexpr auto parts_of(const Defense& defense) {
  if constexpr (requires { defense.parts(); }) {
    return defense.parts();
  } else {
    return gated<always, const Defense&>{{}, defense};
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
