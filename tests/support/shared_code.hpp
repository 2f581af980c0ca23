// SPDX-License-Identifier: MIT
/// What most tests instantiate of the library and of their own support. With CHAFF_TESTS_SHARE_CODE it is compiled
/// once, in shared_code.cpp, and each test links it; without, each test compiles what it uses.
#ifndef CHAFF_TESTS_SUPPORT_SHARED_CODE_HPP
#define CHAFF_TESTS_SUPPORT_SHARED_CODE_HPP

#include <chaff/core.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "support/edge_case_rows.hpp"
#include "support/every_defense.hpp"
#include "support/guarantees.hpp"
#include "support/reference.hpp"

// The types of the defenses in every_defense.hpp.
namespace shared_code {
using energy_gated = chaff::gated<chaff::energy_gate, chaff::reverse_sigmoid>;
using always_open = chaff::gated<chaff::always, chaff::reverse_sigmoid>;
using misdirect_behind_gate = chaff::gated<chaff::energy_gate, chaff::misdirect>;
using decoy = decltype(chaff::decoy{other_logits{}});
using misinformation = decltype(chaff::adaptive_misinformation(other_logits{}));
using mad_of_last_layer = decltype(chaff::mad{chaff::last_layer{other_logits{}}, 1.0});
using mad_of_jacobian = decltype(chaff::mad{chaff::jacobian{some_jacobian{}}, 1.0});
using redirection = decltype(chaff::gradient_redirection{chaff::redirection{some_gradient{}}, 1.0});
using redirection_of_jacobian = decltype(chaff::gradient_redirection{chaff::jacobian{some_jacobian{}}, 1.0});
}  // namespace shared_code

#define CHAFF_SHARED_DEFENSE(EXTERN, T, D)                                                              \
  EXTERN template void chaff::apply_rows<D, T>(const D&, std::span<const T>, std::size_t, std::span<T>, \
                                               const chaff::policy&);                                   \
  EXTERN template void answer_row<T, D>(const D&, const std::vector<T>&, std::span<T>, const chaff::policy&);

#define CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, D) \
  EXTERN template void answer_row<T, D>(const D&, const std::vector<T>&, std::span<T>, const chaff::policy&);

/// For rows of T.
#define CHAFF_SHARED_CODE(EXTERN, T)                                                                               \
  EXTERN template chaff::detail::outcome chaff::detail::answer_row_as<T, true>(                                    \
      const chaff::detail::defense_call<T>&, const chaff::policy&, const T*, T*, std::size_t,                      \
      const chaff::detail::row_position&);                                                                         \
  EXTERN template chaff::detail::outcome chaff::detail::answer_row_as<T, false>(                                   \
      const chaff::detail::defense_call<T>&, const chaff::policy&, const T*, T*, std::size_t,                      \
      const chaff::detail::row_position&);                                                                         \
  EXTERN template chaff::detail::outcome chaff::detail::answer_sigmoid<T>(                                         \
      const chaff::detail::defense_call<T>&, const chaff::policy&, T, T&, const chaff::detail::row_position&);     \
  EXTERN template void chaff::detail::answer_batch<T>(const chaff::detail::defense_call<T>&, const chaff::policy&, \
                                                      std::span<const T>, std::size_t, std::span<T>);              \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::none)                                                                     \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::dcp)                                                                      \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::energy_dcp)                                                               \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::reverse_sigmoid)                                                          \
  CHAFF_SHARED_DEFENSE(EXTERN, T, shared_code::energy_gated)                                                       \
  CHAFF_SHARED_DEFENSE(EXTERN, T, shared_code::always_open)                                                        \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::random_vertex)                                                            \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::modelguard_w)                                                             \
  CHAFF_SHARED_DEFENSE(EXTERN, T, codebook_of_any_size)                                                            \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::misdirect)                                                                \
  CHAFF_SHARED_DEFENSE(EXTERN, T, shared_code::misdirect_behind_gate)                                              \
  CHAFF_SHARED_DEFENSE(EXTERN, T, chaff::any_defense)                                                              \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::decoy)                                                        \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::misinformation)                                               \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::mad_of_last_layer)                                            \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::mad_of_jacobian)                                              \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::redirection)                                                  \
  CHAFF_SHARED_QUERY_DEFENSE(EXTERN, T, shared_code::redirection_of_jacobian)                                      \
  EXTERN template std::vector<edge_case_row<T>> edge_case_rows<T>(std::size_t);                                    \
  EXTERN template std::vector<reference::real> reference::softmax<T>(const std::vector<T>&);                       \
  EXTERN template void expect_guarantees_of_row<T>(const std::vector<T>&, const std::vector<reference::real>&,     \
                                                   const std::vector<T>&, const chaff::policy&, bool);

#define CHAFF_SHARED_TEXT(EXTERN)                                                              \
  EXTERN template chaff::any_defense chaff::parse_defense<std::string_view>(std::string_view); \
  EXTERN template chaff::policy chaff::parse_policy<std::string_view>(std::string_view);

#if defined(CHAFF_TESTS_SHARE_CODE)
CHAFF_SHARED_CODE(extern, float)
CHAFF_SHARED_CODE(extern, double)
CHAFF_SHARED_TEXT(extern)
#endif

#endif
