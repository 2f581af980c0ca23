// SPDX-License-Identifier: MIT
#define CHAFF_INT8_IMPLEMENTATION
#include <chaff/int8/c.h>
