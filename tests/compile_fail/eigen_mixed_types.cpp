// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using matrix = Eigen::MatrixXd;
#else
using matrix = Eigen::MatrixXf;
#endif
void answer(const Eigen::MatrixXf& logits, matrix& output) {
  chaff::apply_rows(chaff::dcp{}, logits, output);
}
