// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const std::vector<float>& logits, std::vector<float>& output) {
#ifdef BAD
  chaff::apply(logits, output, chaff::dcp{});
#else
  chaff::apply(chaff::dcp{}, logits, output);
#endif
}
