// SPDX-License-Identifier: MIT
/// KnockoffNets (Orekondy, Schiele & Fritz 2019, arXiv 1812.02766): a clone trained on answers to images at hand.
#ifndef CHAFF_BENCHMARKS_STEALING_KNOCKOFF_HPP
#define CHAFF_BENCHMARKS_STEALING_KNOCKOFF_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "answers.hpp"
#include "networks.hpp"
#include "training.hpp"

/// What the thief asked and was told: the transfer set.
struct transfer_set {
  torch::Tensor pixels, answers;
};

/// A gradient bandit over the classes of the thief's own images (section 4.1 there): classes that paid more than is
/// usual are asked more.
class sampling_policy {
 public:
  explicit sampling_policy(std::int64_t classes, double rate = 0.1)
      : preference_(torch::zeros({classes}, torch::kDouble)), rate_(rate) {}

  torch::Tensor chances() const { return preference_.softmax(0); }

  void reward(std::int64_t chosen, double paid) {
    const double gain = rate_ * (paid - usual_);
    const torch::Tensor pi = chances();
    preference_ -= gain * pi;
    preference_[chosen] += gain;
    usual_ += (paid - usual_) / static_cast<double>(++count_);
  }

 private:
  torch::Tensor preference_;
  double rate_, usual_ = 0;
  std::int64_t count_ = 0;
};

/// The rewards of section 4.2 there, each in [0, 1] or scaled by its largest so far: how sure the victim is; how much
/// more of each class than on the average so far; how far the clone is off. `all` is their mean.
class rewards {
 public:
  /// kind: certainty, diversity, loss or all.
  explicit rewards(std::string kind) : kind_(std::move(kind)) {
    if (kind_ != "certainty" && kind_ != "diversity" && kind_ != "loss" && kind_ != "all") {
      throw std::invalid_argument("no reward is called " + kind_);
    }
  }

  /// Of a batch: N x classes answers, and the clone's posteriors for the same queries.
  std::vector<double> of(const torch::Tensor& answers, const torch::Tensor& clone) {
    const torch::Tensor two = std::get<0>(answers.topk(2, 1));
    const torch::Tensor certainty = two.select(1, 0) - two.select(1, 1);
    if (!mean_.defined()) mean_ = answers.mean(0);
    const torch::Tensor diversity = (answers - mean_).clamp_min(0).sum(1);
    const torch::Tensor loss = -(answers * (clone + 1e-8).log()).sum(1);
    seen_ += answers.size(0);
    mean_ += (answers.mean(0) - mean_) * (static_cast<double>(answers.size(0)) / static_cast<double>(seen_));
    most_diverse_ = std::max(most_diverse_, diversity.max().item<double>());
    most_lost_ = std::max(most_lost_, loss.max().item<double>());
    const torch::Tensor varied = diversity / most_diverse_, lost = loss / most_lost_;
    const torch::Tensor paid = kind_ == "certainty"   ? certainty
                               : kind_ == "diversity" ? varied
                               : kind_ == "loss"      ? lost
                                                      : (certainty + varied + lost) / 3;
    const torch::Tensor dense = paid.to(torch::kDouble).contiguous();
    return {dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel()};
  }

 private:
  std::string kind_;
  torch::Tensor mean_;
  std::int64_t seen_ = 0;
  double most_diverse_ = 1e-8, most_lost_ = 1e-8;
};

/// Asks `budget` of the images, of the classes that pay, while a first clone learns; the images of a class are taken in
/// turn. Classes are those that the thief knows of his own images.
inline transfer_set asked_adaptively(service& victim, const image_set& own, std::int64_t budget,
                                     const std::string& kind) {
  constexpr std::int64_t batch = 64;
  const std::int64_t own_classes = own.labels.max().item<std::int64_t>() + 1;
  std::vector<torch::Tensor> of_class;
  for (std::int64_t c = 0; c < own_classes; ++c) {
    const torch::Tensor found = own.labels.eq(c).nonzero().flatten();
    if (found.size(0) == 0) throw std::invalid_argument("a class of the thief's images is empty");
    of_class.push_back(found.index_select(0, torch::randperm(found.size(0), torch::kLong)));
  }
  std::vector<std::int64_t> taken(static_cast<std::size_t>(own_classes));
  sampling_policy policy(own_classes);
  rewards paid(kind);
  torch::nn::Sequential clone;
  std::unique_ptr<torch::optim::Adam> steps;
  std::vector<torch::Tensor> pixels, answers;
  for (std::int64_t done = 0; done < budget; done += batch) {
    const std::int64_t now = std::min(batch, budget - done);
    const torch::Tensor chosen = torch::multinomial(policy.chances(), now, true);
    torch::Tensor indices = torch::empty({now}, torch::kLong);
    for (std::int64_t i = 0; i < now; ++i) {
      const auto c = static_cast<std::size_t>(chosen[i].item<std::int64_t>());
      indices[i] = of_class[c][taken[c]++ % of_class[c].size(0)];
    }
    pixels.push_back(own.pixels.index_select(0, indices));
    answers.push_back(victim(pixels.back()));
    if (!steps) {
      clone = lenet(answers.back().size(1));
      steps = std::make_unique<torch::optim::Adam>(clone->parameters(), torch::optim::AdamOptions(1e-3));
    }
    const torch::Tensor logits = clone->forward(pixels.back());
    const std::vector<double> each = paid.of(answers.back(), logits.detach().softmax(1));
    for (std::int64_t i = 0; i < now; ++i) {
      policy.reward(chosen[i].item<std::int64_t>(), each[static_cast<std::size_t>(i)]);
    }
    steps->zero_grad();
    cross_entropy(logits, answers.back()).backward();
    steps->step();
  }
  return {torch::cat(pixels), torch::cat(answers)};
}

#endif
