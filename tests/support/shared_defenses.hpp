// SPDX-License-Identifier: MIT
/// See shared_code.hpp: for tests that go through every defense.
#ifndef CHAFF_TESTS_SUPPORT_SHARED_DEFENSES_HPP
#define CHAFF_TESTS_SUPPORT_SHARED_DEFENSES_HPP

#include "support/guarantees.hpp"
#include "support/shared_code.hpp"
#include "support/tested_defense.hpp"

// The types of the defenses in every_defense.hpp.
namespace shared_code {
using energy_gated = chaff::gated<chaff::energy_gate, chaff::reverse_sigmoid>;
using always_open = chaff::gated<chaff::always, chaff::reverse_sigmoid>;
using misdirect_behind_gate = chaff::gated<chaff::energy_gate, chaff::misdirect>;
}  // namespace shared_code

/// Explicit instantiations for rows of T.
#define CHAFF_SHARED_DEFENSES(EXTERN, T)                                                                       \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::reverse_sigmoid)                                                        \
  CHAFF_SHARED_APPLY(EXTERN, T, shared_code::energy_gated)                                                     \
  CHAFF_SHARED_APPLY(EXTERN, T, shared_code::always_open)                                                      \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::random_vertex)                                                          \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::modelguard_w)                                                           \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::misdirect)                                                              \
  CHAFF_SHARED_APPLY(EXTERN, T, shared_code::misdirect_behind_gate)                                            \
  EXTERN template void expect_guarantees_of_row<T>(const std::vector<T>&, const std::vector<reference::real>&, \
                                                   const std::vector<T>&, const chaff::policy&, bool);         \
  EXTERN template const defenses_by_need<T>& every_defense<T>();                                               \
  EXTERN template defenses_by_need<T> every_defense_behind<T>(const any_reduction<T>&, const std::string&);

#if defined(CHAFF_TESTS_SHARE_CODE)
CHAFF_SHARED_DEFENSES(extern, float)
CHAFF_SHARED_DEFENSES(extern, double)
#endif

#endif
