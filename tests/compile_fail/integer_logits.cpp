// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using number = int;
#else
using number = float;
#endif
auto answer() {
  return chaff::defend([] { return std::vector<number>{1, 2}; }, chaff::dcp{})();
}
