// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#include <string>
std::vector<float> model(const std::vector<float>& z) {
  return z;
}
std::vector<float> answer(const std::vector<float>& z) {
#ifdef BAD
  const chaff::decoy defense{[](const std::string&) { return std::vector<float>{1, 2}; }};
#else
  const chaff::decoy defense{[](const std::vector<float>& x) { return x; }};
#endif
  return chaff::defend(model, defense)(z);
}
