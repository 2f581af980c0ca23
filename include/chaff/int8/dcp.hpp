// SPDX-License-Identifier: MIT
/// DCP on int8 logits: what a quantised model calls in place of its softmax kernel.
#ifndef CHAFF_INT8_DCP_HPP
#define CHAFF_INT8_DCP_HPP

#include "chaff/int8/answer.hpp"
#include "chaff/int8/parameters.hpp"

namespace chaff::int8 {

/// weights = p - alpha r(p), the label's cap, normalised, as codes; the formula and its source are those of chaff::dcp.
///
/// Integers only when a row is answered; nothing from the heap, at most 1.5 KB of stack. Construct it as a constant,
/// and its table of 400 bytes lies in flash; a parameter out of range is then a compile error. Shapes: K logits to K
/// codes, K from 1 to 65,535. The codes name the label (the lowest index of the largest logit) strictly first, also
/// where plain int8 softmax ties; each is the double-precision formula's code or its neighbour.
class dcp : public table_defense {
 public:
  constexpr explicit dcp(const parameters& given) : table_defense(make_table(given, 1)) {}
};

}  // namespace chaff::int8

#endif
