// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = int;
#else
using number = float;
#endif
void answer(std::span<const number> logits, std::span<number> output) {
  chaff::apply_rows(chaff::dcp{}, logits, 10, output);
}
