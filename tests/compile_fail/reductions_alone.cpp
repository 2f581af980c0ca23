// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto defense = chaff::top_k{} | chaff::rounded{};
#else
const auto defense = chaff::none{} | chaff::top_k{} | chaff::rounded{};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
