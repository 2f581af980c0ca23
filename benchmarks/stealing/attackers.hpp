// SPDX-License-Identifier: MIT
/// What an attacker makes of the responses before they train a clone on them.
#ifndef CHAFF_BENCHMARKS_STEALING_ATTACKERS_HPP
#define CHAFF_BENCHMARKS_STEALING_ATTACKERS_HPP

#include "defenses.hpp"
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

/// Pairs of clean and defended posteriors, as an attacker simulates them who knows the defense and its parameters, but
/// neither its key, nor its decoy, nor the victim.
/// Their logits are those of a substitute model that was trained on labels alone, at random temperatures and with
/// noise. A decoy's logits are those of another query.
class simulation {
 public:
  simulation(const setting& defense, const torch::Tensor& substitute_logits, const victim_parts& known)
      : defense_(defense), substitute_logits_(substitute_logits), known_(known) {
    const std::int64_t classes = substitute_logits.size(1);
    known_.model = [classes](const torch::Tensor& logits_of_both) {
      return rows_of(logits_of_both.narrow(1, 0, classes));
    };
    known_.decoy = [classes](const torch::Tensor& logits_of_both) {
      return rows_of(logits_of_both.narrow(1, classes, classes));
    };
  }

  struct pairs {
    torch::Tensor clean, defended;
  };

  pairs draw(std::int64_t count) {
    // the attacker's guess of the key, a new one for each draw
    known_.key = chaff::key(settings::text("%032x", ++draws_));
    const torch::Tensor logits = some(count);
    return {logits.softmax(1), tensor_of(defense_.bind(known_)(torch::cat({logits, some(count)}, 1)))};
  }

 private:
  torch::Tensor some(std::int64_t count) const {
    const torch::Tensor chosen = torch::randint(substitute_logits_.size(0), {count}, torch::kLong);
    const torch::Tensor temperature = (torch::rand({count, 1}) * 1.4 - 0.7).exp();
    return substitute_logits_.index_select(0, chosen) * temperature +
           0.5 * torch::randn({count, substitute_logits_.size(1)});
  }

  setting defense_;
  torch::Tensor substitute_logits_;
  victim_parts known_;
  unsigned draws_ = 0;
};

/// Recovers posteriors from responses by a network that is trained on simulated pairs, as D-DAE does (Chen et al.
/// 2023): `epochs` epochs of `pairs` new pairs each. Its input is the response, its logarithm, each class's distance to
/// the label, and the label.
inline torch::Tensor recovered_by_d_dae(simulation& simulated, const torch::Tensor& answers,
                                        std::int64_t pairs = 100000, int epochs = 10) {
  namespace nn = torch::nn;
  const std::int64_t classes = answers.size(1);
  nn::Sequential network(nn::Linear(4 * classes, 256), nn::ReLU(), nn::Linear(256, 256), nn::ReLU(),
                         nn::Linear(256, classes));
  const auto input = [](const torch::Tensor& y) {
    const torch::Tensor behind = y - y.amax(1, true);
    return torch::cat({y, (y + 1e-4).log() / 4, (20 * behind).tanh(), one_hot_labels(y)}, 1);
  };
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const simulation::pairs drawn = simulated.draw(pairs);
    fit(network, input(drawn.defended), drawn.clean, {.epochs = 1, .batch = 512, .rate = 2e-3 / (1 + epoch)});
  }
  return logits_of(network, input(answers)).softmax(1);
}

/// Recovers posteriors from responses by a table of simulated pairs, as partial Bayes does (Tang et al. 2024): the mean
/// of the clean rows whose defended rows are nearest, among those of the same label if there are enough.
inline torch::Tensor recovered_by_partial_bayes(simulation& simulated, const torch::Tensor& answers,
                                                std::int64_t pairs = 100000, std::int64_t nearest = 8) {
  const torch::NoGradGuard no_gradients;
  const simulation::pairs table = simulated.draw(pairs);
  const torch::Tensor labels = answers.argmax(1), table_labels = table.defended.argmax(1);
  torch::Tensor recovered = torch::empty_like(answers);
  for (std::int64_t label = 0; label < answers.size(1); ++label) {
    const torch::Tensor in_answers = labels.eq(label).nonzero().flatten(),
                        in_table = table_labels.eq(label).nonzero().flatten();
    const bool enough = in_table.size(0) >= nearest;
    const torch::Tensor defended = enough ? table.defended.index_select(0, in_table) : table.defended;
    const torch::Tensor clean = enough ? table.clean.index_select(0, in_table) : table.clean;
    const torch::Tensor half_square = defended.square().sum(1) / 2, columns = defended.t().contiguous();
    for (const torch::Tensor& some : in_answers.split(200)) {
      // |a - t|^2 / 2, without the term that all rows t share
      const torch::Tensor distance = half_square - answers.index_select(0, some).mm(columns);
      const torch::Tensor found = std::get<1>(distance.topk(nearest, 1, false, false));
      recovered.index_copy_(
          0, some, clean.index_select(0, found.flatten()).view({some.size(0), nearest, answers.size(1)}).mean(1));
    }
  }
  return recovered;
}

#endif
