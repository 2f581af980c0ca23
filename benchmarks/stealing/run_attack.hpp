// SPDX-License-Identifier: MIT
/// Carries out one theft, from the first query to the clone's accuracy.
#ifndef CHAFF_BENCHMARKS_STEALING_ROB_HPP
#define CHAFF_BENCHMARKS_STEALING_ROB_HPP

#include <chrono>
#include <memory>

#include "data_free.hpp"
#include "knockoff.hpp"
#include "lab.hpp"
#include "theft.hpp"
#include "thieves.hpp"

/// A defended victim, watched: the mean L1 between what it answers and its posteriors, over all that is asked. The
/// logits are noted as they pass, so that the model is asked once.
class watched {
 public:
  watched(const setting& defense, victim_parts of) {
    of.model = [model = std::move(of.model), noted = noted_](const torch::Tensor& queries) {
      row_matrix logits = model(queries);
      noted->logits = tensor_of(logits);
      return logits;
    };
    answer_ = [bound = defense.bind(of), noted = noted_](const torch::Tensor& queries) {
      row_matrix answer = bound(queries);
      noted->l1 += (tensor_of(answer) - noted->logits.softmax(1)).abs().sum().item<double>();
      noted->asked += queries.size(0);
      return answer;
    };
  }

  const answering& answer() const { return answer_; }
  torch::Tensor last_posteriors() const { return noted_->logits.softmax(1); }
  double l1() const { return noted_->l1 / static_cast<double>(std::max<std::int64_t>(noted_->asked, 1)); }

 private:
  struct notes {
    torch::Tensor logits;
    double l1 = 0;
    std::int64_t asked = 0;
  };
  std::shared_ptr<notes> noted_ = std::make_shared<notes>();
  answering answer_;
};

/// What customers see of a defense on the test images.
inline chaff::utility effect_on_test(const victim& of, const setting& defense) {
  watched seen(defense, of.parts);
  const row_matrix answers = seen.answer()(of.data->test.pixels);
  const torch::Tensor posteriors = seen.last_posteriors();
  const torch::Tensor truth = of.data->test.labels.to(torch::kInt);
  return chaff::utility_of(std::span(answers.data(), static_cast<std::size_t>(answers.size())), values_of(posteriors),
                           static_cast<std::size_t>(answers.cols()),
                           std::span<const int>(truth.data_ptr<int>(), static_cast<std::size_t>(truth.numel())));
}

/// What the thief trains on: what he makes of answers to his images.
inline transfer_set loot_of(lab& in, const theft& one, const victim& robbed, service& door) {
  const image_set& own = in.data(one.queries).train;
  const std::int64_t budget = std::min(in.size().queries(one.victim), own.size());
  const torch::Tensor in_order = own.pixels.narrow(0, 0, budget);
  if (one.thief == "averaging") return {in_order, averaged(door, in_order)};
  const bool by_reward = one.variant != "random";
  const transfer_set asked =
      by_reward ? asked_adaptively(door, own, budget, one.variant) : transfer_set{in_order, door(in_order)};
  if (one.thief == "naive") return asked;
  if (one.thief == "label_only") return {asked.pixels, labels_alone(asked.answers)};
  if (!one.thief.starts_with("restoring_")) throw std::invalid_argument("no thief is called " + one.thief);
  // what he simulates with comes from a copy that no defense which keeps the label has spoilt
  auto copy = in.clone(asked.pixels, labels_alone(asked.answers), in.size().cloning(one.victim), one.seed);
  torch::manual_seed(static_cast<std::uint64_t>(one.seed));
  simulation simulated(one.defense, logits_of(copy, asked.pixels), robbed.parts);
  const std::int64_t pairs = in.size().simulated_pairs();
  return {asked.pixels, one.thief == "restoring_table" ? restored_by_table(simulated, asked.answers, pairs)
                                                       : restored_by_network(simulated, asked.answers, pairs)};
}

inline result_line rob(lab& in, const theft& one) {
  const auto start = std::chrono::steady_clock::now();
  const victim& robbed = in.victim_of(one.victim, one.precision);
  const watched seen(one.defense, robbed.parts);
  service door(seen.answer());
  torch::manual_seed(static_cast<std::uint64_t>(one.seed));
  torch::nn::Sequential clone;
  if (one.attack == "knockoff") {
    const transfer_set loot = loot_of(in, one, robbed, door);
    clone = in.clone(loot.pixels, loot.answers, in.size().cloning(one.victim), one.seed);
  } else if (one.attack == "dfme" || one.attack == "maze") {
    const std::int64_t budget = in.size().data_free_queries();
    clone = stolen_without_data(door, robbed.data->classes, one.attack == "dfme" ? dfme(budget) : maze(budget));
  } else {
    throw std::invalid_argument("no attack is called " + one.attack);
  }
  const chaff::utility customers = effect_on_test(robbed, one.defense);
  const image_set& test = robbed.data->test;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  result_line found = named(one);
  found.victim_accuracy = customers.undefended.accuracy;
  found.defended_accuracy = customers.defended.accuracy;
  found.l1_test = customers.l1;
  found.l1_queries = seen.l1();
  found.ece_test = customers.defended.ece;
  found.clone_accuracy = accuracy(logits_of(clone, test.pixels), test.labels);
  found.queries_spent = door.asked();
  found.seconds = std::lround(took.count());
  return found;
}

#endif
