// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const Eigen::MatrixXf& logits, Eigen::MatrixXf& output) {
#ifdef BAD
  chaff::apply_rows(chaff::dcp{}, logits, output * output);
#else
  chaff::apply_rows(chaff::dcp{}, logits, output.transpose());
#endif
}
