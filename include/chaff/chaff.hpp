// SPDX-License-Identifier: MIT
/// Everything: a defense for the answers of a served classifier.
#ifndef CHAFF_CHAFF_HPP
#define CHAFF_CHAFF_HPP

#include "chaff/apply.hpp"                          // IWYU pragma: export
#include "chaff/concepts.hpp"                       // IWYU pragma: export
#include "chaff/defend.hpp"                         // IWYU pragma: export
#include "chaff/defenses/dcp.hpp"                   // IWYU pragma: export
#include "chaff/defenses/gated.hpp"                 // IWYU pragma: export
#include "chaff/defenses/none.hpp"                  // IWYU pragma: export
#include "chaff/eigen.hpp"                          // IWYU pragma: export
#include "chaff/error.hpp"                          // IWYU pragma: export
#include "chaff/gates/always.hpp"                   // IWYU pragma: export
#include "chaff/gates/confidence_gate.hpp"          // IWYU pragma: export
#include "chaff/gates/energy_gate.hpp"              // IWYU pragma: export
#include "chaff/perturbations/reverse_sigmoid.hpp"  // IWYU pragma: export
#include "chaff/policy.hpp"                         // IWYU pragma: export
#include "chaff/posterior/distance.hpp"             // IWYU pragma: export
#include "chaff/posterior/label.hpp"                // IWYU pragma: export
#include "chaff/posterior/softmax.hpp"              // IWYU pragma: export
#include "chaff/version.hpp"                        // IWYU pragma: export

#endif
