// SPDX-License-Identifier: MIT
/// A user's translation unit in a build with many warnings: the library's headers are the user's own to the compiler.
#include "boundary/everything.hpp"
// the C interface, with its implementation
#define CHAFF_INT8_IMPLEMENTATION
#include <chaff/int8/c.h>

template void everything::use_all<float>(std::span<const float>, std::span<float>, std::span<const int>);
template void everything::use_all<double>(std::span<const double>, std::span<double>, std::span<const int>);

void use_int8(std::span<const std::int8_t> logits);
void use_int8(std::span<const std::int8_t> logits) {
  everything::use_int8(logits);
}
