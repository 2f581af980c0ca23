// SPDX-License-Identifier: MIT
/// Detection of attackers by account: how soon they are flagged, and which clone they are left with.
#ifndef CHAFF_BENCHMARKS_STEALING_ACCOUNTS_HPP
#define CHAFF_BENCHMARKS_STEALING_ACCOUNTS_HPP

#include <algorithm>
#include <chaff/monitor.hpp>
#include <chrono>
#include <limits>
#include <map>
#include <random>

#include "account_columns.hpp"
#include "attackers.hpp"
#include "data_free.hpp"
#include "knockoff.hpp"
#include "lab.hpp"

namespace accounts {

/// How many accounts are simulated, and how much they send.
struct scale {
  bool quick = false;

  long benign_accounts() const { return quick ? 50 : 1000; }
  long sampled() const { return quick ? 50 : 1000; }          ///< of attackers whose images are drawn at random
  double false_alarms() const { return quick ? 0.5 : 1e-3; }  ///< quick: so many that few queries flag
  long attack_runs() const { return quick ? 3 : 100; }        ///< of attackers who choose queries by answers
  long queries() const { return quick ? 200 : 10000; }        ///< of an account, at most
  long min_steps() const { return quick ? 20 : 600; }         ///< that a clone is trained
};

/// The queries that an account sends until it is flagged, the flagging one included; `never` where it is not.
inline constexpr long never = std::numeric_limits<long>::max();

/// Draws one query after another, and returns when the monitor flags the account.
template <class Draw>
long queries_until_flagged(const chaff::query_monitor& monitor, long max_queries, Draw next_score) {
  double evidence = 0;
  for (long sent = 1; sent <= max_queries; ++sent) {
    if (monitor.update(evidence, next_score())) return sent;
  }
  return never;
}

/// Writes what many accounts took until they were flagged into a line.
inline void summarise(std::vector<long> queries, account_line& line) {
  std::sort(queries.begin(), queries.end());
  const auto at = [&](double share) -> std::optional<long> {
    const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(queries.size()))) - 1;
    return queries[index] == never ? std::nullopt : std::optional(queries[index]);
  };
  line.sampled = static_cast<long>(queries.size());
  line.flagged_share =
      1 - static_cast<double>(std::count(queries.begin(), queries.end(), never)) / static_cast<double>(queries.size());
  line.median = at(0.5);
  line.percent_95 = at(0.95);
}

/// The victim of an experiment.
inline victim_name victim_of(const account_experiment& what) {
  return {.data = what.victim, .network = what.network, .seed = what.seed};
}

/// Scores of whole sets of images, which depend on the victim alone, by its name and theirs.
using known_scores = std::map<std::string, std::vector<double>>;

/// A victim, and a monitor from the scores of its held-out images.
struct monitored_victim {
  victim target;
  chaff::gate_monitor<chaff::energy_gate> watch;
  known_scores& known;

  monitored_victim(victim of, const account_experiment& what, const scale& size, known_scores& all_known)
      : target(std::move(of)),
        watch(chaff::calibrate_monitor(
            chaff::calibration_data<float>{.logits = values_of(target.parts.held_out),
                                           .classes = static_cast<std::size_t>(target.data->classes)},
            chaff::energy_gate{},
            {.false_alarms = size.false_alarms(),
             .queries = static_cast<double>(size.queries()),
             .drift = what.drift})),
        known(all_known) {}

  /// The scores of images, a thousand at a time.
  std::vector<double> scores_of(const torch::Tensor& pixels) const {
    std::vector<double> all;
    for (const torch::Tensor& some : pixels.split(1000)) {
      const row_matrix logits = target.parts.model(some);
      const std::vector<double> scores =
          chaff::gate_scores(watch.gate, std::span(logits.data(), static_cast<std::size_t>(logits.size())),
                             static_cast<std::size_t>(logits.cols()));
      all.insert(all.end(), scores.begin(), scores.end());
    }
    return all;
  }

  /// The scores of all images of a set, which are computed once.
  const std::vector<double>& scores_of(const std::string& name, const torch::Tensor& pixels) const {
    std::vector<double>& all = known[name];
    if (all.empty()) all = scores_of(pixels);
    return all;
  }
};

