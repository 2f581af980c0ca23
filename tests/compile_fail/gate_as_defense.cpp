// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
constexpr chaff::confidence_gate defense{};
#else
constexpr chaff::gated defense{chaff::confidence_gate{}, chaff::reverse_sigmoid{}};
#endif
void answer(std::vector<float>& row) {
  chaff::apply(defense, row, row);
}
