// SPDX-License-Identifier: MIT
/// What MAD and GRAD^2 need of a surrogate, by backward passes.
#ifndef CHAFF_BENCHMARKS_STEALING_SURROGATES_HPP
#define CHAFF_BENCHMARKS_STEALING_SURROGATES_HPP

#include <vector>

#include "victim_api.hpp"

/// d/dy <G'y, 1> for each query, G the Jacobian of the log-posterior in all parameters: the double backward pass of
/// Mazeika et al. 2022, for a batch at once.
inline row_matrix redirection_of(torch::nn::Sequential surrogate, const torch::Tensor& pixels) {
  const torch::AutoGradMode with_gradients(true);
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& some : pixels.split(1000)) {
    const torch::Tensor logs = surrogate->forward(some).log_softmax(1);
    const torch::Tensor y = torch::ones_like(logs).requires_grad_();
    torch::Tensor along = torch::zeros({});
    for (const torch::Tensor& one :
         torch::autograd::grad({(y * logs).sum()}, surrogate->parameters(), {}, true, true)) {
      along = along + one.sum();
    }
    parts.push_back(torch::autograd::grad({along}, {y})[0].detach());
  }
  return rows_of(torch::cat(parts));
}

/// The Jacobian of one query's log-posterior in some of the surrogate's parameters, K x P: K backward passes.
inline row_matrix jacobian_of(torch::nn::Sequential surrogate, const torch::Tensor& pixel,
                              const std::vector<torch::Tensor>& parameters) {
  const torch::AutoGradMode with_gradients(true);
  const torch::Tensor logs = surrogate->forward(pixel).log_softmax(1);
  std::vector<torch::Tensor> of_class;
  for (std::int64_t k = 0; k < logs.size(1); ++k) {
    std::vector<torch::Tensor> each = torch::autograd::grad({logs.select(1, k).sum()}, parameters, {}, true);
    for (torch::Tensor& one : each) one = one.flatten();
    of_class.push_back(torch::cat(each));
  }
  return rows_of(torch::stack(of_class));
}

/// The weights of the last layer: the parameters for which MAD has a closed form.
inline std::vector<torch::Tensor> last_weights(const torch::nn::Sequential& network) {
  const std::vector<torch::Tensor> parameters = network->parameters();
  return {parameters[parameters.size() - 2]};
}

#endif
