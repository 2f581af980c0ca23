// SPDX-License-Identifier: MIT
/// A defense and what its outputs leave out: dcp{.beta = 1.2} | top_k{.k = 5} | rounded{.decimals = 2}.
#ifndef CHAFF_DEFENSES_REDUCED_HPP
#define CHAFF_DEFENSES_REDUCED_HPP

#include <utility>

#include "chaff/concepts.hpp"
#include "chaff/defenses/gated.hpp"
#include "chaff/perturbations/query.hpp"

CHAFF_BEGIN

namespace chaff {

/// A defense, then a reduction. Made by operator|, from left to right.
template <class Defense, class R>
struct reduced {
  Defense defense;
  R reduction;
};
template <class Defense, class R>
reduced(Defense, R) -> reduced<Defense, R>;

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// The number of reductions of a defense or, of an any_defense, the largest.
template <class Defense>
inline constexpr std::size_t reductions_of = [] {
  if constexpr (requires { Defense::max_reductions; }) {
    return Defense::max_reductions;
  } else {
    return std::size_t{0};
  }
}();
template <class Defense, class R>
inline constexpr std::size_t reductions_of<reduced<Defense, R>> = reductions_of<Defense> + 1;

/// A defense without its reductions.
template <class Defense>
[[gnu::always_inline]] constexpr const Defense& without_reductions(const Defense& defense) {
  return defense;
}
template <class Defense, class R>
[[gnu::always_inline]] constexpr const auto& without_reductions(const reduced<Defense, R>& defense) {
  return without_reductions(defense.defense);
}

/// Calls visit(reduction) for each reduction of a defense, from left to right.
template <class Defense, class Visit>
[[gnu::always_inline]] constexpr void for_each_reduction(const Defense& defense, const Visit& visit) {
  if constexpr (requires { defense.for_each_reduction(visit); }) defense.for_each_reduction(visit);
}
template <class Defense, class R, class Visit>
[[gnu::always_inline]] constexpr void for_each_reduction(const reduced<Defense, R>& defense, const Visit& visit) {
  for_each_reduction(defense.defense, visit);
  visit(defense.reduction);
}

/// The gate and the perturbation of a defense that has reductions.
template <class Defense, class R>
[[gnu::always_inline]] constexpr decltype(auto) parts_of(const reduced<Defense, R>& defense) {
  return parts_of(without_reductions(defense));
}

/// A perturbation, of rows or of queries.
template <class P>
concept AnyPerturbation = Perturbation<std::remove_cvref_t<P>> || Perturbation < std::remove_cvref_t<P>,
double > || QueryPerturbation<std::remove_cvref_t<P>>;

template <class R>
concept AnyReduction = Reduction<R, float> || Reduction<R, double>;
template <class G>
concept AnyGate = Gate<G, float> || Gate<G, double>;

/// What a | may follow: a defense with a perturbation of any kind, those of an any_defense included.
template <class D>
concept Reducible = AnyPerturbation<decltype(parts_of(std::declval<const D&>()).perturbation)> || requires {
  D::max_reductions;
};

/// Whether each reduction of a defense takes outputs of T.
template <class Defense, class T>
inline constexpr bool reduces = true;
template <class Defense, class R, class T>
inline constexpr bool reduces<reduced<Defense, R>, T> = reduces<Defense, T>&& Reduction<R, T>;

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// The defense, and then the reduction.
template <class Defense, class R>
requires(detail::AnyPerturbation<decltype(detail::parts_of(std::declval<const Defense&>()).perturbation)>&&
             detail::AnyReduction<R>) constexpr auto
operator|(Defense defense, R reduction) {
  return reduced<Defense, R>{std::move(defense), std::move(reduction)};
}

// What is written by mistake around a |, each with a sentence.

template <class R, class Defense>
requires(detail::AnyReduction<R> && !detail::Reducible<R> && detail::Reducible<Defense>)
    CHAFF_REFUSED("chaff: the reduction comes after the defense: write defense | reduction")
operator|(R, Defense);

template <class First, class Second>
requires(detail::AnyReduction<First> && !detail::Reducible<First> && detail::AnyReduction<Second>)
    CHAFF_REFUSED("chaff: reductions need a defense before them: write chaff::none{} | reduction | reduction")
operator|(First, Second);

template <class First, class Second>
requires(detail::Reducible<First> && !detail::AnyReduction<Second> && detail::Reducible<Second>) CHAFF_REFUSED(
    "chaff: a defense is not followed by another defense: write defense | reduction, such as | "
    "chaff::top_k{}")
operator|(First, Second);

template <class Defense, class R>
requires(detail::Reducible<Defense> && !detail::AnyReduction<R> && !detail::Reducible<R>)
    CHAFF_REFUSED("chaff: the call of a reduction must take a std::span of float or double and a chaff::kept_label")
operator|(Defense, R);

template <class G, class P>
requires(!detail::AnyReduction<G> && !detail::Reducible<G> && detail::AnyGate<G> &&
         (detail::AnyReduction<P> || detail::Reducible<P>))
    CHAFF_REFUSED("chaff: a gate alone is no defense: write chaff::gated{gate, perturbation}")
operator|(G, P);

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
