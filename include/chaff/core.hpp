// SPDX-License-Identifier: MIT
/// Everything that does without Eigen and the adapters.
#ifndef CHAFF_CORE_HPP
#define CHAFF_CORE_HPP

#include "chaff/abi.hpp"                                 // IWYU pragma: export
#include "chaff/adapter.hpp"                             // IWYU pragma: export
#include "chaff/any_defense.hpp"                         // IWYU pragma: export
#include "chaff/apply.hpp"                               // IWYU pragma: export
#include "chaff/calibration/calibrate.hpp"               // IWYU pragma: export
#include "chaff/calibration/codebook_of.hpp"             // IWYU pragma: export
#include "chaff/concepts.hpp"                            // IWYU pragma: export
#include "chaff/defend.hpp"                              // IWYU pragma: export
#include "chaff/defenses/adaptive_misinformation.hpp"    // IWYU pragma: export
#include "chaff/defenses/dcp.hpp"                        // IWYU pragma: export
#include "chaff/defenses/defense.hpp"                    // IWYU pragma: export
#include "chaff/defenses/energy_dcp.hpp"                 // IWYU pragma: export
#include "chaff/defenses/gated.hpp"                      // IWYU pragma: export
#include "chaff/defenses/none.hpp"                       // IWYU pragma: export
#include "chaff/defenses/reduced.hpp"                    // IWYU pragma: export
#include "chaff/error.hpp"                               // IWYU pragma: export
#include "chaff/form.hpp"                                // IWYU pragma: export
#include "chaff/gates/always.hpp"                        // IWYU pragma: export
#include "chaff/gates/confidence_gate.hpp"               // IWYU pragma: export
#include "chaff/gates/energy_gate.hpp"                   // IWYU pragma: export
#include "chaff/metrics/agreement.hpp"                   // IWYU pragma: export
#include "chaff/metrics/calibration_error.hpp"           // IWYU pragma: export
#include "chaff/metrics/distance.hpp"                    // IWYU pragma: export
#include "chaff/metrics/divergence.hpp"                  // IWYU pragma: export
#include "chaff/metrics/ranking.hpp"                     // IWYU pragma: export
#include "chaff/metrics/utility.hpp"                     // IWYU pragma: export
#include "chaff/monitor.hpp"                             // IWYU pragma: export
#include "chaff/noise/key.hpp"                           // IWYU pragma: export
#include "chaff/perturbations/codebook.hpp"              // IWYU pragma: export
#include "chaff/perturbations/decoy.hpp"                 // IWYU pragma: export
#include "chaff/perturbations/gradient_redirection.hpp"  // IWYU pragma: export
#include "chaff/perturbations/mad.hpp"                   // IWYU pragma: export
#include "chaff/perturbations/misdirect.hpp"             // IWYU pragma: export
#include "chaff/perturbations/modelguard_w.hpp"          // IWYU pragma: export
#include "chaff/perturbations/random_vertex.hpp"         // IWYU pragma: export
#include "chaff/perturbations/reverse_sigmoid.hpp"       // IWYU pragma: export
#include "chaff/perturbations/surrogate.hpp"             // IWYU pragma: export
#include "chaff/policy.hpp"                              // IWYU pragma: export
#include "chaff/posterior/argmax.hpp"                    // IWYU pragma: export
#include "chaff/posterior/softmax.hpp"                   // IWYU pragma: export
#include "chaff/reductions/gaussian_noise.hpp"           // IWYU pragma: export
#include "chaff/reductions/high_confidence.hpp"          // IWYU pragma: export
#include "chaff/reductions/label_only.hpp"               // IWYU pragma: export
#include "chaff/reductions/normalise.hpp"                // IWYU pragma: export
#include "chaff/reductions/rounded.hpp"                  // IWYU pragma: export
#include "chaff/reductions/top_k.hpp"                    // IWYU pragma: export
#include "chaff/version.hpp"                             // IWYU pragma: export

#endif
