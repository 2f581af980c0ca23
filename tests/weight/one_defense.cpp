// SPDX-License-Identifier: MIT
/// A program with one defense, whose code is weighed.
#include <chaff/chaff.hpp>
#include <cstdio>
#include <vector>
std::vector<float> classify(float x) {
  return {0.2f * x, 0.1f, 0.9f * x};
}
int main(int argc, char**) {
  const auto served = chaff::defend(classify, chaff::dcp{});
  const std::vector<float> output = served(static_cast<float>(argc));
  for (const float y : output) std::printf("%.3f\n", static_cast<double>(y));
}
