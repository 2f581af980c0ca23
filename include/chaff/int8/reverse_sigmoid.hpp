// SPDX-License-Identifier: MIT
/// The reverse sigmoid on int8 logits: DCP with its gate always open.
#ifndef CHAFF_INT8_REVERSE_SIGMOID_HPP
#define CHAFF_INT8_REVERSE_SIGMOID_HPP

#include "chaff/int8/answer.hpp"
#include "chaff/int8/parameters.hpp"

namespace chaff::int8 {

/// weights = p - r(p); nu and tau are not used. All else is as for dcp.
class reverse_sigmoid : public table_defense {
 public:
  constexpr explicit reverse_sigmoid(const parameters& given) : table_defense(make_table(given, 2)) {}
};

}  // namespace chaff::int8

#endif
