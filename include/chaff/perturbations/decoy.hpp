// SPDX-License-Identifier: MIT
/// A perturbation that answers with the posterior of another model.
#ifndef CHAFF_PERTURBATIONS_DECOY_HPP
#define CHAFF_PERTURBATIONS_DECOY_HPP

#include "chaff/perturbations/query_output.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A perturbation that answers with the posterior of another model, the decoy: a callable that takes the arguments of
/// the defended model and returns logits of as many classes, in any container that a model may return.
/// Formula: w = softmax(decoy(query)).
/// It is bound to a model by chaff::defend, and evaluated once per call, if the gate of some row is open.
/// Throws: at a call, std::invalid_argument where the decoy returns another number of logits, and std::domain_error for
/// NaN or +inf in them, or a row of only -inf.
/// Cost: the decoy's own, and O(K).
/// Source: Kariyappa & Qureshi 2020, arXiv 1911.07100, where the decoy is trained to be wrong.
template <class Model>
struct decoy {
  Model model;

  static constexpr bool needs_query = true;

  template <class... Arguments>
  auto bind(Arguments&... query) const {
    return detail::bound_to_query(
        [output = detail::query_output<Model, Arguments...>("decoy", model, query...)]<class T>(
            const row<T>&, const detail::row_position& position, std::span<T> w) {
          output.posterior_of_row(position, w);
        });
  }
};
template <class Model>
decoy(Model) -> decoy<Model>;

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
