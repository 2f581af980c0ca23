// SPDX-License-Identifier: MIT
/// Which thefts there are to try, in the order in which they are tried.
#ifndef CHAFF_BENCHMARKS_STEALING_THEFT_HPP
#define CHAFF_BENCHMARKS_STEALING_THEFT_HPP

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

/// The rows. Those of the first seed come first, but for those that the README quotes, which come before all.
inline std::vector<theft> every_theft(bool quick) {
  using chaff::odds;
  std::vector<theft> all;
  const std::vector<std::pair<std::string, std::string>> thefts{
      {"mnist", "fashion_mnist"}, {"fashion_mnist", "fashion_mnist"}, {"glyphs", "glyphs"}};
  const auto add = [&](const theft& one) { all.push_back(one); };
  const auto knockoffs = [&](std::int64_t seed, const std::vector<setting>& used,
                             const std::vector<std::string>& thieves, std::size_t victims) {
    for (std::size_t i = 0; i < victims; ++i) {
      for (const setting& defense : used) {
        for (const std::string& thief : thieves) {
          add({.victim = thefts[i].first,
               .queries = thefts[i].second,
               .thief = thief,
               .defense = defense,
               .seed = seed});
        }
      }
    }
  };
  const std::vector<setting> quoted{settings::none(),
                                    settings::label_only(),
                                    settings::dcp(odds::clamped, 0.9, 0.2),
                                    settings::dcp(odds::clamped, 1.2, 0.2),
                                    settings::dcp(odds::exact, 1.2, 0.2),
                                    settings::dcp(odds::clamped, 1.2, 0.2, false),
                                    settings::misdirect(0.005, true),
                                    settings::misdirect(0.01, true)};
  const std::vector<std::string> knowing{"label_only", "restoring_network", "restoring_table", "averaging"};
  std::vector<setting> known{settings::none()};
  for (const double beta : {0.9, 1.2, 1.5}) {
    known.push_back(settings::dcp(odds::clamped, beta, 0.2));
    known.push_back(settings::dcp(odds::exact, beta, 0.2));
    known.push_back(settings::dcp_rounded(beta, 0.2));
  }
  for (const double beta : {0.3, 0.6, 0.9}) known.push_back(settings::reverse_sigmoid(beta, 0.2));
  for (const double tau : {0.5, 0.9, 0.99}) known.push_back(settings::adaptive_misinformation(tau));
  for (const double share : {0.005, 0.01, 0.05}) {
    known.push_back(settings::misdirect(share, false));
    known.push_back(settings::misdirect(share, true));
  }
  const auto data_free = [&](std::int64_t seed) {
    for (const char* attack : {"dfme", "maze"}) {
      for (const setting& defense :
           {settings::none(), settings::dcp(odds::clamped, 0.9, 0.2), settings::dcp(odds::clamped, 1.2, 0.2),
            settings::dcp(odds::exact, 0.9, 0.2), settings::dcp(odds::exact, 1.2, 0.2)}) {
        if (quick && defense.name == "dcp_exact") continue;
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
  const auto digits_as_queries = [&](std::int64_t seed) {
    for (const setting& defense : quoted) {
      add({.victim = "fashion_mnist", .queries = "mnist", .defense = defense, .seed = seed});
    }
  };
  if (quick) {
    knockoffs(1, every_setting(), {"naive"}, 1);
    knockoffs(1, {settings::dcp(odds::clamped, 1.2, 0.2), settings::adaptive_misinformation(0.9)}, knowing, 1);
    add({.victim = "fashion_mnist", .queries = "mnist"});
    add({.victim = "glyphs", .queries = "glyphs", .defense = settings::misdirect(0.01, false)});
    adaptive(1);
    quantised(1);
    data_free(1);
    return all;
  }
  for (const std::int64_t seed : {1, 2, 3}) {
    knockoffs(seed, quoted, {"naive", "label_only"}, 1);
    knockoffs(seed, quoted, {"naive", "label_only"}, 2);
  }
  for (const std::int64_t seed : {1, 2, 3}) {
    quantised(seed);
    adaptive(seed);
    digits_as_queries(seed);
    knockoffs(seed, known, knowing, 2);
    data_free(seed);
    knockoffs(seed, every_setting(), {"naive"}, 3);
  }
  return all;
}

#endif
