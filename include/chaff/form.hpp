// SPDX-License-Identifier: MIT
/// In which form the numbers of a row are given.
#ifndef CHAFF_FORM_HPP
#define CHAFF_FORM_HPP

#include "chaff/abi.hpp"

namespace chaff {

/// How to read the numbers of a row: as unbounded scores, as their softmax, or as the logarithm of that softmax.
/// A row of one class is a single sigmoid logit, the probability of "yes", or the logarithm of that probability.
enum class form { logits, probabilities, log_probabilities };

}  // namespace chaff

#endif
