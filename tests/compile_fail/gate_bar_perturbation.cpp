// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto defense = chaff::confidence_gate{} | chaff::reverse_sigmoid{};
#else
const auto defense = chaff::gated{chaff::confidence_gate{}, chaff::reverse_sigmoid{}};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
