// SPDX-License-Identifier: MIT
/// Which attack runs there are, in the order in which they are run.
#ifndef CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP
#define CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP

#include <set>
#include <string>
#include <vector>

#include "columns.hpp"
#include "defenses.hpp"

/// One row of the results, before it is run. See result_line for the values of the first six.
struct attack_run {
  std::string victim = "mnist";
  std::string precision = "float32";
  std::string query_data = "fashion_mnist";
  std::string attack = "knockoff";
  std::string sampling = "random";
  std::string attacker = "naive";
  setting defense = settings::none();
  std::int64_t seed = 1;
};

/// The line of results that the run fills with figures.
inline result_line result_line_of(const attack_run& run) {
  result_line line{};
  line.victim = run.victim;
  line.precision = run.precision;
  line.query_data = run.query_data;
  line.attack = run.attack;
  line.sampling = run.sampling;
  line.attacker = run.attacker;
  line.defense = run.defense.defense;
  line.policy = run.defense.policy;
  line.perturbed = run.defense.perturbed;
  line.seed = run.seed;
  return line;
}

/// Defenses that the project's README shows, against attackers who do not know them.
inline std::vector<setting> readme_settings() {
  using namespace settings;
  using chaff::odds;
  return {none(),
          label_only(),
          dcp(odds::clamped, 0.9, 0.2),
          dcp(odds::clamped, 1.2, 0.2),
          dcp(odds::exact, 1.2, 0.2),
          dcp(odds::clamped, 1.2, 0.2, false),
          misdirect(0.005, true),
          misdirect(0.01, true)};
}

/// Defenses that adaptive attackers know: at the strengths that have three seeds, or at every one.
inline std::vector<setting> settings_known_to_attackers(bool every_strength) {
  using namespace settings;
  using chaff::odds;
  std::vector<setting> all{none(),
                           dcp(odds::clamped, 1.2, 0.2),
                           dcp(odds::exact, 1.2, 0.2),
                           dcp(odds::exact, 1.5, 0.2),
                           dcp_rounded(1.2),
                           dcp_rounded(1.2, 1),
                           settings::energy_dcp(0.01),
                           settings::energy_dcp(0.05),
                           settings::reverse_sigmoid(0.9, 0.2),
                           settings::adaptive_misinformation(0.9),
                           settings::adaptive_misinformation(0.99),
                           settings::random_vertex(1.0),
                           misdirect(0.01, true)};
  if (!every_strength) return all;
  for (const double beta : {0.9, 1.5}) {
    all.push_back(dcp(odds::clamped, beta, 0.2));
    all.push_back(dcp_rounded(beta));
  }
  all.push_back(dcp(odds::exact, 0.9, 0.2));
  for (const double beta : {0.3, 0.6}) all.push_back(settings::reverse_sigmoid(beta, 0.2));
  all.push_back(settings::adaptive_misinformation(0.5));
  for (const double perturbed : {0.005, 0.05}) all.push_back(misdirect(perturbed, true));
  for (const double perturbed : {0.005, 0.01, 0.05}) all.push_back(misdirect(perturbed, false));
  return all;
}

/// The other defenses, at one strength each, with three seeds.
inline std::vector<setting> other_settings() {
  using namespace settings;
  return {settings::random_vertex(1.0),
          settings::mad(1.0, false),
          settings::mad(1.0, true),
          settings::gradient_redirection(1.0),
          misdirect(0.01, false),
          settings::top_k(1),
          settings::top_k(3)};
}

