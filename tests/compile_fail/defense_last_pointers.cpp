// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const float* logits, float* output) {
#ifdef BAD
  chaff::apply(logits, 10, output, chaff::dcp{});
#else
  chaff::apply(chaff::dcp{}, std::span(logits, 10), std::span(output, 10));
#endif
}
