// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void choose(const std::vector<float>& logits, chaff::dcp& defense) {
  const chaff::calibration_data<float> data{logits, 10};
#ifdef BAD
  chaff::calibrate(data, {.perturbed = 0.05}, defense);
#else
  defense = chaff::calibrate(data, {.perturbed = 0.05}, defense).defense;
#endif
}