/// The indices of a tenth of the images: those that an attacker's shadow model finds least unusual. It is trained on
/// 500 labelled images of the victim's kind that the attacker owns.
inline torch::Tensor least_unusual(lab& in, const account_experiment& what, const torch::Tensor& pixels) {
  const data_set& kind = *in.data(what.victim, what.seed);
  const image_set own = kind.train.part(0, std::min<std::int64_t>(500, kind.train.size()));
  torch::manual_seed(static_cast<std::uint64_t>(what.seed) + 100);
  torch::nn::Sequential shadow = lenet(kind.classes);
  fit(shadow, own.pixels, one_hot_rows(own.labels, kind.classes), {.epochs = in.size().quick ? 2 : 40});
  const torch::Tensor energy = logits_of(shadow, pixels).logsumexp(1);
  return std::get<1>(energy.topk(std::max<std::int64_t>(1, pixels.size(0) / 10)));
}

/// The images that an attacker sends who does not look at the answers, and their scores.
struct scored_images {
  torch::Tensor pixels;
  std::vector<double> scores;
};

inline scored_images images_of(lab& in, const account_experiment& what, const monitored_victim& of) {
  const image_set& own = in.data(what.query_data, what.seed)->train;
  const torch::Tensor pixels =
      own.pixels.narrow(0, 0, std::min(in.size().queries(what.victim, what.network), own.size()));
  const std::vector<double>& scores = of.scores_of(victim_of(what).text() + " train of " + what.query_data, pixels);
  if (what.sampling != "filtered") return {pixels, scores};
  const torch::Tensor chosen = least_unusual(in, what, pixels);
  std::vector<double> of_chosen;
  for (std::int64_t i = 0; i < chosen.size(0); ++i) {
    of_chosen.push_back(scores[static_cast<std::size_t>(chosen[i].item<std::int64_t>())]);
  }
  return {pixels.index_select(0, chosen), of_chosen};
}

/// Accounts whose queries are drawn from images at hand: those of benign users, and of attackers who do not look at
/// the answers. The attacker's queries are shared evenly by the accounts.
inline void detect_drawn(lab& in, const account_experiment& what, const monitored_victim& of, const scale& size,
                         account_line& line) {
  const image_set& benign = of.target.data->test;
  const bool is_benign = what.attack == "benign";
  const std::vector<double>& usual = of.scores_of(victim_of(what).text() + " test", benign.pixels);
  const std::vector<double> sent = is_benign ? usual : images_of(in, what, of).scores;
  const long accounts = is_benign ? size.benign_accounts() : what.accounts > 1 ? what.accounts : size.sampled();
  const long budget = static_cast<long>(in.size().queries(what.victim, what.network));
  const long max_queries = is_benign || what.accounts == 1 ? size.queries() : std::max(1L, budget / what.accounts);
  std::mt19937_64 random(static_cast<std::uint64_t>(what.seed));
  std::vector<long> queries;
  double answered = 0;
  for (long i = 0; i < accounts; ++i) {
    queries.push_back(queries_until_flagged(of.watch.monitor, max_queries, [&] {
      const bool is_ood = static_cast<double>(random() >> 11) * 0x1p-53 < what.ood_share;
      const std::vector<double>& pool = is_ood ? sent : usual;
      return pool[random() % pool.size()];
    }));
    answered += static_cast<double>(queries.back() == never ? max_queries : queries.back() - 1);
  }
  line.answered = what.accounts > 1 ? answered : answered / static_cast<double>(accounts);
  summarise(std::move(queries), line);
}

/// What a flagged account is told: any of them, by a key and the image.
inline torch::Tensor uniform_labels(const torch::Tensor& pixels, std::int64_t classes) {
  torch::Tensor labels = torch::empty({pixels.size(0)}, torch::kLong);
  const std::uint64_t key = hash_of(torch::tensor({20261128}, torch::kLong));
  for (std::int64_t i = 0; i < pixels.size(0); ++i) {
    labels[i] = static_cast<std::int64_t>((hash_of(pixels[i], key) >> 16) % static_cast<std::uint64_t>(classes));
  }
  return one_hot_rows(labels, classes);
}

/// An attack that chooses its queries by the responses.
struct watched_attack {
  long queries = never;                  ///< until its account is flagged
  transfer_set before{}, after{};        ///< what was answered until then, and what followed it
  torch::nn::Sequential clone{nullptr};  ///< the clone that the attack itself trains, if it ran to its end
};

