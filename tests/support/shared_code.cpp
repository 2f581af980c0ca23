// SPDX-License-Identifier: MIT
/// Compiled three times: with CHAFF_ELEMENT_TYPE as float and as double, and without it for the readers of text.
#include "support/shared_code.hpp"

#if defined(CHAFF_ELEMENT_TYPE)
#include "support/shared_defenses.hpp"
CHAFF_SHARED_CODE(, CHAFF_ELEMENT_TYPE)
CHAFF_SHARED_DEFENSES(, CHAFF_ELEMENT_TYPE)
#else
#include "support/shared_text.hpp"
CHAFF_SHARED_TEXT()
CHAFF_SHARED_APPLY(, float, chaff::any_defense)
CHAFF_SHARED_APPLY(, double, chaff::any_defense)
#endif
