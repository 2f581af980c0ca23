// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const Eigen::MatrixXf& logits, Eigen::MatrixXf& output) {
#ifdef BAD
  chaff::apply(logits, output, chaff::dcp{});
#else
  chaff::apply(chaff::dcp{}, logits, output);
#endif
}