/// Raised where a flagged account is refused, to end the attack.
struct stop {};

/// Runs an attack that chooses its queries by the responses: until its account is flagged, or to its end where flagged
/// accounts are told uniform labels.
inline watched_attack run_watched(lab& in, const account_experiment& what, const monitored_victim& of,
                                  const scale& size, std::int64_t seed) {
  const bool goes_on = what.flagged == "uniform_label";
  watched_attack result;
  double evidence = 0;
  long sent = 0;
  std::vector<torch::Tensor> pixels, answers, later_pixels, later_answers;
  victim_api api([&](const torch::Tensor& queries) -> row_matrix {
    const row_matrix logits = of.target.parts.model(queries);
    const auto scores =
        chaff::gate_scores(of.watch.gate, std::span(logits.data(), static_cast<std::size_t>(logits.size())),
                           static_cast<std::size_t>(logits.cols()));
    std::int64_t before = 0;
    while (before < queries.size(0) && !of.watch.monitor.update(evidence, scores[static_cast<std::size_t>(before)])) {
      ++before;
    }
    const std::int64_t others = queries.size(0) - before;
    torch::Tensor answer = tensor_of(chaff::apply(chaff::none{}, logits));
    if (before > 0) {
      pixels.push_back(queries.narrow(0, 0, before).clone());
      answers.push_back(answer.narrow(0, 0, before).clone());
    }
    sent += before;
    if (others > 0) {
      if (result.queries == never) result.queries = sent + 1;
      if (!goes_on) throw stop{};
      const torch::Tensor rest = queries.narrow(0, before, others).clone();
      answer.narrow(0, before, others).copy_(uniform_labels(rest, answer.size(1)));
      if (what.attack == "knockoff") {  // the data-free attacks train their clone themselves
        later_pixels.push_back(rest);
        later_answers.push_back(answer.narrow(0, before, others).clone());
      }
    }
    return rows_of(answer);
  });
  torch::manual_seed(static_cast<std::uint64_t>(seed));
  try {
    if (what.attack == "knockoff") {
      query_adaptively(api, in.data(what.query_data, what.seed)->train, size.queries(), what.sampling);
    } else {
      // where it is stopped, some turns of either attack are enough
      const std::int64_t budget = goes_on ? in.size().data_free_queries() : std::max(2 * size.queries(), 3000L);
      result.clone =
          extract_without_data(api, of.target.data->classes, what.attack == "dfme" ? dfme(budget) : maze(budget));
    }
  } catch (const stop&) {
  }
  if (!pixels.empty()) result.before = {torch::cat(pixels), torch::cat(answers)};
  if (!later_pixels.empty()) result.after = {torch::cat(later_pixels), torch::cat(later_answers)};
  return result;
}

/// What attackers of random images are answered, over all their accounts: those before the flag, and what follows it.
struct answered_queries {
  transfer_set before, after;
  double flagged_share = 0;  ///< of the accounts
};

inline answered_queries answers_of(lab& in, const account_experiment& what, const monitored_victim& of) {
  const scored_images images = images_of(in, what, of);
  auto generator = torch::make_generator<torch::CPUGeneratorImpl>(static_cast<std::uint64_t>(what.seed));
  const torch::Tensor order = torch::randperm(images.pixels.size(0), generator, torch::kLong);
  const torch::Tensor pixels = images.pixels.index_select(0, order);
  std::vector<double> evidence(static_cast<std::size_t>(what.accounts));
  std::vector<std::int64_t> before, after;
  for (std::size_t i = 0; i < images.scores.size(); ++i) {
    const double score =
        images.scores[static_cast<std::size_t>(order[static_cast<std::int64_t>(i)].item<std::int64_t>())];
    const bool is_flagged = of.watch.monitor.update(evidence[i % evidence.size()], score);
    (is_flagged ? after : before).push_back(static_cast<std::int64_t>(i));
  }
  const auto answer = [&](const std::vector<std::int64_t>& indices, bool is_flagged) -> transfer_set {
    const torch::Tensor some = pixels.index_select(0, torch::tensor(indices, torch::kLong));
    if (!is_flagged) return {some, tensor_of(of.target.parts.model(some)).softmax(1)};
    if (what.flagged == "uniform_label") return {some, uniform_labels(some, of.target.data->classes)};
    const chaff::random_vertex random{.epsilon = 2, .key = of.target.parts.key};
    return {some, tensor_of(chaff::defend(of.target.parts.model, random, {.keep_label = false})(some))};
  };
  const bool sends_more = what.flagged != "refusal" && !after.empty();
  const auto flagged =
      std::count_if(evidence.begin(), evidence.end(), [&](double each) { return of.watch.monitor.is_flagged(each); });
  return {answer(before, false), sends_more ? answer(after, true) : transfer_set{},
          static_cast<double>(flagged) / static_cast<double>(what.accounts)};
}

