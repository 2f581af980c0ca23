// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
struct x {
  float value;
};
inline const auto model = [](const auto& query) { return std::vector<float>{query.value, 1, 0}; };
void answer(const x& query, std::vector<float>& output) {
#ifdef BAD
  output = chaff::defend(chaff::dcp{}, model)(query);
#else
  output = chaff::defend(model, chaff::dcp{})(query);
#endif
}
