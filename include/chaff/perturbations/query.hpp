// SPDX-License-Identifier: MIT
/// Perturbations that need the query itself: the arguments of the model, which chaff::defend hands on.
#ifndef CHAFF_PERTURBATIONS_QUERY_HPP
#define CHAFF_PERTURBATIONS_QUERY_HPP

#include <cstddef>

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A perturbation that needs the query: `bind(arguments...)` returns what it becomes for that query.
/// Satisfied by decoy, mad and gradient_redirection. chaff::apply, which has logits alone, refuses them.
template <class P>
concept QueryPerturbation = requires {
  requires P::needs_query;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Where a row lies in what the model returned: `rows` rows of `classes` classes.
struct row_position {
  std::size_t row;
  std::size_t rows;
  std::size_t classes;
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
