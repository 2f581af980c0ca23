// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const std::vector<float>& logits, std::vector<float>& output) {
#ifdef BAD
  chaff::apply_rows(logits, 10, output, chaff::dcp{});
#else
  chaff::apply_rows(chaff::dcp{}, logits, 10, output);
#endif
}
