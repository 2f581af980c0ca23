// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = double;
#else
using number = float;
#endif
void answer(const std::vector<float>& logits, std::vector<number>& to) {
  chaff::apply(chaff::dcp{}, logits, to);
}