/// The rows, each once; those with three seeds first.
inline std::vector<attack_run> every_attack_run(bool quick) {
  using chaff::odds;
  std::vector<attack_run> all;
  std::set<std::string> names;
  const auto add = [&](const attack_run& run) {
    if (names.insert(result_line_of(run).name()).second) all.push_back(run);
  };
  struct scene {
    const char *victim, *query_data;
  };
  const std::vector<scene> scenes{{"mnist", "fashion_mnist"}, {"fashion_mnist", "fashion_mnist"}, {"glyphs", "glyphs"}};
  const std::vector<scene> mnist{scenes[0]}, first_two{scenes[0], scenes[1]}, many_classes{scenes[2]};
  const std::vector<std::string> naive{"naive"}, not_adaptive{"naive", "label_only"},
      adaptive_attackers{"d_dae", "partial_bayes", "query_averaging"},
      every_attacker{"naive", "label_only", "d_dae", "partial_bayes", "query_averaging"};
  const auto knockoffs = [&](std::int64_t seed, const std::vector<setting>& defenses,
                             const std::vector<std::string>& attackers, const std::vector<scene>& victims) {
    for (const scene& where : victims) {
      for (const setting& defense : defenses) {
        for (const std::string& attacker : attackers) {
          add({.victim = where.victim,
               .query_data = where.query_data,
               .attacker = attacker,
               .defense = defense,
               .seed = seed});
        }
      }
    }
  };
  const auto data_free = [&](std::int64_t seed, const std::vector<setting>& defenses) {
    for (const char* attack : {"dfme", "maze"}) {
      for (const setting& defense : defenses) {
        add({.query_data = "none", .attack = attack, .sampling = "", .defense = defense, .seed = seed});
      }
    }
  };
  const auto quantised = [&](std::int64_t seed) {
    for (const char* precision : {"int8_ptq", "int8_qat"}) {
      for (const setting& defense : {settings::int8_none(), settings::int8_dcp(0.9f), settings::int8_dcp(1.2f)}) {
        for (const char* attacker : {"naive", "label_only", "d_dae", "partial_bayes"}) {
          add({.precision = precision, .attacker = attacker, .defense = defense, .seed = seed});
        }
      }
    }
  };
  const auto adaptive_sampling = [&](std::int64_t seed) {
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) {
      for (const setting& defense : {settings::none(), settings::dcp(odds::clamped, 1.2, 0.2)}) {
        add({.sampling = reward, .defense = defense, .seed = seed});
      }
    }
  };
  if (quick) {
    knockoffs(1, every_setting(), naive, mnist);
    for (const setting& defense : {settings::dcp(odds::clamped, 1.2, 0.2), settings::adaptive_misinformation(0.9)}) {
      knockoffs(1, {defense}, every_attacker, mnist);
    }
    add({.victim = "fashion_mnist", .query_data = "mnist"});
    add({.victim = "glyphs", .query_data = "glyphs", .defense = settings::misdirect(0.01, false)});
    adaptive_sampling(1);
    quantised(1);
    data_free(1, {settings::none(), settings::dcp(odds::clamped, 1.2, 0.2)});
    return all;
  }
  const std::initializer_list<std::int64_t> seeds{1, 2, 3};
  for (const std::int64_t seed : seeds) knockoffs(seed, readme_settings(), not_adaptive, first_two);
  for (const std::int64_t seed : seeds) quantised(seed);
  for (const std::int64_t seed : seeds) knockoffs(seed, settings_known_to_attackers(false), every_attacker, mnist);
  for (const std::int64_t seed : seeds) knockoffs(seed, readme_settings(), not_adaptive, many_classes);
  for (const std::int64_t seed : seeds) {
    data_free(seed, {settings::none(), settings::dcp(odds::clamped, 0.9, 0.2), settings::dcp(odds::clamped, 1.2, 0.2),
                     settings::dcp(odds::exact, 0.9, 0.2), settings::dcp(odds::exact, 1.2, 0.2)});
  }
  for (const std::int64_t seed : seeds)
    knockoffs(seed, settings_known_to_attackers(false), every_attacker, {scenes[1]});
  for (const std::int64_t seed : seeds) knockoffs(seed, other_settings(), naive, first_two);
  for (const std::int64_t seed : seeds) adaptive_sampling(seed);
  for (const std::int64_t seed : seeds) knockoffs(seed, readme_settings(), naive, {{"fashion_mnist", "mnist"}});
  knockoffs(1, every_setting(), naive, scenes);
  knockoffs(1, settings_known_to_attackers(true), adaptive_attackers, first_two);
  knockoffs(1, settings_known_to_attackers(true), {"label_only"}, first_two);
  return all;
}

#endif
