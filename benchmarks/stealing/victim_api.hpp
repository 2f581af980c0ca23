// SPDX-License-Identifier: MIT
/// The victim as an attacker reaches it: responses to images, with the queries counted.
#ifndef CHAFF_BENCHMARKS_STEALING_VICTIM_API_HPP
#define CHAFF_BENCHMARKS_STEALING_VICTIM_API_HPP

#include <torch/torch.h>

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

/// A row of logits or probabilities for each query: what chaff::defend takes from a model and returns.
using row_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline row_matrix rows_of(const torch::Tensor& values) {
  const torch::Tensor dense = values.detach().to(torch::kFloat).contiguous();
  return Eigen::Map<const row_matrix>(dense.data_ptr<float>(), dense.size(0), dense.size(1));
}

inline torch::Tensor tensor_of(const row_matrix& values) {
  return torch::from_blob(const_cast<float*>(values.data()), {values.rows(), values.cols()}).clone();
}

/// The numbers of a dense float tensor.
inline std::span<const float> values_of(const torch::Tensor& dense) {
  return {dense.data_ptr<float>(), static_cast<std::size_t>(dense.numel())};
}

/// A model or a defended model: queries in, a row of logits or of probabilities for each out.
using model_function = std::function<row_matrix(const torch::Tensor&)>;

/// The only access that an attacker has to a victim.
class victim_api {
 public:
  explicit victim_api(model_function answer) : answer_(std::move(answer)) {}

  torch::Tensor operator()(const torch::Tensor& queries) {
    const torch::NoGradGuard no_gradients;
    queries_ += queries.size(0);
    return tensor_of(answer_(queries));
  }

  std::int64_t queries() const { return queries_; }

 private:
  model_function answer_;
  std::int64_t queries_ = 0;
};

#endif
