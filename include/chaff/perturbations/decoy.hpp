// SPDX-License-Identifier: MIT
/// Answers with another model's posterior.
#ifndef CHAFF_PERTURBATIONS_DECOY_HPP
#define CHAFF_PERTURBATIONS_DECOY_HPP

#include "chaff/perturbations/query.hpp"

namespace chaff {

/// w = the posterior of a decoy: a callable that takes the model's arguments and returns logits of as many classes, in
/// any container that a model may return. It is asked where the gate of some row is open, and not otherwise.
///
/// Bound to a model by chaff::defend. At each call: std::invalid_argument where the decoy returns another number of
/// logits, std::domain_error for NaN or +inf in them, or a row of -inf alone.
/// Cost: the decoy's own, and O(K). Source: Kariyappa & Qureshi 2020, arXiv 1911.07100, where it is trained to be
/// wrong.
template <class Model>
struct decoy {
  Model model;

  static constexpr bool needs_query = true;

  template <class... Arguments>
  auto on(Arguments&... query) const {
    return on_query([said = asked<Model, Arguments...>("decoy", model, query...)]<class T>(
                        const row<T>&, const place& at, std::span<T> w) { said.posterior_of(at, w); });
  }
};
template <class Model>
decoy(Model) -> decoy<Model>;

}  // namespace chaff

#endif
