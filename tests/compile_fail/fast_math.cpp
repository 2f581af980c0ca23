// SPDX-License-Identifier: MIT
#ifdef BAD
#define __FAST_MATH__ 1  // as the compilers do under -ffast-math
#endif
#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
void answer(std::span<const float> logits, std::span<float> to) {
  chaff::apply(chaff::dcp{}, logits, to);
}
