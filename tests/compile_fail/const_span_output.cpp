// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = const float;
#else
using number = float;
#endif
void answer(std::span<const float> logits, std::span<number> output) {
  chaff::apply(chaff::dcp{}, logits, output);
}
