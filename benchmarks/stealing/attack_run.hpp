// SPDX-License-Identifier: MIT
/// Which thefts there are to try, in the order in which they are tried.
#ifndef CHAFF_BENCHMARKS_STEALING_THEFT_HPP
#define CHAFF_BENCHMARKS_STEALING_THEFT_HPP

#include <set>
#include <string>
#include <vector>

#include "columns.hpp"
#include "defenses.hpp"

/// One row of the results, before it is tried.
struct theft {
  std::string victim = "mnist";           ///< the data set that it was trained on
  std::string precision = "float32";      ///< float32, int8_ptq or int8_qat
  std::string queries = "fashion_mnist";  ///< the data set that the thief's images are of; none where he has none
  std::string attack = "knockoff";        ///< knockoff, dfme or maze
  std::string variant = "random";         ///< knockoff: how images are chosen, random or a reward
  std::string thief = "naive";            ///< naive, label_only, restoring_network, restoring_table, averaging
  setting defense = settings::none();
  std::int64_t seed = 1;
};

/// The line of results that it will be, without figures.
inline result_line named(const theft& one) {
  const bool quantised = one.precision != "float32", restoring = one.thief.starts_with("restoring_");
  result_line line{};
  line.victim = one.victim;
  line.precision = quantised ? "int8" : one.precision;
  line.queries = one.queries;
  line.attack = one.attack;
  line.variant = quantised ? one.precision.substr(5) : one.variant;
  line.thief = restoring ? "restoring" : one.thief;
  line.restored_by = restoring ? one.thief.substr(10) : "";
  line.defense = one.defense.name;
  line.parameters = one.defense.parameters;
  line.label_kept = one.defense.label_kept;
  line.seed = one.seed;
  return line;
}

