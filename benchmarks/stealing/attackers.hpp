// SPDX-License-Identifier: MIT
/// What a thief makes of the answers before a clone is trained on them.
#ifndef CHAFF_BENCHMARKS_STEALING_THIEVES_HPP
#define CHAFF_BENCHMARKS_STEALING_THIEVES_HPP

#include "defenses.hpp"
#include "training.hpp"

/// The label alone: e_argmax.
inline torch::Tensor labels_alone(const torch::Tensor& answers) {
  return naming(answers.argmax(1), answers.size(1));
}

/// Asks each query `times` times with normal noise on the pixels, and takes the mean of the answers.
inline torch::Tensor averaged(service& victim, const torch::Tensor& pixels, int times = 4, double deviation = 0.05) {
  torch::Tensor sum;
  for (int i = 0; i < times; ++i) {
    const torch::Tensor answer = victim((pixels + deviation * torch::randn_like(pixels)).clamp(0, 1));
    sum = sum.defined() ? sum + answer : answer;
  }
  return sum / times;
}

/// Pairs of clean and defended posteriors, as many as wanted: by a thief who has the defense and its parameters, but
/// not its key, decoy or victim. Logits are those of a copy that was trained on labels alone, at other temperatures and
/// with noise; a decoy's are another query's.
class simulation {
 public:
  simulation(const setting& defense, const torch::Tensor& copy_logits, const victim_parts& known)
      : defense_(defense), copy_logits_(copy_logits), known_(known) {
    const std::int64_t classes = copy_logits.size(1);
    known_.model = [classes](const torch::Tensor& both) { return rows_of(both.narrow(1, 0, classes)); };
    known_.decoy = [classes](const torch::Tensor& both) { return rows_of(both.narrow(1, classes, classes)); };
  }

  struct pairs {
    torch::Tensor clean, defended;
  };

  pairs draw(std::int64_t count) {
    // the thief's guess of the key, a new one each time
    known_.key = chaff::key(settings::text("%032x", ++draws_));
    const torch::Tensor logits = some(count);
    return {logits.softmax(1), tensor_of(defense_.bind(known_)(torch::cat({logits, some(count)}, 1)))};
  }

 private:
  torch::Tensor some(std::int64_t count) const {
    const torch::Tensor chosen = torch::randint(copy_logits_.size(0), {count}, torch::kLong);
    const torch::Tensor temperature = (torch::rand({count, 1}) * 1.4 - 0.7).exp();
    return copy_logits_.index_select(0, chosen) * temperature + 0.5 * torch::randn({count, copy_logits_.size(1)});
  }

  setting defense_;
  torch::Tensor copy_logits_;
  victim_parts known_;
  unsigned draws_ = 0;
};

/// Undoes answers by a network trained on simulated pairs (as D-DAE, Chen et al. 2023), `epochs` of 100,000 of them. It
/// is shown the label too, and how far each class lies behind it, which may be less than it would see by itself.
inline torch::Tensor restored_by_network(simulation& simulated, const torch::Tensor& answers,
                                         std::int64_t pairs = 100000, int epochs = 10) {
  namespace nn = torch::nn;
  const std::int64_t classes = answers.size(1);
  nn::Sequential network(nn::Linear(4 * classes, 256), nn::ReLU(), nn::Linear(256, 256), nn::ReLU(),
                         nn::Linear(256, classes));
  const auto seen = [](const torch::Tensor& y) {
    const torch::Tensor behind = y - y.amax(1, true);
    return torch::cat({y, (y + 1e-4).log() / 4, (20 * behind).tanh(), labels_alone(y)}, 1);
  };
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const simulation::pairs drawn = simulated.draw(pairs);
    fit(network, seen(drawn.defended), drawn.clean, {.epochs = 1, .batch = 512, .rate = 2e-3 / (1 + epoch)});
  }
  return logits_of(network, seen(answers)).softmax(1);
}

/// Undoes answers by a table of simulated pairs (as partial Bayes of Tang et al. 2024): the mean of the clean rows
/// whose defended rows are the nearest, of those of the same label if there are enough.
inline torch::Tensor restored_by_table(simulation& simulated, const torch::Tensor& answers, std::int64_t pairs = 100000,
                                       std::int64_t nearest = 8) {
  const torch::NoGradGuard no_gradients;
  const simulation::pairs table = simulated.draw(pairs);
  const torch::Tensor labels = answers.argmax(1), table_labels = table.defended.argmax(1);
  torch::Tensor restored = torch::empty_like(answers);
  for (std::int64_t label = 0; label < answers.size(1); ++label) {
    const torch::Tensor asked = labels.eq(label).nonzero().flatten(), same = table_labels.eq(label).nonzero().flatten();
    const bool enough = same.size(0) >= nearest;
    const torch::Tensor defended = enough ? table.defended.index_select(0, same) : table.defended;
    const torch::Tensor clean = enough ? table.clean.index_select(0, same) : table.clean;
    const torch::Tensor half_square = defended.square().sum(1) / 2, columns = defended.t().contiguous();
    for (const torch::Tensor& some : asked.split(200)) {
      // |a - t|^2 / 2, without what is the same for all rows t
      const torch::Tensor distance = half_square - answers.index_select(0, some).mm(columns);
      const torch::Tensor found = std::get<1>(distance.topk(nearest, 1, false, false));
      restored.index_copy_(
          0, some, clean.index_select(0, found.flatten()).view({some.size(0), nearest, answers.size(1)}).mean(1));
    }
  }
  return restored;
}

#endif