/// How the clones of these experiments are trained.
inline schedule cloning(const lab& in, const account_experiment& what) {
  return in.size().cloning(what.victim, what.network, "long");
}

/// Trains a clone of few images as often as one of many.
inline torch::nn::Sequential clone_of(lab& in, const account_experiment& what, const transfer_set& learned,
                                      const scale& size) {
  if (!learned.pixels.defined() || learned.pixels.size(0) == 0) {
    return network_of(what.network, in.data(what.victim, what.seed)->classes);
  }
  schedule how = cloning(in, what);
  const std::int64_t in_epoch = (learned.pixels.size(0) + how.batch - 1) / how.batch;
  how.epochs = std::max(how.epochs, (size.min_steps() + in_epoch - 1) / in_epoch);
  return in.clone(what.network, learned.pixels, learned.answers, how, what.seed);
}

/// A clone by complementary labels: of what was said after the flag, the attacker takes it that each class named is
/// wrong (the loss of Feng et al. 2020, "Learning with multiple complementary labels", for one label).
inline torch::nn::Sequential complementary_clone(const account_experiment& what, const answered_queries& learned,
                                                 std::int64_t classes, const schedule& how) {
  torch::manual_seed(static_cast<std::uint64_t>(what.seed));
  torch::nn::Sequential clone = network_of(what.network, classes);
  if (!learned.after.pixels.defined()) return clone;
  fit(clone, learned.after.pixels, one_hot_labels(learned.after.answers), how,
      [](const torch::Tensor& logits, const torch::Tensor& wrong) {
        return -(1 - (wrong * logits.softmax(1)).sum(1)).clamp_min(1e-6).log().mean();
      });
  return clone;
}

/// Trains the clone that an attacker is left with, and measures it.
inline void train_clone(lab& in, const account_experiment& what, const monitored_victim& of, const scale& size,
                        account_line& line) {
  answered_queries learned;
  torch::nn::Sequential own_clone{nullptr};
  if (what.attack == "knockoff" && (what.sampling == "random" || what.sampling == "filtered")) {
    learned = answers_of(in, what, of);
    line.sampled = what.accounts;
    line.flagged_share = learned.flagged_share;
  } else {
    watched_attack attack = run_watched(in, what, of, size, what.seed);
    summarise({attack.queries}, line);
    learned.before = std::move(attack.before);
    learned.after = std::move(attack.after);
    own_clone = attack.clone;
  }
  line.answered = learned.before.pixels.defined() ? static_cast<double>(learned.before.pixels.size(0)) : 0;
  const image_set& test = of.target.data->test;
  const auto measure = [&](torch::nn::Sequential clone) {
    line.clone_accuracy = accuracy(logits_of(clone, test.pixels), test.labels);
  };
  if (what.flagged == "uniform_label" && own_clone) return measure(own_clone);
  if (what.attacker == "complementary") {
    return measure(complementary_clone(what, learned, of.target.data->classes, cloning(in, what)));
  }
  transfer_set all = learned.before;
  if (learned.after.pixels.defined()) {
    all = {torch::cat({all.pixels, learned.after.pixels}), torch::cat({all.answers, learned.after.answers})};
  }
  if (what.attacker == "label_only" && line.answered > 0) all.answers = one_hot_labels(all.answers);
  measure(clone_of(in, what, all, size));
}

