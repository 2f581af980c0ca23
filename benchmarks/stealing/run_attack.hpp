// SPDX-License-Identifier: MIT
/// Runs one attack, from the first query to the clone's accuracy.
#ifndef CHAFF_BENCHMARKS_STEALING_RUN_ATTACK_HPP
#define CHAFF_BENCHMARKS_STEALING_RUN_ATTACK_HPP

#include <chrono>
#include <memory>

#include "attack_run.hpp"
#include "attackers.hpp"
#include "data_free.hpp"
#include "knockoff.hpp"
#include "lab.hpp"

/// A defended victim that measures the mean L1 between its responses and its posteriors, over all queries.
/// It notes the logits as they pass, so that the model is evaluated once.
class observed_defense {
 public:
  observed_defense(const setting& defense, victim_parts of) {
    of.model = [model = std::move(of.model), notes = notes_](const torch::Tensor& queries) {
      row_matrix logits = model(queries);
      notes->logits = tensor_of(logits);
      return logits;
    };
    answer_ = [bound = defense.bind(of), notes = notes_](const torch::Tensor& queries) {
      row_matrix answer = bound(queries);
      notes->l1 += (tensor_of(answer) - notes->logits.softmax(1)).abs().sum().item<double>();
      notes->queries += queries.size(0);
      return answer;
    };
  }

  const model_function& answer() const { return answer_; }
  torch::Tensor last_posteriors() const { return notes_->logits.softmax(1); }
  double l1() const { return notes_->l1 / static_cast<double>(std::max<std::int64_t>(notes_->queries, 1)); }

 private:
  struct notes {
    torch::Tensor logits;
    double l1 = 0;
    std::int64_t queries = 0;
  };
  std::shared_ptr<notes> notes_ = std::make_shared<notes>();
  model_function answer_;
};

/// Utility for benign users: what the defense does to the responses to test images.
inline chaff::utility utility_on_test(const victim& of, const setting& defense) {
  observed_defense observed(defense, of.parts);
  const row_matrix answers = observed.answer()(of.data->test.pixels);
  const torch::Tensor posteriors = observed.last_posteriors();
  const torch::Tensor truth = of.data->test.labels.to(torch::kInt);
  return chaff::utility_of(std::span(answers.data(), static_cast<std::size_t>(answers.size())), values_of(posteriors),
                           static_cast<std::size_t>(answers.cols()),
                           std::span<const int>(truth.data_ptr<int>(), static_cast<std::size_t>(truth.numel())));
}

/// The transfer set of an attacker with images: their queries, and what they make of the responses.
inline transfer_set transfer_set_of(lab& in, const attack_run& run, const victim& target, victim_api& api) {
  const std::shared_ptr<const data_set> images = in.data(run.query_data, run.seed);
  const image_set& own = images->train;
  const std::int64_t budget = std::min(in.size().queries(run.victim, run.network), own.size());
  const torch::Tensor in_order = own.pixels.narrow(0, 0, budget);
  if (run.attacker == "query_averaging") return {in_order, query_averaged(api, in_order)};
  const bool is_random = run.sampling == "random";
  const transfer_set direct =
      is_random ? transfer_set{in_order, api(in_order)} : query_adaptively(api, own, budget, run.sampling);
  if (run.attacker == "naive") return direct;
  if (run.attacker == "label_only") return {direct.pixels, one_hot_labels(direct.answers)};
  if (run.attacker != "d_dae" && run.attacker != "partial_bayes") {
    throw std::invalid_argument("unknown attacker " + run.attacker);
  }
  // the substitute model is trained on labels, which a defense that keeps them does not perturb
  auto substitute = in.clone(run.network, direct.pixels, one_hot_labels(direct.answers),
                             in.size().cloning(run.victim, run.network, run.training), run.seed);
  attacker_models known{direct.pixels, logits_of(substitute, direct.pixels), target.parts};
  lab::give_surrogate(known.own, run.network, target.data->classes, 1000 + run.seed);
  torch::manual_seed(static_cast<std::uint64_t>(run.seed));
  simulation simulated(run.defense, known);
  return {direct.pixels, run.attacker == "d_dae"
                             ? recovered_by_d_dae(simulated, direct.answers, in.size().d_dae(direct.answers.size(1)))
                             : recovered_by_partial_bayes(simulated, direct.answers, in.size().bayes_rows())};
}

/// commit: of the project, for the line.
inline result_line run_attack(lab& in, const attack_run& run, const std::string& commit) {
  const auto start = std::chrono::steady_clock::now();
  const victim target = in.victim_of({run.victim, run.network, run.precision, run.seed});
  const observed_defense observed(run.defense, target.parts);
  victim_api api(observed.answer());
  torch::manual_seed(static_cast<std::uint64_t>(run.seed));
  torch::nn::Sequential clone;
  if (run.attack == "knockoff") {
    const transfer_set transfer = transfer_set_of(in, run, target, api);
    clone = in.clone(run.network, transfer.pixels, transfer.answers,
                     in.size().cloning(run.victim, run.network, run.training), run.seed);
  } else if (run.attack == "dfme" || run.attack == "maze") {
    const std::int64_t budget = in.size().data_free_queries();
    clone = extract_without_data(api, target.data->classes, run.attack == "dfme" ? dfme(budget) : maze(budget));
  } else {
    throw std::invalid_argument("unknown attack " + run.attack);
  }
  const chaff::utility utility = utility_on_test(target, run.defense);
  const image_set& test = target.data->test;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  result_line line = result_line_of(run);
  line.victim_accuracy = utility.undefended.accuracy;
  line.defended_accuracy = utility.defended.accuracy;
  line.l1_test = utility.l1;
  line.l1_queries = observed.l1();
  line.ece_test = utility.defended.ece;
  line.clone_accuracy = accuracy(logits_of(clone, test.pixels), test.labels);
  line.queries = api.queries();
  line.seconds = std::lround(elapsed.count());
  line.commit = commit;
  return line;
}

#endif
