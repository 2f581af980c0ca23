// SPDX-License-Identifier: MIT
/// Defends logits in libtorch's tensors. Not part of chaff.hpp: included by who has libtorch.
#ifndef CHAFF_ADAPTERS_TORCH_HPP
#define CHAFF_ADAPTERS_TORCH_HPP

#include <ATen/ATen.h>

#include "chaff/apply.hpp"

namespace chaff {

/// Answers the logits of a tensor, as a tensor of the same shape on the same device.
///
/// Shapes: any, with the classes in the last dimension; strides, device and requires_grad may be any, and the answer
/// has none of the graph. Types: float and double are answered as they are; half and bfloat16 become float first, and
/// the answer stays float, since a label that is first by a few units would be lost in rounding it back.
/// Errors: as apply_rows; std::invalid_argument for other types, a tensor without dimensions, or a sparse or quantized
/// one. Allocation: the answer, and a copy on the CPU where logits are elsewhere, strided, or of another type.
template <class Defense>
at::Tensor apply(const Defense& used, const at::Tensor& logits, const policy& promised = {}) {
  if (!logits.defined() || logits.layout() != at::kStrided || logits.is_quantized() || !logits.is_floating_point()) {
    fail<std::invalid_argument>("chaff: logits are %s, allowed are dense tensors of a floating point type",
                                logits.defined() ? logits.toString().c_str() : "an undefined tensor");
  }
  if (logits.dim() == 0) fail<std::invalid_argument>("chaff: logits are a tensor without dimensions");
  const at::ScalarType type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor rows = logits.detach().to(at::kCPU, type).contiguous();
  at::Tensor answer = at::empty_like(rows);
  const auto size = static_cast<std::size_t>(rows.numel());
  const auto answer_as = [&]<class T>(T) {
    apply_rows<Defense, T>(used, std::span<const T>(rows.data_ptr<T>(), size), static_cast<std::size_t>(rows.size(-1)),
                           std::span<T>(answer.data_ptr<T>(), size), promised);
  };
  type == at::kFloat ? answer_as(0.0f) : answer_as(0.0);
  return answer.to(logits.device());
}

}  // namespace chaff

#endif
