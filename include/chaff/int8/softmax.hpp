// SPDX-License-Identifier: MIT
/// Plain softmax on int8 logits: without a defense, under the same guarantees.
#ifndef CHAFF_INT8_SOFTMAX_HPP
#define CHAFF_INT8_SOFTMAX_HPP

#include "chaff/int8/answer.hpp"
#include "chaff/int8/parameters.hpp"

namespace chaff::int8 {

/// The posterior, with the label strictly first in the codes. All else is as for dcp.
class softmax : public table_defense {
 public:
  constexpr explicit softmax(float input_scale) : table_defense(make_table({.input_scale = input_scale}, 0)) {}
};

}  // namespace chaff::int8

#endif
