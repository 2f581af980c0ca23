// SPDX-License-Identifier: MIT
/// Defends logits in libtorch's tensors. It is not part of chaff.hpp: include it where libtorch is at hand.
#ifndef CHAFF_ADAPTERS_TORCH_HPP
#define CHAFF_ADAPTERS_TORCH_HPP

#include <ATen/ATen.h>

#include "chaff/adapters/shape.hpp"
#include "chaff/apply.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// Answers the logits of a tensor, as a tensor of the same shape on the same device.
/// Shapes: those of rows_of (shape.hpp). K, N x K, N x K x 1 x 1 and N x 1 x K have rows of K classes, and a
/// tensor of one value, without dimensions or with any, is one row of one class.
/// A column, N x 1, is refused unless policy.classes says what it is: 1 for N rows of one class, N for one row. One
/// dimension of N single sigmoids wants policy.classes = 1 as well.
/// N x T x K, as of a sequence or of a feature map, is refused unless policy.classes is the size of its last dimension.
/// Strides, device, requires_grad, and what libtorch does lazily (negation, zeros without memory) may be any. The
/// output has no graph.
/// Units: float and double are answered as they are. half and bfloat16 become float first, and the output stays float,
/// which keeps the small probabilities apart.
/// Throws: what apply_rows does; std::invalid_argument for other types, a shape whose rows nothing tells, or a tensor
/// that is undefined, sparse, nested, quantized, or on the device meta.
/// Allocates: the output, and a copy on the CPU where the logits are elsewhere, strided, lazy, or of another type.
template <>
struct adapter<at::Tensor> {
  template <class Defense>
  static at::Tensor apply(const Defense& defense, const at::Tensor& logits, const policy& policy) {
    check(logits);
    const at::IntArrayRef sizes = logits.sizes();
    const auto [count, classes] = rows_of(std::span(sizes.data(), sizes.size()), policy.classes);
    const std::size_t size = count * classes;
    const at::ScalarType type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor rows = rows_on_cpu(logits, type);
    at::Tensor output = at::empty_like(rows, {}, at::MemoryFormat::Contiguous);
    const auto answer_as = [&, classes = classes]<class T>(T) {
      chaff::apply_rows<Defense, T>(defense, std::span<const T>(rows.data_ptr<T>(), size), classes,
                                    std::span<T>(output.data_ptr<T>(), size), policy);
    };
    type == at::kFloat ? answer_as(0.0f) : answer_as(0.0);
    return output.to(logits.device());
  }

  static void copy(const at::Tensor& values, std::vector<double>& rows) {
    check(values);
    const at::Tensor doubles = rows_on_cpu(values, at::kDouble);
    rows.insert(rows.end(), doubles.data_ptr<double>(), doubles.data_ptr<double>() + doubles.numel());
  }

 private:
  /// The values in the CPU's memory, row after row, with nothing left undone.
  static at::Tensor rows_on_cpu(const at::Tensor& values, at::ScalarType type) {
    if (values._is_zerotensor()) return at::zeros(values.sizes(), at::TensorOptions(type));
    return values.detach().resolve_neg().to(at::kCPU, type).contiguous();
  }

  static void check(const at::Tensor& logits) {
    if (logits.defined() && logits.is_nested()) {
      detail::fail<std::invalid_argument>("chaff: logits are a nested tensor, allowed are dense tensors");
    }
    if (!logits.defined() || logits.layout() != at::kStrided || logits.is_quantized() || !logits.is_floating_point()) {
      detail::fail<std::invalid_argument>("chaff: logits are %s, allowed are dense tensors of a floating point type",
                                          logits.defined() ? logits.toString().c_str() : "an undefined tensor");
    }
    if (logits.is_meta()) {
      detail::fail<std::invalid_argument>("chaff: logits are a tensor on the device meta, which has no values");
    }
  }
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
