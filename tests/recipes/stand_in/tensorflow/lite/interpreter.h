// SPDX-License-Identifier: MIT
/// Stands in for TensorFlow Lite's header: what the recipe calls of it, as its documentation has it (2.x).
#pragma once
#include <cstddef>

enum TfLiteType { kTfLiteFloat32 = 1, kTfLiteInt8 = 9 };
struct TfLiteIntArray {
  int size;
  int data[4];
};
struct TfLiteQuantizationParams {
  float scale;
  int zero_point;
};
struct TfLiteTensor {
  TfLiteType type;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  std::size_t bytes;
  void* memory;
};

namespace tflite {
struct Interpreter {
  TfLiteTensor tensor;
  const TfLiteTensor* output_tensor(std::size_t) const { return &tensor; }
  template <class T>
  const T* typed_output_tensor(int) const {
    return static_cast<const T*>(tensor.memory);
  }
};
}  // namespace tflite