/// Runs one experiment.
inline account_line run_experiment(lab& in, const account_experiment& what, const scale& size, known_scores& known) {
  const auto start = std::chrono::steady_clock::now();
  const monitored_victim of(in.victim_of(victim_of(what)), what, size, known);
  account_line line{.of = what, .threshold = of.watch.monitor.threshold()};
  const image_set& test = of.target.data->test;
  line.victim_accuracy = accuracy(tensor_of(of.target.parts.model(test.pixels)), test.labels);
  const bool is_drawn = what.attack == "benign" || what.sampling == "random" || what.sampling == "filtered";
  if (what.attacker != "any") {
    train_clone(in, what, of, size, line);
  } else if (is_drawn) {
    detect_drawn(in, what, of, size, line);
  } else {
    std::vector<long> queries;
    double answered = 0;
    for (long run = 0; run < size.attack_runs(); ++run) {
      const watched_attack attack = run_watched(in, what, of, size, 1000 * what.seed + run);
      queries.push_back(attack.queries);
      answered += static_cast<double>(attack.before.pixels.defined() ? attack.before.pixels.size(0) : 0);
    }
    line.answered = answered / static_cast<double>(size.attack_runs());
    summarise(std::move(queries), line);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  line.seconds = std::lround(seconds.count());
  return line;
}

/// The experiments, each once: those first that train no clone. A large victim has one seed. At drift 1.5 there are no
/// clones, and of attackers only those with one account who send random or filtered images, or mix benign ones in.
inline std::vector<account_experiment> every_experiment(bool quick) {
  std::vector<account_experiment> all;
  const std::vector<long> seeds = quick ? std::vector<long>{1} : std::vector<long>{1, 2, 3, 4, 5};
  std::vector<account_experiment> large{{.victim = "fashion_mnist", .network = "resnet18", .query_data = "mnist"},
                                        {.victim = "glyphs", .network = "resnet18", .query_data = "fashion_mnist"}};
  if (quick) large.pop_back();
  for (const long seed : seeds) {
    const auto add = [&](account_experiment what) {
      what.seed = seed;
      all.push_back(what);
    };
    for (const std::string victim : {"mnist", "fashion_mnist"}) {
      const std::string other = victim == "mnist" ? "fashion_mnist" : "mnist";
      for (const double drift : {2.0, 1.5}) {
        add({.victim = victim, .query_data = victim, .attack = "benign", .sampling = "", .drift = drift});
        for (const double share : {1.0, 0.5, 0.25, 0.1, 0.05}) {
          add({.victim = victim, .query_data = other, .ood_share = share, .drift = drift});
        }
        add({.victim = victim, .query_data = other, .sampling = "filtered", .drift = drift});
      }
      add({.victim = victim, .query_data = victim});
      for (const long accounts : {10L, 100L, 1000L}) {
        add({.victim = victim, .query_data = other, .accounts = accounts});
      }
      if (quick) break;
    }
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) add({.sampling = reward});
    for (const char* attack : {"dfme", "maze"}) add({.query_data = "none", .attack = attack, .sampling = ""});
    if (seed > 1) continue;
    for (account_experiment what : large) {
      add(what);
      what.query_data = what.victim;
      add(what);
      what.attack = "benign";
      what.sampling = "";
      add(what);
    }
  }
  for (const long seed : seeds) {
    const auto add = [&](account_experiment what, const std::vector<std::string>& attackers) {
      for (const std::string& attacker : attackers) {
        what.attacker = attacker;
        what.seed = seed;
        all.push_back(what);
      }
    };
    const std::vector<std::string> simple{"label_only", "naive"};
    for (const long accounts : {1L, 10L, 100L, 1000L}) add({.flagged = "refusal", .accounts = accounts}, simple);
    add({.sampling = "filtered", .flagged = "refusal"}, simple);
    add({.sampling = "all", .flagged = "refusal"}, simple);
    for (const char* attack : {"dfme", "maze"}) {
      add({.query_data = "none", .attack = attack, .sampling = "", .flagged = "refusal"}, simple);
    }
    add({.flagged = "random_vertex"}, {"label_only", "naive", "complementary"});
    add({.flagged = "uniform_label"}, {"label_only", "complementary"});
    add({.sampling = "all", .flagged = "uniform_label"}, {"label_only"});
    add({.query_data = "none", .attack = "dfme", .sampling = "", .flagged = "uniform_label"}, {"naive"});
    if (seed > 1) continue;
    for (account_experiment what : large) {
      what.flagged = "refusal";
      for (const long accounts : {1L, 100L}) {
        what.accounts = accounts;
        add(what, simple);
      }
    }
  }
  return all;
}

}  // namespace accounts

#endif
