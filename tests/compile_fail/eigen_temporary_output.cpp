// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const Eigen::VectorXf& logits, Eigen::VectorXf& output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits, Eigen::VectorXf(output));
#else
  chaff::apply(chaff::dcp{}, logits, Eigen::Ref<Eigen::VectorXf>(output));
#endif
}
