// SPDX-License-Identifier: MIT
#include <chaff/int8/dcp.hpp>

#if __has_include(<Eigen/Core>) && defined(EIGEN_WORLD_VERSION)
#error "the edge path pulled in Eigen"
#endif

constexpr chaff::int8::dcp defense({.input_scale = 0.1f});

void answer(std::span<const std::int8_t> logits, std::span<std::int8_t> codes) {
  defense(logits, codes);
}
