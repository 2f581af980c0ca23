// SPDX-License-Identifier: MIT
/// What most tests instantiate of the library and of their own support. With CHAFF_TESTS_SHARE_CODE it is compiled
/// once, in shared_code.cpp, and each test links it; without, each test compiles what it uses.
/// This header is precompiled, so all tests are compiled anew where a header that it includes changes.
#ifndef CHAFF_TESTS_SUPPORT_SHARED_CODE_HPP
#define CHAFF_TESTS_SUPPORT_SHARED_CODE_HPP

#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <span>
#include <vector>

#include "support/edge_case_rows.hpp"
#include "support/reference.hpp"

#define CHAFF_SHARED_APPLY(EXTERN, T, D)                                                                \
  EXTERN template void chaff::apply_rows<D, T>(const D&, std::span<const T>, std::size_t, std::span<T>, \
                                               const chaff::policy&);

/// Explicit instantiations for rows of T.
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
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::none)                                                                       \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::dcp)                                                                        \
  CHAFF_SHARED_APPLY(EXTERN, T, chaff::energy_dcp)                                                                 \
  EXTERN template std::vector<edge_case_row<T>> edge_case_rows<T>(std::size_t);                                    \
  EXTERN template std::vector<reference::real> reference::softmax<T>(const std::vector<T>&);

#if defined(CHAFF_TESTS_SHARE_CODE)
CHAFF_SHARED_CODE(extern, float)
CHAFF_SHARED_CODE(extern, double)
#endif

#endif
