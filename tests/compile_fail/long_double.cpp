// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = long double;
#else
using number = double;
#endif
void answer(std::span<const number> logits, std::span<number> to) {
  chaff::apply(chaff::dcp{}, logits, to);
}
