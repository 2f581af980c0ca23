// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto defense = chaff::top_k{} | chaff::dcp{};
#else
const auto defense = chaff::dcp{} | chaff::top_k{};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
