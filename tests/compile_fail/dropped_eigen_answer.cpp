// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const Eigen::MatrixXf& logits, Eigen::MatrixXf& output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits);
#else
  output = chaff::apply(chaff::dcp{}, logits);
#endif
}
