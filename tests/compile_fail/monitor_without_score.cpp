// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::none defense{};
#else
const chaff::dcp defense{};
#endif
auto answer(const chaff::query_monitor& monitor, double& evidence) {
  return chaff::monitored([] { return std::vector<float>{1, 2}; }, defense, chaff::refuse{}, monitor)(evidence);
}
