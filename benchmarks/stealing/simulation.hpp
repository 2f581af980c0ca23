// SPDX-License-Identifier: MIT
/// An attacker's own copy of a defense, and the pairs of clean and defended posteriors that it makes.
#ifndef CHAFF_BENCHMARKS_STEALING_SIMULATION_HPP
#define CHAFF_BENCHMARKS_STEALING_SIMULATION_HPP

#include <memory>

#include "defenses.hpp"

/// What an attacker has who knows the defense and its parameters, but neither its key, nor its decoy, nor its
/// surrogate, nor the victim.
struct attacker_models {
  torch::Tensor queries;            ///< the attacker's images
  torch::Tensor substitute_logits;  ///< for these images, of a model that was trained on labels alone
  victim_parts own;                 ///< a surrogate of their own; model, decoy and key are not read
};

/// Pairs of clean and defended posteriors, as the attacker's copy of the defense makes them.
/// Each clean row stands for one of the attacker's queries. The surrogate's outputs are those for that query, and a
/// decoy's logits are the substitute model's for another query.
class simulation {
 public:
  simulation(const setting& defense, const attacker_models& known)
      : defense_(defense), substitute_logits_(known.substitute_logits), own_(known.own) {
    // the copy's "query" is a row: the clean logits, the decoy's logits, and the index of the query
    const std::int64_t classes = substitute_logits_.size(1);
    own_.model = [classes](const torch::Tensor& row) { return rows_of(row.narrow(1, 0, classes)); };
    own_.decoy = [classes](const torch::Tensor& row) { return rows_of(row.narrow(1, classes, classes)); };
    own_.surrogate = of_query(known.own.surrogate, known.queries);
    own_.redirection = of_query(known.own.redirection, known.queries);
  }

  struct pairs {
    torch::Tensor clean, defended;
  };

  /// Pairs whose clean rows are the substitute model's, at random temperatures and with noise.
  pairs draw(std::int64_t count) {
    const torch::Tensor chosen = some_queries(count), logits = substitute(chosen);
    return {logits.softmax(1), defended(logits, chosen)};
  }

  /// Pairs whose clean rows are drawn from Dirichlet distributions around rows of probabilities, one for each query:
  /// equally many around each, `count` in all. The concentration is 8 K times the row.
  pairs draw_around(const torch::Tensor& rows, std::int64_t count) {
    const torch::NoGradGuard no_gradients;
    constexpr std::int64_t at_once = 100000;  // so that what is in memory besides the result is small
    const std::int64_t classes = rows.size(1);
    pairs all{torch::empty({count, classes}), torch::empty({count, classes})};
    const torch::Tensor energy = substitute_logits_.logsumexp(1, true);
    for (std::int64_t first = 0; first < count; first += at_once) {
      const std::int64_t now = std::min(at_once, count - first);
      const torch::Tensor around = torch::arange(first, first + now, torch::kLong).remainder(rows.size(0));
      // 1 % of the mass for all classes alike, so that a class is drawn that was rounded to 0
      const torch::Tensor centre = rows.index_select(0, around).clamp_min(0.01 / static_cast<double>(classes));
      const torch::Tensor clean = at::_sample_dirichlet(centre * static_cast<double>(8 * classes));
      // logits of these probabilities, with the energy that the substitute model has for the query
      const torch::Tensor logits = clean.clamp_min(1e-12).log() + energy.index_select(0, around);
      all.clean.narrow(0, first, now).copy_(clean);
      all.defended.narrow(0, first, now).copy_(defended(logits, around));
    }
    return all;
  }

 private:
  /// The rows of a model for all queries, looked up by the index in the copy's "query". They are evaluated when a
  /// defense first needs them.
  static model_function of_query(const model_function& model, const torch::Tensor& queries) {
    return [model, queries, kept = std::make_shared<torch::Tensor>()](const torch::Tensor& row) {
      if (!kept->defined()) *kept = tensor_of(model(queries));
      return rows_of(kept->index_select(0, row.select(1, row.size(1) - 1).to(torch::kLong)));
    };
  }

  torch::Tensor some_queries(std::int64_t count) const {
    return torch::randint(substitute_logits_.size(0), {count}, torch::kLong);
  }

  torch::Tensor substitute(const torch::Tensor& chosen) const {
    const torch::Tensor temperature = (torch::rand({chosen.size(0), 1}) * 1.4 - 0.7).exp();
    return substitute_logits_.index_select(0, chosen) * temperature +
           0.5 * torch::randn({chosen.size(0), substitute_logits_.size(1)});
  }

  torch::Tensor defended(const torch::Tensor& logits, const torch::Tensor& of) {
    // the attacker's guess of the key, a new one for each draw
    own_.key = chaff::key(settings::text("%032x", ++draws_));
    const torch::Tensor others = substitute(some_queries(of.size(0)));
    return tensor_of(defense_.bind(own_)(torch::cat({logits, others, of.to(torch::kFloat).unsqueeze(1)}, 1)));
  }

  setting defense_;
  torch::Tensor substitute_logits_;
  victim_parts own_;
  unsigned draws_ = 0;
};

#endif
