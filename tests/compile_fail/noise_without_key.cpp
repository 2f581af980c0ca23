// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto defense = chaff::dcp{} | chaff::gaussian_noise{.sigma = 0.1};
#else
const auto defense =
    chaff::dcp{} | chaff::gaussian_noise{.sigma = 0.1, .key = chaff::key("000102030405060708090a0b0c0d0e0f")};
#endif
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(defense, logits, output);
}
