// SPDX-License-Identifier: MIT
/// What the units of a program give one another: plain values of the library cross between them.
#ifndef CHAFF_TESTS_TRANSLATION_UNITS_UNIT_HPP
#define CHAFF_TESTS_TRANSLATION_UNITS_UNIT_HPP

#include <chaff/defenses/dcp.hpp>
#include <chaff/policy.hpp>
#include <cstdint>
#include <vector>

/// What each unit is given. The logits come from the program: the generators of the standard library are code that the
/// units would share.
struct unit_input {
  const chaff::policy& policy;
  const chaff::dcp& defense;
  const std::vector<double>& logits;
};

struct unit_result {
  std::uint64_t digest;
  bool is_caught;
};

unit_result role_1(const unit_input& input);
unit_result role_2(const unit_input& input);

#endif
