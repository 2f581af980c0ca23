// SPDX-License-Identifier: MIT
/// Stands in for ExecuTorch's header: what the recipe calls of it, as its documentation has it (1.x).
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

namespace executorch::aten {
enum class ScalarType { Float = 6, Char = 1 };
struct Tensor {
  std::vector<int> sizes;
  std::vector<float> values;
  ScalarType scalar_type() const { return ScalarType::Float; }
  std::ptrdiff_t dim() const { return static_cast<std::ptrdiff_t>(sizes.size()); }
  std::ptrdiff_t size(std::ptrdiff_t i) const { return sizes[static_cast<std::size_t>(i)]; }
  std::ptrdiff_t numel() const { return static_cast<std::ptrdiff_t>(values.size()); }
  template <class T>
  const T* const_data_ptr() const {
    return values.data();
  }
};
}  // namespace executorch::aten

namespace executorch::extension {
using TensorPtr = std::shared_ptr<aten::Tensor>;
}
