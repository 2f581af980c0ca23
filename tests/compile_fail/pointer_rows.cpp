// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const float* logits, [[maybe_unused]] std::size_t size, float* output) {
#ifdef BAD
  chaff::apply_rows(chaff::dcp{}, logits, 10, output);
#else
  chaff::apply_rows(chaff::dcp{}, std::span(logits, size), 10, std::span(output, size));
#endif
}
