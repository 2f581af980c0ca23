// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
std::vector<float> model(const std::vector<float>& z) {
  return z;
}
std::vector<float> answer(const std::vector<float>& z) {
#ifdef BAD
  const chaff::mad defense{model, 0.5};
#else
  const chaff::mad defense{chaff::last_layer{model}, 0.5};
#endif
  return chaff::defend(model, defense)(z);
}
