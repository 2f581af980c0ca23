// SPDX-License-Identifier: MIT
/// Stands in for ExecuTorch's header: what the recipe calls of it, as its documentation has it (1.x).
#pragma once
#include <vector>

#include "../tensor/tensor.h"

namespace executorch::runtime {
struct EValue {
  aten::Tensor tensor;
  const aten::Tensor& toTensor() const { return tensor; }
};
template <class T>
struct Result {
  T value;
  bool ok() const { return true; }
  const T* operator->() const { return &value; }
};
}  // namespace executorch::runtime

namespace executorch::extension {
/// A model that returns its input.
struct Module {
  runtime::Result<std::vector<runtime::EValue>> forward(const TensorPtr& input) { return {{{*input}}}; }
};
}  // namespace executorch::extension
