// SPDX-License-Identifier: MIT
/// DFME and MAZE: data-free attacks, which train a clone on queries that a generator learns to draw.
#ifndef CHAFF_BENCHMARKS_STEALING_DATA_FREE_HPP
#define CHAFF_BENCHMARKS_STEALING_DATA_FREE_HPP

#include <cmath>
#include <functional>
#include <vector>

#include "networks.hpp"
#include "victim_api.hpp"

/// The parameters of a data-free attack, in which two steps alternate.
/// The generator moves to where clone and victim disagree, by gradients that are estimated from responses.
/// The clone is trained on the responses to what the generator draws.
struct data_free_attack {
  std::int64_t budget;  ///< queries
  std::int64_t batch;   ///< images at a time
  int directions;       ///< m: random directions of an estimated gradient; each costs one more query
  int clone_steps;      ///< for each step of the generator
  int replays;          ///< steps on queries of earlier turns, which cost no query
  bool logits;          ///< l1 between recovered logits (DFME), or the divergence of posteriors (MAZE)
  double clone_rate = 1e-3;
  double generator_rate = 1e-3;
  double epsilon = 1e-3;  ///< the length of a forward difference's step
};

/// Truong et al. 2021, "Data-free model extraction", arXiv 2011.14779: one direction, l1 on logits recovered as
/// log y - mean log y.
inline data_free_attack dfme(std::int64_t budget) {
  return {.budget = budget, .batch = 128, .directions = 1, .clone_steps = 5, .replays = 0, .logits = true};
}

/// Kariyappa et al. 2021, "MAZE: data-free model stealing attack using zeroth-order gradient estimation", arXiv
/// 2005.03161: ten directions, the Kullback-Leibler divergence, ten replays.
inline data_free_attack maze(std::int64_t budget) {
  return {.budget = budget, .batch = 128, .directions = 10, .clone_steps = 5, .replays = 10, .logits = false};
}

/// The distance between the clone and the responses, for each query: N numbers.
inline torch::Tensor disagreement(const torch::Tensor& answers, const torch::Tensor& clone_logits, bool logits) {
  const torch::Tensor logs = answers.clamp_min(1e-7).log();
  if (logits) return (logs - logs.mean(1, true) - clone_logits).abs().mean(1);
  return (answers * (logs - clone_logits.log_softmax(1))).sum(1);
}

/// The gradient of f at each row of x, N x ..., by forward differences along random unit directions (eq. 9 of DFME):
/// (d / m) sum_u (f(x + epsilon u) - f(x)) / epsilon u, d the numbers in a row. f returns N numbers.
inline torch::Tensor forward_differences(const std::function<torch::Tensor(const torch::Tensor&)>& f,
                                         const torch::Tensor& x, int directions, double epsilon) {
  const torch::NoGradGuard no_gradients;
  const torch::Tensor here = f(x);
  torch::Tensor gradient = torch::zeros_like(x);
  const auto each = static_cast<double>(x[0].numel());
  for (int i = 0; i < directions; ++i) {
    torch::Tensor u = torch::randn({x.size(0), x[0].numel()});
    u = (u / u.norm(2, 1, true)).view_as(x);
    const torch::Tensor slope = (f(x + epsilon * u) - here) / epsilon;
    gradient += slope.view({-1, 1, 1, 1}) * u * (each / directions);
  }
  return gradient;
}

/// A clone that is trained by a data-free attack.
inline torch::nn::Sequential extract_without_data(victim_api& victim, std::int64_t classes,
                                                  const data_free_attack& how) {
  torch::nn::Sequential clone = lenet(classes), draws = generator();
  torch::optim::Adam clone_steps(clone->parameters(), torch::optim::AdamOptions(how.clone_rate));
  torch::optim::Adam generator_steps(draws->parameters(), torch::optim::AdamOptions(how.generator_rate));
  const auto noise = [&] { return torch::randn({how.batch, 100}); };
  const auto image = [](const torch::Tensor& drawn) { return torch::sigmoid(drawn); };
  const auto set_rates = [&](double share_left) {
    static_cast<torch::optim::AdamOptions&>(clone_steps.param_groups()[0].options()).lr(how.clone_rate * share_left);
    static_cast<torch::optim::AdamOptions&>(generator_steps.param_groups()[0].options())
        .lr(how.generator_rate * share_left);
  };
  std::vector<torch::Tensor> old_queries, old_answers;
  const auto learn = [&](const torch::Tensor& pixels, const torch::Tensor& answers) {
    clone_steps.zero_grad();
    disagreement(answers, clone->forward(pixels), how.logits).mean().backward();
    clone_steps.step();
  };
  const std::int64_t turn = how.batch * (1 + how.directions + how.clone_steps);
  while (victim.queries() + turn <= how.budget) {
    set_rates(1 - 0.95 * static_cast<double>(victim.queries()) / static_cast<double>(how.budget));
    // the generator's step: defended responses change what it draws, and so the queries that follow
    draws->train();
    const torch::Tensor drawn = draws->forward(noise());
    const torch::Tensor gradient = forward_differences(
        [&](const torch::Tensor& x) {
          const torch::Tensor pixels = image(x);
          return disagreement(victim(pixels), clone->forward(pixels), how.logits);
        },
        drawn.detach(), how.directions, how.epsilon);
    generator_steps.zero_grad();
    drawn.backward(-gradient / how.batch);
    generator_steps.step();
    for (int step = 0; step < how.clone_steps; ++step) {
      torch::Tensor pixels;
      {
        const torch::NoGradGuard no_gradients;
        pixels = image(draws->forward(noise()));
      }
      const torch::Tensor answers = victim(pixels);
      learn(pixels, answers);
      if (how.replays > 0) {
        old_queries.push_back(pixels);
        old_answers.push_back(answers);
      }
    }
    for (int step = 0; step < how.replays; ++step) {
      const auto chosen = static_cast<std::size_t>(
          torch::randint(static_cast<std::int64_t>(old_queries.size()), {1}).item<std::int64_t>());
      learn(old_queries[chosen], old_answers[chosen]);
    }
  }
  clone->eval();
  return clone;
}

#endif
