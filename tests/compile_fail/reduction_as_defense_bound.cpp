// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::top_k defense{};
#else
const auto defense = chaff::none{} | chaff::top_k{};
#endif
auto answer() {
  return chaff::defend([] { return std::vector<float>{1, 2}; }, defense)();
}
