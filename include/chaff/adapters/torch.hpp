// SPDX-License-Identifier: MIT
/// Defends logits in libtorch's tensors. It is not part of chaff.hpp: include it where libtorch is at hand.
#ifndef CHAFF_ADAPTERS_TORCH_HPP
#define CHAFF_ADAPTERS_TORCH_HPP

#include <ATen/ATen.h>

#include "chaff/apply.hpp"

namespace chaff::inline CHAFF_ABI {

/// Answers the logits of a tensor, as a tensor of the same shape on the same device.
/// Shapes: any, with the classes in the last dimension. Strides, device and requires_grad may be any, and the output
/// has no graph.
/// Units: float and double are answered as they are. half and bfloat16 become float first, and the output stays float,
/// which keeps the small probabilities apart.
/// Throws: what apply_rows does; std::invalid_argument for other types, a tensor without dimensions, or a sparse or
/// quantized one.
/// Allocates: the output, and a copy on the CPU where the logits are elsewhere, strided, or of another type.
template <>
struct adapter<at::Tensor> {
  template <class Defense>
  static at::Tensor apply(const Defense& defense, const at::Tensor& logits, const policy& policy) {
    check(logits);
    const at::ScalarType type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor rows = logits.detach().to(at::kCPU, type).contiguous();
    at::Tensor output = at::empty_like(rows);
    const auto size = static_cast<std::size_t>(rows.numel());
    const auto answer_as = [&]<class T>(T) {
      chaff::apply_rows<Defense, T>(defense, std::span<const T>(rows.data_ptr<T>(), size),
                                    static_cast<std::size_t>(rows.size(-1)), std::span<T>(output.data_ptr<T>(), size),
                                    policy);
    };
    type == at::kFloat ? answer_as(0.0f) : answer_as(0.0);
    return output.to(logits.device());
  }

  static void copy(const at::Tensor& values, std::vector<double>& rows) {
    check(values);
    const at::Tensor doubles = values.detach().to(at::kCPU, at::kDouble).contiguous();
    rows.insert(rows.end(), doubles.data_ptr<double>(), doubles.data_ptr<double>() + doubles.numel());
  }

 private:
  static void check(const at::Tensor& logits) {
    if (!logits.defined() || logits.layout() != at::kStrided || logits.is_quantized() || !logits.is_floating_point()) {
      detail::fail<std::invalid_argument>("chaff: logits are %s, allowed are dense tensors of a floating point type",
                                          logits.defined() ? logits.toString().c_str() : "an undefined tensor");
    }
    if (logits.dim() == 0) detail::fail<std::invalid_argument>("chaff: logits are a tensor without dimensions");
  }
};

}  // namespace chaff::inline CHAFF_ABI

#endif
