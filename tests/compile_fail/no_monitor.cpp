// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::monitor_options monitor{};
#else
const chaff::query_monitor monitor(std::vector<double>(100));
#endif
auto answer(double& evidence) {
  return chaff::monitored([] { return std::vector<float>{1, 2}; }, chaff::dcp{}, chaff::refuse{}, monitor)(evidence);
}
