// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
constexpr chaff::confidence_gate defense{};
#else
constexpr chaff::dcp defense{};
#endif
void answer(const Eigen::MatrixXf& logits, Eigen::MatrixXf& output) {
  chaff::apply_rows(defense, logits, output);
}
