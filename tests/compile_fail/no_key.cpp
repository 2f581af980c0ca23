// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::misdirect defense{};
#else
const chaff::misdirect defense{.key = chaff::key("000102030405060708090a0b0c0d0e0f")};
#endif
void answer(std::vector<float>& row) {
  chaff::apply(defense, row, row, {.keep_label = false});
}
