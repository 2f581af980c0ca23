// SPDX-License-Identifier: MIT
/// Which attack runs there are, in the order in which they are run.
#ifndef CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP
#define CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP

#include <set>
#include <string>
#include <vector>

#include "columns.hpp"
#include "defenses.hpp"

/// One row of the results, before it is run. See result_line for the values of the texts.
struct attack_run {
  std::string victim = "mnist";
  std::string network = "lenet";
  std::string precision = "float32";
  std::string query_data = "fashion_mnist";
  std::string attack = "knockoff";
  std::string sampling = "random";
  std::string attacker = "naive";
  std::string training = "short";
  setting defense = settings::none();
  std::int64_t seed = 1;  ///< of the victim, of the division of its data, of the attack and of the clone
};

/// The line of results that the run fills with figures.
inline result_line result_line_of(const attack_run& run) {
  result_line line{};
  line.victim = run.victim;
  line.network = run.network;
  line.precision = run.precision;
  line.query_data = run.query_data;
  line.attack = run.attack;
  line.sampling = run.sampling;
  line.attacker = run.attacker;
  line.training = run.training;
  line.defense = run.defense.defense;
  line.policy = run.defense.policy;
  line.perturbed = run.defense.perturbed;
  line.victim_seed = run.seed;
  line.seed = run.seed;
  return line;
}

/// Defenses in the table of the project's README.
inline std::vector<setting> readme_settings() {
  return {settings::none(), settings::label_only(), settings::dcp(chaff::odds::exact, 1.2, 0.2),
          settings::energy_dcp(0.05)};
}

/// Who attacks a defense. Labels are attacked where they are not those of another row, and queries are averaged where
/// the noise can be fresh.
inline std::vector<std::string> attackers_of(const setting& defense) {
  if (defense.is_none()) return {"naive", "label_only"};
  if (defense.defense == settings::label_only().defense) return {"naive"};
  std::vector<std::string> all{"naive", "partial_bayes", "d_dae"};
  if (!defense.keeps_label()) all.push_back("label_only");
  if (defense.defense.starts_with("random_vertex")) all.push_back("query_averaging");
  return all;
}

/// The rows, each once; those first that the project's README quotes.
inline std::vector<attack_run> every_attack_run(bool quick) {
  std::vector<attack_run> all;
  std::set<std::string> names;
  const auto add = [&](const attack_run& run) {
    if (names.insert(result_line_of(run).name()).second) all.push_back(run);
  };
  struct scene {
    const char *victim, *query_data;
  };
  const scene mnist{"mnist", "fashion_mnist"}, fashion{"fashion_mnist", "fashion_mnist"}, glyphs{"glyphs", "glyphs"};
  const auto knockoffs = [&](attack_run run, const scene& where, const std::vector<setting>& defenses) {
    run.victim = where.victim;
    run.query_data = where.query_data;
    for (const setting& defense : defenses) {
      run.defense = defense;
      for (const std::string& attacker : attackers_of(defense)) {
        run.attacker = attacker;
        add(run);
      }
    }
  };
  const auto quantised = [&](attack_run run) {
    for (const char* precision : {"int8_ptq", "int8_qat"}) {
      for (const setting& defense : {settings::int8_none(), settings::int8_dcp(0.9f), settings::int8_dcp(1.2f)}) {
        for (const char* attacker : {"naive", "label_only", "d_dae", "partial_bayes"}) {
          run.precision = precision;
          run.defense = defense;
          run.attacker = attacker;
          add(run);
        }
      }
    }
  };
  const auto data_free = [&](attack_run run, const std::vector<setting>& defenses) {
    run.query_data = "none";
    run.sampling = "";
    for (const char* attack : {"dfme", "maze"}) {
      for (const setting& defense : defenses) {
        run.attack = attack;
        run.defense = defense;
        add(run);
      }
    }
  };
  const auto adaptive_sampling = [&](attack_run run) {
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) {
      for (const setting& defense : {settings::none(), settings::dcp(chaff::odds::clamped, 1.2, 0.2)}) {
        run.sampling = reward;
        run.defense = defense;
        add(run);
      }
    }
  };
  if (quick) {
    const attack_run short_training;
    for (const setting& defense : every_setting()) add({.defense = defense});
    knockoffs(short_training, mnist, {settings::none(), settings::random_vertex(1.0), settings::misdirect(0.01, true)});
    knockoffs({.training = "long"}, mnist, {settings::none(), settings::adaptive_misinformation(0.9)});
    knockoffs({.seed = 2}, mnist, {settings::none()});
    for (const scene& where : {fashion, glyphs}) knockoffs(short_training, where, {settings::none()});
    quantised(short_training);
    adaptive_sampling(short_training);
    data_free(short_training, {settings::none(), settings::dcp(chaff::odds::clamped, 1.2, 0.2)});
    return all;
  }
  const auto for_each_seed = [](const auto& part) {
    for (const std::int64_t seed : {1, 2, 3, 4, 5}) part(attack_run{.training = "long", .seed = seed});
  };
  for_each_seed([&](const attack_run& run) { knockoffs(run, mnist, readme_settings()); });
  for (const scene& where : {mnist, fashion, glyphs}) {
    for_each_seed([&](const attack_run& run) { knockoffs(run, where, recorded_settings()); });
  }
  for_each_seed(quantised);
  for_each_seed([&](const attack_run& run) {
    data_free(run, {settings::none(), settings::dcp(chaff::odds::clamped, 0.9, 0.2),
                    settings::dcp(chaff::odds::exact, 1.2, 0.2)});
  });
  for_each_seed(adaptive_sampling);
  return all;
}

/// What a row may take, in seconds: a guess, until rows of the recipe are recorded. The clones that adaptive attackers
/// train on labels first are there already but for one of each victim.
inline double expected_seconds(const attack_run& run) {
  if (run.attack != "knockoff") return 540;
  const double clone = run.victim == "mnist" ? 85 : 60;
  if (run.attacker == "d_dae") return clone + 60;
  if (run.attacker == "partial_bayes") return clone + 40;
  return clone;
}

#endif
