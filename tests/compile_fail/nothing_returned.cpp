// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
#define RETURNED
#else
#define RETURNED       \
  std::vector<float> { \
    x, 0               \
  }
#endif
auto answer() {
  return chaff::defend([]([[maybe_unused]] float x) { return RETURNED; }, chaff::dcp{})(1);
}
