// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::gated defense{[](const chaff::row<float>& row) { return row.confidence(); }, chaff::reverse_sigmoid{}};
#else
const chaff::gated defense{[](const auto& row) { return row.confidence(); }, chaff::reverse_sigmoid{}};
#endif
void answer(const std::vector<double>& logits, std::vector<double>& output) {
  chaff::apply_rows(defense, logits, 10, output);
}
