// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
void answer(const Eigen::VectorXf& logits, std::vector<float>& output) {
#ifdef BAD
  chaff::apply(chaff::dcp{}, logits, output);
#else
  chaff::apply(chaff::dcp{}, logits, Eigen::Map<Eigen::VectorXf>(output.data(), 10));
#endif
}
