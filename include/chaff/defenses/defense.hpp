// SPDX-License-Identifier: MIT
/// What a defense is: a gate, a perturbation and reductions, each of which takes rows of T.
#ifndef CHAFF_DEFENSES_DEFENSE_HPP
#define CHAFF_DEFENSES_DEFENSE_HPP

#include "chaff/defenses/reduced.hpp"
#include "chaff/pipeline/perturb.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

template <class Defense>
using gate_of = std::remove_cvref_t<decltype(parts_of(std::declval<const Defense&>()).gate)>;
template <class Defense>
using perturbation_of = std::remove_cvref_t<decltype(parts_of(std::declval<const Defense&>()).perturbation)>;
template <class P>
using perturbation_for_row =
    std::remove_cvref_t<decltype(perturbation_at(std::declval<const P&>(), std::declval<row_position>()))>;

/// Whether a defense needs the query, behind any gate and before any reductions.
template <class Defense>
inline constexpr bool needs_query = QueryPerturbation<perturbation_of<Defense>>;

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A defense that can answer rows of T.
/// Satisfied by dcp, energy_dcp, none, gated{gate, perturbation}, a bare perturbation, any of them | reductions, and
/// any_defense; not by what needs the query.
template <class D, class T = float>
concept Defense = Gate<detail::gate_of<D>, T> &&
    (Perturbation<detail::perturbation_for_row<detail::perturbation_of<D>>, T> ||
     detail::ErasedPerturbation<detail::perturbation_of<D>, T>)&&detail::reduces<D, T>;

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
