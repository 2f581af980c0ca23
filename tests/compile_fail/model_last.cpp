// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
inline std::vector<float> model(float x) {
  return {x, 1, 0};
}
void answer(float x, std::vector<float>& output) {
#ifdef BAD
  output = chaff::defend(chaff::dcp{}, model)(x);
#else
  output = chaff::defend(model, chaff::dcp{})(x);
#endif
}
