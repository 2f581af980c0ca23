// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = _Float16;
#else
using number = float;
#endif
void answer(const std::vector<number>& logits, std::vector<float>& output) {
  chaff::apply(chaff::dcp{}, logits, output);
}
