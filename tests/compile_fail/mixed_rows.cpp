// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = double;
#else
using number = float;
#endif
void answer(const std::vector<float>& logits, std::vector<number>& output) {
  chaff::apply_rows(chaff::dcp{}, logits, 10, output, {.keep_label = false});
}
