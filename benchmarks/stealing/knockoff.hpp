// SPDX-License-Identifier: MIT
/// KnockoffNets (Orekondy, Schiele & Fritz 2019, arXiv 1812.02766): a clone trained on responses to the attacker's
/// images.
#ifndef CHAFF_BENCHMARKS_STEALING_KNOCKOFF_HPP
#define CHAFF_BENCHMARKS_STEALING_KNOCKOFF_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "networks.hpp"
#include "training.hpp"
#include "victim_api.hpp"

/// The queries of an attacker and the responses to them, on which they train a clone.
struct transfer_set {
  torch::Tensor pixels, answers;
};

/// A gradient bandit over the classes of the attacker's own images (section 4.1 there): classes of a reward above
/// the mean are sampled more often.
class sampling_policy {
 public:
  explicit sampling_policy(std::int64_t classes, double rate = 0.1)
      : preference_(torch::zeros({classes}, torch::kDouble)), rate_(rate) {}

  torch::Tensor probabilities() const { return preference_.softmax(0); }

  void reward(std::int64_t chosen, double value) {
    const double gain = rate_ * (value - mean_reward_);
    const torch::Tensor pi = probabilities();
    preference_ -= gain * pi;
    preference_[chosen] += gain;
    mean_reward_ += (value - mean_reward_) / static_cast<double>(++count_);
  }

 private:
  torch::Tensor preference_;
  double rate_, mean_reward_ = 0;
  std::int64_t count_ = 0;
};

/// The rewards of section 4.2 there, each in [0, 1] or scaled by its largest so far: the victim's margin
/// (certainty); how far the response lies above the mean response so far (diversity); the clone's loss. `all` is their
/// mean.
class rewards {
 public:
  /// kind: certainty, diversity, loss or all.
  explicit rewards(std::string kind) : kind_(std::move(kind)) {
    if (kind_ != "certainty" && kind_ != "diversity" && kind_ != "loss" && kind_ != "all") {
      throw std::invalid_argument("unknown reward " + kind_);
    }
  }

  /// Of a batch: N x classes answers, and the clone's posteriors for the same queries.
  std::vector<double> of(const torch::Tensor& answers, const torch::Tensor& clone) {
    const torch::Tensor two = std::get<0>(answers.topk(2, 1));
    const torch::Tensor certainty = two.select(1, 0) - two.select(1, 1);
    if (!mean_.defined()) mean_ = answers.mean(0);
    const torch::Tensor diversity = (answers - mean_).clamp_min(0).sum(1);
    const torch::Tensor loss = -(answers * (clone + 1e-8).log()).sum(1);
    rows_ += answers.size(0);
    mean_ += (answers.mean(0) - mean_) * (static_cast<double>(answers.size(0)) / static_cast<double>(rows_));
    max_diversity_ = std::max(max_diversity_, diversity.max().item<double>());
    max_loss_ = std::max(max_loss_, loss.max().item<double>());
    const torch::Tensor scaled_diversity = diversity / max_diversity_, scaled_loss = loss / max_loss_;
    const torch::Tensor reward = kind_ == "certainty"   ? certainty
                                 : kind_ == "diversity" ? scaled_diversity
                                 : kind_ == "loss"      ? scaled_loss
                                                        : (certainty + scaled_diversity + scaled_loss) / 3;
    const torch::Tensor dense = reward.to(torch::kDouble).contiguous();
    return {dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel()};
  }

 private:
  std::string kind_;
  torch::Tensor mean_;
  std::int64_t rows_ = 0;
  double max_diversity_ = 1e-8, max_loss_ = 1e-8;
};

/// Sends `budget` queries, of the classes that the policy samples, while a first clone learns from the responses.
/// The images of a class are taken in turn. Classes are those that the attacker knows of their own images.
inline transfer_set query_adaptively(victim_api& victim, const image_set& own, std::int64_t budget,
                                     const std::string& kind) {
  constexpr std::int64_t batch = 64;
  const std::int64_t own_classes = own.labels.max().item<std::int64_t>() + 1;
  std::vector<torch::Tensor> of_class;
  for (std::int64_t c = 0; c < own_classes; ++c) {
    const torch::Tensor found = own.labels.eq(c).nonzero().flatten();
    if (found.size(0) == 0) throw std::invalid_argument("a class of the attacker's images is empty");
    of_class.push_back(found.index_select(0, torch::randperm(found.size(0), torch::kLong)));
  }
  std::vector<std::int64_t> taken(static_cast<std::size_t>(own_classes));
  sampling_policy policy(own_classes);
  rewards rewards_of(kind);
  torch::nn::Sequential clone;
  std::unique_ptr<torch::optim::Adam> steps;
  std::vector<torch::Tensor> pixels, answers;
  for (std::int64_t done = 0; done < budget; done += batch) {
    const std::int64_t now = std::min(batch, budget - done);
    const torch::Tensor chosen = torch::multinomial(policy.probabilities(), now, true);
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
    const std::vector<double> each = rewards_of.of(answers.back(), logits.detach().softmax(1));
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
