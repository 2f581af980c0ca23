// SPDX-License-Identifier: MIT
/// What an attacker makes of the responses before they train a clone on them.
#ifndef CHAFF_BENCHMARKS_STEALING_ATTACKERS_HPP
#define CHAFF_BENCHMARKS_STEALING_ATTACKERS_HPP

#include "partial_bayes.hpp"
#include "simulation.hpp"
#include "training.hpp"

/// The predicted label alone, as a one-hot row.
inline torch::Tensor one_hot_labels(const torch::Tensor& answers) {
  return one_hot_rows(answers.argmax(1), answers.size(1));
}

/// Sends each query `times` times with normal noise on the pixels, and takes the mean of the responses.
inline torch::Tensor query_averaged(victim_api& victim, const torch::Tensor& pixels, int times = 4,
                                    double deviation = 0.05) {
  torch::Tensor sum;
  for (int i = 0; i < times; ++i) {
    const torch::Tensor answer = victim((pixels + deviation * torch::randn_like(pixels)).clamp(0, 1));
    sum = sum.defined() ? sum + answer : answer;
  }
  return sum / times;
}

/// How D-DAE's network is trained.
struct d_dae_training {
  std::int64_t pairs = 1000000;
  std::int64_t epochs = 5;
};

/// Recovers posteriors from responses by a network that is trained on simulated pairs, as D-DAE does (Chen et al. 2023,
/// "D-DAE: defense-penetrating model extraction attacks"). The layers are as wide as there; the input is the response,
/// its logarithm, each class's distance to the label, and the label.
inline torch::Tensor recovered_by_d_dae(simulation& simulated, const torch::Tensor& answers,
                                        const d_dae_training& how = {}) {
  namespace nn = torch::nn;
  const std::int64_t classes = answers.size(1);
  const std::int64_t first = classes < 100 ? 128 : 1024, second = first / 2;
  nn::Sequential network(nn::Linear(4 * classes, first), nn::ReLU(), nn::Linear(first, second), nn::ReLU(),
                         nn::Linear(second, classes));
  const auto input = [](const torch::Tensor& y) {
    const torch::Tensor behind = y - y.amax(1, true);
    return torch::cat({y, (y + 1e-4).log() / 4, (20 * behind).tanh(), one_hot_labels(y)}, 1);
  };
  const simulation::pairs drawn = simulated.draw(how.pairs);
  fit(network, input(drawn.defended), drawn.clean, {.epochs = how.epochs, .batch = 512});
  return logits_of(network, input(answers)).softmax(1);
}

#endif
