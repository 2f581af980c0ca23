// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const int defense = 1;
#else
const chaff::dcp defense{};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
