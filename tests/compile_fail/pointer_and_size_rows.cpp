// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const float* logits, std::size_t size, float* output) {
#ifdef BAD
  chaff::apply_rows(chaff::dcp{}, logits, size, 10, output);
#else
  chaff::apply_rows(chaff::dcp{}, std::span(logits, size), 10, std::span(output, size));
#endif
}
