// SPDX-License-Identifier: MIT
/// Everything, with Eigen: defenses for the outputs of a served classifier.
#ifndef CHAFF_CHAFF_HPP
#define CHAFF_CHAFF_HPP

#include "chaff/adapters/eigen.hpp"  // IWYU pragma: export
#include "chaff/core.hpp"            // IWYU pragma: export

#endif
