// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
struct flatten {
  template <class T>
  struct weights_of_row {
    T label;
    chaff::simd::vec<T> operator()(const chaff::block<T>& block) const { return block.p * label; }
  };
  template <class T>
#ifdef BAD
  std::vector<T> weights(const chaff::row<T>& row) const {
    return std::vector<T>(row.classes());
  }
#else
  weights_of_row<T> weights(const chaff::row<T>& row) const {
    return {row.posterior(row.label)};
  }
#endif
};
void answer(const std::vector<float>& logits, std::vector<float>& output) {
  chaff::apply(chaff::gated{chaff::confidence_gate{}, flatten{}}, logits, output);
}
