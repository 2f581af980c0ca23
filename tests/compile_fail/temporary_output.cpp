// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const std::vector<float>& logits, [[maybe_unused]] std::vector<float>& output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits, std::vector<float>(3));
#else
  chaff::apply(chaff::dcp{}, logits, std::span<float>(output));
#endif
}
