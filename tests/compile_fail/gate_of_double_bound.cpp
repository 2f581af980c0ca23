// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
std::vector<float> model(int) {
  return {1, 2};
}
#ifdef BAD
const chaff::gated defense{[](double p) { return p; }, chaff::decoy{model}};
#else
const chaff::gated defense{[](const auto& row) { return row.confidence(); }, chaff::decoy{model}};
#endif
auto answer() {
  return chaff::defend(model, defense)(1);
}
