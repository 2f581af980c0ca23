// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
const chaff::top_k flagged{};
#else
const auto flagged = chaff::none{} | chaff::top_k{};
#endif
auto answer(const chaff::query_monitor& monitor, double& evidence) {
  return chaff::monitored([] { return std::vector<float>{1, 2}; }, chaff::dcp{}, flagged, monitor)(evidence);
}
