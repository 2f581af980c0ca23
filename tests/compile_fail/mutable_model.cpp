// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
const auto model = [calls = 0.0f](float x) mutable { return std::vector<float>{x, ++calls}; };
#ifdef BAD
using served_model = const decltype(chaff::defend(model, chaff::dcp{}));
#else
using served_model = decltype(chaff::defend(model, chaff::dcp{}));
#endif
auto answer() {
  served_model served = chaff::defend(model, chaff::dcp{});
  return served(1);
}
