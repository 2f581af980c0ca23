// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using matrix = const Eigen::MatrixXf;
#else
using matrix = Eigen::MatrixXf;
#endif
void answer(const Eigen::VectorXf& logits, matrix& output) {
  chaff::apply(chaff::dcp{}, logits, output.row(2));
}
