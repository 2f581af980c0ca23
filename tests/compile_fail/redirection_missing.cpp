// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
std::vector<float> model(const std::vector<float>& z) {
  return z;
}
std::vector<float> answer(const std::vector<float>& z) {
#ifdef BAD
  const chaff::gradient_redirection defense{model, 0.5};
#else
  const chaff::gradient_redirection defense{chaff::redirection{model}, 0.5};
#endif
  return chaff::defend(model, defense)(z);
}
