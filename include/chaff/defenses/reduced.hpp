// SPDX-License-Identifier: MIT
/// A defense and what is left out of its answers: dcp{.beta = 1.2} | top_k{.k = 5} | rounded{.decimals = 2}.
#ifndef CHAFF_DEFENSES_REDUCED_HPP
#define CHAFF_DEFENSES_REDUCED_HPP

#include <tuple>
#include <utility>

#include "chaff/concepts.hpp"
#include "chaff/defenses/gated.hpp"
#include "chaff/perturbations/query.hpp"

namespace chaff {

/// A defense, then reductions, from left to right. Made by operator|.
template <class Defense, class... Reductions>
struct reduced {
  Defense defense;
  std::tuple<Reductions...> reductions;
};

template <class Defense, class... Reductions>
reduced(Defense, std::tuple<Reductions...>) -> reduced<Defense, Reductions...>;

template <class Defense, class... Reductions>
constexpr decltype(auto) parts_of(const reduced<Defense, Reductions...>& used) {
  return parts_of(used.defense);
}

/// The reductions of a defense: of most, none.
template <class Defense>
constexpr std::tuple<> reductions_of(const Defense&) {
  return {};
}
template <class Defense, class... Reductions>
constexpr const std::tuple<Reductions...>& reductions_of(const reduced<Defense, Reductions...>& used) {
  return used.reductions;
}

/// A perturbation, of rows or of queries.
template <class P>
concept weighs_or_asks = perturbation<std::remove_cvref_t<P>> || perturbation < std::remove_cvref_t<P>,
double > || query_perturbation<std::remove_cvref_t<P>>;

/// What stands left of a reduction: a defense, of logits or of queries.
template <class D>
concept reducible = requires(const D& defense) {
  { parts_of(defense).perturbation } -> weighs_or_asks;
};

/// The defense, and then the reduction.
template <reducible Defense, class Reduction>
requires(reduction<Reduction> || reduction<Reduction, double>) constexpr auto operator|(Defense defense,
                                                                                        Reduction last) {
  return reduced<Defense, Reduction>{std::move(defense), {std::move(last)}};
}
template <class Defense, class... Reductions, class Reduction>
requires(reduction<Reduction> || reduction<Reduction, double>) constexpr auto operator|(
    reduced<Defense, Reductions...> before, Reduction last) {
  return reduced<Defense, Reductions..., Reduction>{
      std::move(before.defense), std::tuple_cat(std::move(before.reductions), std::tuple<Reduction>{std::move(last)})};
}

}  // namespace chaff

#endif
