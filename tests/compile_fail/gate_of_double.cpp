// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::gated defense{[](double p) { return p < 0.9 ? 1.0 : 0.0; }, chaff::reverse_sigmoid{}};
#else
const chaff::gated defense{[](const auto& row) { return row.confidence() < 0.9 ? 1.0 : 0.0; },
                           chaff::reverse_sigmoid{}};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
