// SPDX-License-Identifier: MIT
/// A program with four defenses, whose code is weighed.
#include <chaff/chaff.hpp>
#include <cstdio>
#include <vector>
std::vector<float> classify(float x) {
  return {0.2f * x, 0.1f, 0.9f * x};
}
template <class D>
void show(const D& d, float x, const chaff::policy& p = {}) {
  const auto served = chaff::defend(classify, d, p);
  const std::vector<float> output = served(x);
  for (const float y : output) std::printf("%.3f\n", static_cast<double>(y));
}
int main(int argc, char**) {
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  const float x = static_cast<float>(argc);
  show(chaff::dcp{}, x);
  show(chaff::reverse_sigmoid{}, x);
  show(chaff::gated{chaff::energy_gate{.tau = 1.0}, chaff::misdirect{key}}, x, {.keep_label = false});
  show(chaff::random_vertex{.key = key}, x);
}
