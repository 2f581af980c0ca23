// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto defense = chaff::dcp{} | [](std::span<float> output, chaff::kept_label kept) { output[kept.index] = 1; };
#else
const auto defense = chaff::dcp{} | [](auto output, chaff::kept_label kept) { output[kept.index] = 1; };
#endif
void answer(const std::vector<double>& logits, std::vector<double>& output) {
  chaff::apply_rows(defense, logits, 10, output);
}
