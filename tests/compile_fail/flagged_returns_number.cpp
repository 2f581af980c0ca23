// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const auto flagged = [] { return 0.5; };
#else
const auto flagged = [] { return std::vector<float>{0.5, 0.5}; };
#endif
auto answer(const chaff::query_monitor& monitor, double& evidence) {
  return chaff::monitored([] { return std::vector<float>{1, 2}; }, chaff::dcp{}, flagged, monitor)(evidence);
}
