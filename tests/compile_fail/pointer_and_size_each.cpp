// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const float* logits, std::size_t size, float* output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits, size, output, size, {.keep_label = false});
#else
  chaff::apply(chaff::dcp{}, std::span(logits, size), std::span(output, size), {.keep_label = false});
#endif
}
