// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using matrix = Eigen::MatrixXi;
#else
using matrix = Eigen::MatrixXf;
#endif
void answer(const matrix& logits, matrix& output) {
  chaff::apply_rows(chaff::dcp{}, logits, output);
}
