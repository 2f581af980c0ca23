// SPDX-License-Identifier: MIT
/// Stands in for ONNX Runtime's header: what the recipe calls of it, as its documentation has it (1.x).
#pragma once
#include <cstdint>
#include <vector>

enum ONNXTensorElementDataType { ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT = 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 = 10 };

namespace Ort {
struct TensorTypeAndShapeInfo {
  ONNXTensorElementDataType type;
  std::vector<int64_t> shape;
  std::size_t count;
  ONNXTensorElementDataType GetElementType() const { return type; }
  std::vector<int64_t> GetShape() const { return shape; }
  std::size_t GetElementCount() const { return count; }
};
struct Value {
  ONNXTensorElementDataType type;
  std::vector<int64_t> shape;
  std::vector<float> values;
  TensorTypeAndShapeInfo GetTensorTypeAndShapeInfo() const { return {type, shape, values.size()}; }
  template <class T>
  T* GetTensorMutableData() {
    return values.data();
  }
};
}  // namespace Ort
