// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const float* logits, std::size_t size, float* output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits, output, size);
#else
  chaff::apply(chaff::dcp{}, std::span(logits, size), std::span(output, size));
#endif
}
