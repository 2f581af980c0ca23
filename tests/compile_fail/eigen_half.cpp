// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#ifdef BAD
using element = Eigen::half;
#else
using element = float;
#endif
using vector = Eigen::Matrix<element, Eigen::Dynamic, 1>;
void answer(const vector& logits, vector& output) {
  chaff::apply(chaff::dcp{}, logits, output);
}
