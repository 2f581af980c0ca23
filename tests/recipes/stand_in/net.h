// SPDX-License-Identifier: MIT
/// Stands in for ncnn's header: what the recipe reads of it, as its mat.h has it.
#pragma once
#include <cstddef>

namespace ncnn {
struct Mat {
  void* data;
  std::size_t elemsize;
  int elempack;
  int dims;
  int w;
};
}  // namespace ncnn
