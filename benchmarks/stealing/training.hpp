// SPDX-License-Identifier: MIT
/// Training on responses, and evaluating a network on many images.
#ifndef CHAFF_BENCHMARKS_STEALING_TRAINING_HPP
#define CHAFF_BENCHMARKS_STEALING_TRAINING_HPP

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "augmentation.hpp"
#include "image_set.hpp"

/// How long and in what steps; the same for victims and clones unless said.
struct schedule {
  std::int64_t epochs = 6;
  std::int64_t batch = 64;
  double rate = 2e-3;      ///< Adam's; falls linearly to 0
  bool augmented = false;  ///< each image is turned and shifted at random, anew in each epoch
  double averaged = 0;     ///< the share of the steps, the last ones, over whose weights the mean is taken
  bool rotations = false;  ///< the network also learns by how many quarter turns an image is turned: the rotation loss
                           ///< of Zhai et al. 2019, "S4L: self-supervised semi-supervised learning", arXiv 1905.03670
};

/// Images that a network evaluates at a time.
inline constexpr std::int64_t rows_at_once = 250;

/// The logits of all images, in evaluation.
template <class Network>
torch::Tensor logits_of(Network&& network, const torch::Tensor& pixels) {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& some : pixels.split(rows_at_once)) parts.push_back(network->forward(some));
  return torch::cat(parts);
}

/// -sum_i y_i log s_i, the mean over rows: y the answers, s the network's posteriors.
inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& answers) {
  return -(answers * logits.log_softmax(1)).sum(1).mean();
}

/// Labels as one-hot rows.
inline torch::Tensor one_hot_rows(const torch::Tensor& labels, std::int64_t classes) {
  return torch::one_hot(labels, classes).to(torch::kFloat);
}

/// The mean of a network's weights at several steps; of running statistics too.
class mean_weights {
 public:
  void add(const torch::nn::Sequential& network) {
    const torch::NoGradGuard no_gradients;
    const std::vector<torch::Tensor> now = all_of(network);
    ++count_;
    if (mean_.empty()) {
      for (const torch::Tensor& each : now) mean_.push_back(each.detach().clone());
      return;
    }
    for (std::size_t i = 0; i < now.size(); ++i) mean_[i] += (now[i].detach() - mean_[i]) / count_;
  }

  /// Gives the network the mean; it keeps its own weights where none were added.
  void write_to(torch::nn::Sequential& network) const {
    const torch::NoGradGuard no_gradients;
    const std::vector<torch::Tensor> own = all_of(network);
    for (std::size_t i = 0; i < mean_.size(); ++i) own[i].copy_(mean_[i]);
  }

 private:
  static std::vector<torch::Tensor> all_of(const torch::nn::Sequential& network) {
    std::vector<torch::Tensor> all = network->parameters();
    for (const torch::Tensor& each : network->buffers()) {
      if (each.is_floating_point()) all.push_back(each);
    }
    return all;
  }

  std::vector<torch::Tensor> mean_;
  double count_ = 0;
};

/// Predicts from the features before a network's last layer by how many quarter turns an image is turned.
class rotation_head {
 public:
  explicit rotation_head(const torch::nn::Sequential& network) : network_(network) {
    const auto last = std::dynamic_pointer_cast<torch::nn::LinearImpl>(network->ptr(network->size() - 1));
    if (!last) throw std::invalid_argument("a rotation loss needs a network whose last layer is linear");
    head_ = torch::nn::Linear(last->options.in_features(), 4);
  }

  std::vector<torch::Tensor> parameters() const { return head_->parameters(); }

  /// The cross-entropy for images that are turned at random.
  torch::Tensor loss(const torch::Tensor& pixels) {
    const torch::Tensor quarters = torch::randint(4, {pixels.size(0)}, torch::kLong);
    torch::Tensor features = quarter_turned(pixels, quarters);
    for (auto layer = network_->begin(); layer + 1 != network_->end(); ++layer) features = layer->forward(features);
    return cross_entropy(head_->forward(features), one_hot_rows(quarters, 4));
  }

 private:
  torch::nn::Sequential network_;
  torch::nn::Linear head_{nullptr};
};

/// Trains in place on answers, N x classes probabilities. Random numbers are drawn from torch's own generator.
template <class Loss>
void fit(torch::nn::Sequential& network, const torch::Tensor& pixels, const torch::Tensor& answers, const schedule& how,
         Loss loss) {
  network->train();
  std::vector<torch::Tensor> parameters = network->parameters();
  std::optional<rotation_head> turns;
  if (how.rotations) {
    turns.emplace(network);
    for (const torch::Tensor& each : turns->parameters()) parameters.push_back(each);
  }
  torch::optim::Adam steps(parameters, torch::optim::AdamOptions(how.rate));
  const std::int64_t total = how.epochs * ((pixels.size(0) + how.batch - 1) / how.batch);
  const std::int64_t first_averaged = total - std::lround(how.averaged * static_cast<double>(total));
  mean_weights mean;
  std::int64_t done = 0;
  for (std::int64_t epoch = 0; epoch < how.epochs; ++epoch) {
    for (const torch::Tensor& some : torch::randperm(pixels.size(0), torch::kLong).split(how.batch)) {
      const double share = static_cast<double>(done) / static_cast<double>(total);
      static_cast<torch::optim::AdamOptions&>(steps.param_groups()[0].options()).lr(how.rate * (1 - share));
      steps.zero_grad();
      torch::Tensor batch = pixels.index_select(0, some);
      if (how.augmented) batch = augmented(batch);
      torch::Tensor value = loss(network->forward(batch), answers.index_select(0, some));
      if (turns) value = value + turns->loss(batch);
      value.backward();
      steps.step();
      if (done++ >= first_averaged) mean.add(network);
    }
  }
  mean.write_to(network);
  network->eval();
}

inline void fit(torch::nn::Sequential& network, const torch::Tensor& pixels, const torch::Tensor& answers,
                const schedule& how) {
  fit(network, pixels, answers, how, cross_entropy);
}

/// The share of images whose true class is first.
inline double accuracy(const torch::Tensor& scores, const torch::Tensor& labels) {
  return scores.argmax(1).eq(labels).to(torch::kDouble).mean().item<double>();
}

#endif
