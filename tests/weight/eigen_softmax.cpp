// SPDX-License-Identifier: MIT
/// A plain softmax with Eigen: what the compile times of the library are compared with.
#include <Eigen/Core>
#include <cstdio>
#include <vector>
std::vector<float> classify(float x) {
  return {0.2f * x, 0.1f, 0.9f * x};
}
int main(int argc, char**) {
  std::vector<float> z = classify(static_cast<float>(argc));
  Eigen::Map<Eigen::ArrayXf> p(z.data(), static_cast<Eigen::Index>(z.size()));
  p = (p - p.maxCoeff()).exp();
  p /= p.sum();
  for (const float y : z) std::printf("%.3f\n", static_cast<double>(y));
}
