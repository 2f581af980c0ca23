// SPDX-License-Identifier: MIT
/// Surrogates: what the defender supposes of the attacker's model.
#ifndef CHAFF_PERTURBATIONS_SURROGATE_HPP
#define CHAFF_PERTURBATIONS_SURROGATE_HPP

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A surrogate is the defender's proxy of the attacker's model: it tells how an output turns the gradient that the
/// attacker's clone learns by. This one is given by its Jacobian G: K x P, row i the gradient of log s_i, s the
/// surrogate's posterior.
/// Formula: the gradient for the output y is G'y.
/// Shapes: `of_query(arguments...)` returns K x P numbers, row-major, or a matrix of them; for a batch of N rows
/// N K x P, one Jacobian under the other. A single sigmoid logit has two outcomes, K = 2, "yes" first.
/// Throws: at a call, std::invalid_argument for another shape.
template <class Callable>
struct jacobian {
  Callable of_query;
};
template <class Callable>
jacobian(Callable) -> jacobian<Callable>;

/// A surrogate of which only the last, linear layer is trained, given by its logits.
/// Formula: with features h and posterior s, G'y = (y - s) (x) h for a y that sums to 1; |h| cancels where only
/// directions count.
/// Shapes: `of_query(arguments...)` returns the surrogate's logits, in the shape of the model's.
/// Throws: at a call, std::invalid_argument for another shape, std::domain_error for NaN or +inf.
template <class Callable>
struct last_layer {
  Callable of_query;
};
template <class Callable>
last_layer(Callable) -> last_layer<Callable>;

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
