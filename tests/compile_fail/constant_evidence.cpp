// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using evidence_type = const double;
#else
using evidence_type = double;
#endif
auto answer(const chaff::query_monitor& monitor, evidence_type& evidence) {
  return chaff::monitored([] { return std::vector<float>{1, 2}; }, chaff::dcp{}, chaff::refuse{}, monitor)(evidence);
}
