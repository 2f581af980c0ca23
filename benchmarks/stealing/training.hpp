// SPDX-License-Identifier: MIT
/// Training on responses, and evaluating a network on many images.
#ifndef CHAFF_BENCHMARKS_STEALING_TRAINING_HPP
#define CHAFF_BENCHMARKS_STEALING_TRAINING_HPP

#include <torch/torch.h>

#include <algorithm>
#include <cstdint>

#include "image_set.hpp"

/// How long and in what steps; the same for victims and clones unless said.
struct schedule {
  std::int64_t epochs = 6;
  std::int64_t batch = 64;
  double rate = 2e-3;  ///< Adam's; falls linearly to 0
};

/// The logits of all images, in evaluation, a thousand at a time.
template <class Network>
torch::Tensor logits_of(Network&& network, const torch::Tensor& pixels) {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& some : pixels.split(1000)) parts.push_back(network->forward(some));
  return torch::cat(parts);
}

/// -sum_i y_i log s_i, the mean over rows: y the answers, s the network's posteriors.
inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& answers) {
  return -(answers * logits.log_softmax(1)).sum(1).mean();
}

/// Trains in place on answers, N x classes probabilities. The order of images is drawn from torch's own generator.
template <class Network, class Loss>
void fit(Network& network, const torch::Tensor& pixels, const torch::Tensor& answers, const schedule& how, Loss loss) {
  network->train();
  torch::optim::Adam steps(network->parameters(), torch::optim::AdamOptions(how.rate));
  const std::int64_t in_epoch = (pixels.size(0) + how.batch - 1) / how.batch;
  const double total = static_cast<double>(how.epochs * in_epoch);
  double done = 0;
  for (std::int64_t epoch = 0; epoch < how.epochs; ++epoch) {
    for (const torch::Tensor& some : torch::randperm(pixels.size(0), torch::kLong).split(how.batch)) {
      static_cast<torch::optim::AdamOptions&>(steps.param_groups()[0].options()).lr(how.rate * (1 - done++ / total));
      steps.zero_grad();
      loss(network->forward(pixels.index_select(0, some)), answers.index_select(0, some)).backward();
      steps.step();
    }
  }
  network->eval();
}

template <class Network>
void fit(Network& network, const torch::Tensor& pixels, const torch::Tensor& answers, const schedule& how) {
  fit(network, pixels, answers, how, cross_entropy);
}

/// Labels as one-hot rows.
inline torch::Tensor one_hot_rows(const torch::Tensor& labels, std::int64_t classes) {
  return torch::one_hot(labels, classes).to(torch::kFloat);
}

/// The share of images whose true class is first.
inline double accuracy(const torch::Tensor& scores, const torch::Tensor& labels) {
  return scores.argmax(1).eq(labels).to(torch::kDouble).mean().item<double>();
}

#endif
