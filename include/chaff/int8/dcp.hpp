// SPDX-License-Identifier: MIT
/// DCP on int8 logits: what a quantised model calls in place of its softmax kernel.
#ifndef CHAFF_INT8_DCP_HPP
#define CHAFF_INT8_DCP_HPP

#include "chaff/int8/answer.hpp"
#include "chaff/int8/parameters.hpp"

namespace chaff::int8 {

/// DCP on int8 logits.
/// Formula: weights = p - alpha r(p), under the label cap, normalised, as codes; alpha and r are those of chaff::dcp. A
/// row is answered in integers only.
/// Shapes: K logits to K codes, K in [1, 65535].
/// Range: that of int8::parameters. The label (lowest index of the largest logit) has strictly the largest code, also
/// where a plain int8 softmax ties.
/// Error: each code is that of the double-precision formula, or its neighbour.
/// Throws: the constructor, std::invalid_argument for a parameter out of its range; in a constant, a compile error. A
/// row throws nothing.
/// Allocates: nothing; a row takes at most 1.6 KB of stack. The table of a constant, 400 bytes, lies in flash.
/// Source: that of chaff::dcp.
class dcp : public table_defense {
 public:
  constexpr explicit dcp(const parameters& given) : table_defense(make_table(given, 1)) {}
};

}  // namespace chaff::int8

#endif