/// Defenses that the project's README shows, robbed by those who do not know of them.
inline std::vector<setting> quoted_settings() {
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

/// Defenses whose thieves know them: at the strengths that three seeds try, or at every one.
inline std::vector<setting> known_settings(bool every_strength) {
  using namespace settings;
  using chaff::odds;
  std::vector<setting> all{none(),
                           dcp(odds::clamped, 1.2, 0.2),
                           dcp(odds::exact, 1.2, 0.2),
                           dcp(odds::exact, 1.5, 0.2),
                           dcp_rounded(1.2, 0.2),
                           dcp_rounded(1.2, 0.2, 1),
                           dcp_energy(0.01),
                           dcp_energy(0.05),
                           settings::reverse_sigmoid(0.9, 0.2),
                           settings::adaptive_misinformation(0.9),
                           settings::adaptive_misinformation(0.99),
                           settings::random(1.0),
                           misdirect(0.01, true)};
  if (!every_strength) return all;
  for (const double beta : {0.9, 1.5}) {
    all.push_back(dcp(odds::clamped, beta, 0.2));
    all.push_back(dcp_rounded(beta, 0.2));
  }
  all.push_back(dcp(odds::exact, 0.9, 0.2));
  for (const double beta : {0.3, 0.6}) all.push_back(settings::reverse_sigmoid(beta, 0.2));
  all.push_back(settings::adaptive_misinformation(0.5));
  for (const double share : {0.005, 0.05}) all.push_back(misdirect(share, true));
  for (const double share : {0.005, 0.01, 0.05}) all.push_back(misdirect(share, false));
  return all;
}

/// The other defenses, at one strength each, which three seeds try.
inline std::vector<setting> other_settings() {
  using namespace settings;
  return {
      settings::random(1.0),  settings::mad(1.0, false), settings::mad(1.0, true), settings::gradient_redirection(1.0),
      misdirect(0.01, false), settings::top_k(1),        settings::top_k(3)};
}

/// The rows, each once; those first that three seeds try.
inline std::vector<theft> every_theft(bool quick) {
  using chaff::odds;
  std::vector<theft> all;
  std::set<std::string> names;
  const auto add = [&](const theft& one) {
    if (names.insert(named(one).name()).second) all.push_back(one);
  };
  struct scene {
    const char *victim, *queries;
  };
  const std::vector<scene> scenes{{"mnist", "fashion_mnist"}, {"fashion_mnist", "fashion_mnist"}, {"glyphs", "glyphs"}};
  const std::vector<scene> mnist{scenes[0]}, first_two{scenes[0], scenes[1]}, many_classes{scenes[2]};
  const std::vector<std::string> naive{"naive"}, unknowing{"naive", "label_only"},
      knowing{"restoring_network", "restoring_table", "averaging"},
      every_thief{"naive", "label_only", "restoring_network", "restoring_table", "averaging"};
  const auto knockoffs = [&](std::int64_t seed, const std::vector<setting>& used,
                             const std::vector<std::string>& thieves, const std::vector<scene>& victims) {
    for (const scene& where : victims) {
      for (const setting& defense : used) {
        for (const std::string& thief : thieves) {
          add({.victim = where.victim, .queries = where.queries, .thief = thief, .defense = defense, .seed = seed});
        }
      }
    }
  };
  const auto data_free = [&](std::int64_t seed, const std::vector<setting>& used) {
    for (const char* attack : {"dfme", "maze"}) {
      for (const setting& defense : used) {
        add({.queries = "none", .attack = attack, .variant = "", .defense = defense, .seed = seed});
      }
    }
  };
  const auto quantised = [&](std::int64_t seed) {
    for (const char* precision : {"int8_ptq", "int8_qat"}) {
      for (const setting& defense : {settings::int8_none(), settings::int8_dcp(0.9f), settings::int8_dcp(1.2f)}) {
        for (const char* thief : {"naive", "label_only", "restoring_network", "restoring_table"}) {
          add({.precision = precision, .thief = thief, .defense = defense, .seed = seed});
        }
      }
    }
  };
  const auto adaptive = [&](std::int64_t seed) {
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) {
      for (const setting& defense : {settings::none(), settings::dcp(odds::clamped, 1.2, 0.2)}) {
        add({.variant = reward, .defense = defense, .seed = seed});
      }
    }
  };
  if (quick) {
    knockoffs(1, every_setting(), naive, mnist);
    for (const setting& defense : {settings::dcp(odds::clamped, 1.2, 0.2), settings::adaptive_misinformation(0.9)}) {
      knockoffs(1, {defense}, every_thief, mnist);
    }
    add({.victim = "fashion_mnist", .queries = "mnist"});
    add({.victim = "glyphs", .queries = "glyphs", .defense = settings::misdirect(0.01, false)});
    adaptive(1);
    quantised(1);
    data_free(1, {settings::none(), settings::dcp(odds::clamped, 1.2, 0.2)});
    return all;
  }
  const std::initializer_list<std::int64_t> seeds{1, 2, 3};
  for (const std::int64_t seed : seeds) knockoffs(seed, quoted_settings(), unknowing, first_two);
  for (const std::int64_t seed : seeds) quantised(seed);
  for (const std::int64_t seed : seeds) knockoffs(seed, known_settings(false), every_thief, mnist);
  for (const std::int64_t seed : seeds) knockoffs(seed, quoted_settings(), unknowing, many_classes);
  for (const std::int64_t seed : seeds) {
    data_free(seed, {settings::none(), settings::dcp(odds::clamped, 0.9, 0.2), settings::dcp(odds::clamped, 1.2, 0.2),
                     settings::dcp(odds::exact, 0.9, 0.2), settings::dcp(odds::exact, 1.2, 0.2)});
  }
  for (const std::int64_t seed : seeds) knockoffs(seed, known_settings(false), every_thief, {scenes[1]});
  for (const std::int64_t seed : seeds) knockoffs(seed, other_settings(), naive, first_two);
  for (const std::int64_t seed : seeds) adaptive(seed);
  for (const std::int64_t seed : seeds) knockoffs(seed, quoted_settings(), naive, {{"fashion_mnist", "mnist"}});
  knockoffs(1, every_setting(), naive, scenes);
  knockoffs(1, known_settings(true), knowing, first_two);
  knockoffs(1, known_settings(true), {"label_only"}, first_two);
  return all;
}

#endif
