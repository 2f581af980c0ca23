// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const std::vector<float>& logits, [[maybe_unused]] std::vector<float>& output) {
#ifdef BAD
  chaff::apply_rows(chaff::dcp{}, logits, 1, std::vector<float>(3));
#else
  chaff::apply_rows(chaff::dcp{}, logits, 1, std::span<float>(output));
#endif
}
