// SPDX-License-Identifier: MIT
/// Prints what each of the program's two units computes: a digest of the bits, and whether it caught an error.
#include <cinttypes>
#include <cstdio>
#include <random>

#include "unit.hpp"

int main() {
  std::mt19937 random(3);
  std::vector<double> logits(4000);
  for (double& z : logits) z = static_cast<double>(random() % 20001) / 1000 - 10;
  const chaff::policy policy{};
  const chaff::dcp defense{.beta = 0.9};
  const unit_input input{policy, defense, logits};
  const unit_result first = role_1(input);
  const unit_result second = role_2(input);
  std::printf("%016" PRIx64 " %d %016" PRIx64 " %d\n", first.digest, first.is_caught, second.digest, second.is_caught);
}
