// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using vector = const std::vector<float>;
#else
using vector = std::vector<float>;
#endif
void answer(const std::vector<float>& logits, vector& output) {
  chaff::apply_rows(chaff::dcp{}, logits, 10, output);
}
