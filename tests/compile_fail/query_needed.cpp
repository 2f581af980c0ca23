// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
std::vector<float> decoy(const std::vector<float>& z) {
  return {z.rbegin(), z.rend()};
}
std::vector<float> answer(const std::vector<float>& z) {
  const auto defense = chaff::adaptive_misinformation(decoy, {.tau = 0.5});
#ifdef BAD
  std::vector<float> y(z.size());
  chaff::apply(defense, z, y);
  return y;
#else
  return chaff::defend([](const std::vector<float>& x) { return x; }, defense)(z);
#endif
}
