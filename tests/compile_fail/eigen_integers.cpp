// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using matrix = Eigen::MatrixXi;
#else
using matrix = Eigen::MatrixXf;
#endif
auto answer(const matrix& logits) {
  return chaff::apply(chaff::dcp{}, logits);
}
