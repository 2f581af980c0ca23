// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::top_k defense{};
#else
const auto defense = chaff::none{} | chaff::top_k{};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
