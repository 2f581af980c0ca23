// SPDX-License-Identifier: MIT
/// Compiled three times: with CHAFF_ELEMENT_TYPE as float and as double, and without it for the readers of text.
#include "support/shared_code.hpp"

#if defined(CHAFF_ELEMENT_TYPE)
CHAFF_SHARED_CODE(, CHAFF_ELEMENT_TYPE)
#else
CHAFF_SHARED_TEXT()
#endif
