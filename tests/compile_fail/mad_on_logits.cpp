// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
std::vector<float> model(const std::vector<float>& z) {
  return z;
}
#ifdef BAD
void answer(const std::vector<float>& z, std::vector<float>& y) {
  chaff::apply_rows(chaff::mad{chaff::last_layer{model}}, z, 2, y);
}
#else
void answer(const std::vector<float>& z, std::vector<float>& y) {
  y = chaff::defend(model, chaff::mad{chaff::last_layer{model}})(z);
}
#endif
