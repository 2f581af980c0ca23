// SPDX-License-Identifier: MIT
/// All of the library, with Eigen.
#include <algorithm>
#include <chaff/chaff.hpp>
#include <cstdio>

int main() {
  const auto model = chaff::defend([] { return std::vector<float>{0.5f, 2.0f, 1.0f}; }, chaff::dcp{});
  const std::vector<float> answer = model();
  std::printf("class %d\n", static_cast<int>(std::max_element(answer.begin(), answer.end()) - answer.begin()));
}
