// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
inline std::vector<float> model(float x) {
  return {x, 1, 0};
}
void answer(float x, const chaff::gate_monitor<chaff::energy_gate>& monitor, double& evidence,
            std::vector<float>& output) {
#ifdef BAD
  chaff::monitored(model, chaff::none{}, chaff::refuse{}, monitor);
#else
  output = chaff::monitored(model, chaff::none{}, chaff::refuse{}, monitor)(evidence, x);
#endif
}
