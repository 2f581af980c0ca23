// SPDX-License-Identifier: MIT
/// See shared_code.hpp: for tests that read defenses from text.
#ifndef CHAFF_TESTS_SUPPORT_SHARED_TEXT_HPP
#define CHAFF_TESTS_SUPPORT_SHARED_TEXT_HPP

#include <chaff/any_defense.hpp>
#include <string_view>

#include "support/shared_code.hpp"

#define CHAFF_SHARED_TEXT(EXTERN)                                                              \
  EXTERN template chaff::any_defense chaff::parse_defense<std::string_view>(std::string_view); \
  EXTERN template chaff::policy chaff::parse_policy<std::string_view>(std::string_view);

#if defined(CHAFF_TESTS_SHARE_CODE)
CHAFF_SHARED_TEXT(extern)
CHAFF_SHARED_APPLY(extern, float, chaff::any_defense)
CHAFF_SHARED_APPLY(extern, double, chaff::any_defense)
#endif

#endif
