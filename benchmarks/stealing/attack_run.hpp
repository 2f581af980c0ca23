// SPDX-License-Identifier: MIT
/// Which attack runs there are, in the order in which they are run.
#ifndef CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP
#define CHAFF_BENCHMARKS_STEALING_ATTACK_RUN_HPP

#include <set>
#include <string>
#include <vector>

#include "columns.hpp"
#include "defenses.hpp"
#include "scenes.hpp"

/// One row of the results, before it is run. See result_line for the values of the texts.
struct attack_run {
  std::string victim = "mnist";
  std::string network = "lenet";
  std::string precision = "float32";
  std::string query_data = "fashion_mnist";
  std::string attack = "knockoff";
  std::string sampling = "random";
  std::string attacker = "naive";
  std::string training = "long";
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

/// Attack runs in order, each once.
class plan {
 public:
  void add(const attack_run& run) {
    if (names_.insert(result_line_of(run).name()).second) runs_.push_back(run);
  }

  /// KnockoffNets, by all attackers of each defense.
  void knockoffs(attack_run run, const scene& of, const std::vector<setting>& defenses) {
    run.victim = of.victim;
    run.query_data = of.query_data;
    for (const setting& defense : defenses) {
      run.defense = defense;
      for (const std::string& attacker : attackers_of(defense)) {
        run.attacker = attacker;
        add(run);
      }
    }
  }

  /// KnockoffNets, by the naive attacker and by partial Bayes, or by labels where nothing is to be recovered.
  void without_d_dae(attack_run run, const scene& of, const std::vector<setting>& defenses) {
    run.victim = of.victim;
    run.query_data = of.query_data;
    for (const setting& defense : defenses) {
      for (const char* attacker : {"naive", defense.is_none() ? "label_only" : "partial_bayes"}) {
        run.defense = defense;
        run.attacker = attacker;
        add(run);
      }
    }
  }

  void data_free(attack_run run, const std::vector<setting>& defenses) {
    run.query_data = "none";
    run.sampling = "";
    for (const char* attack : {"dfme", "maze"}) {
      for (const setting& defense : defenses) {
        run.attack = attack;
        run.defense = defense;
        add(run);
      }
    }
  }

  void adaptive_sampling(attack_run run) {
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) {
      for (const setting& defense : {settings::none(), settings::dcp(chaff::odds::clamped, 1.2, 0.2)}) {
        run.sampling = reward;
        run.defense = defense;
        add(run);
      }
    }
  }

  const std::vector<attack_run>& runs() const { return runs_; }

 private:
  std::vector<attack_run> runs_;
  std::set<std::string> names_;
};

/// The attack runs, each once: those first by which a reader chooses a defense.
inline std::vector<attack_run> every_attack_run(bool quick) {
  using chaff::odds;
  plan all;
  if (quick) {
    const attack_run once{.training = "short"};
    for (const setting& defense : every_setting()) all.add({.training = "short", .defense = defense});
    all.knockoffs(once, mnist_scene, {settings::none(), settings::random_vertex(1.0), settings::misdirect(0.01, true)});
    all.knockoffs({.training = "long"}, mnist_scene, {settings::none(), settings::adaptive_misinformation(0.9)});
    all.knockoffs({.training = "rotations"}, mnist_scene, {settings::none()});
    all.knockoffs({.training = "short", .seed = 2}, mnist_scene, {settings::none()});
    for (const scene& of : {fashion_scene, glyphs_scene}) all.knockoffs(once, of, {settings::none()});
    for (const char* precision : {"int8_ptq", "int8_qat"}) {
      all.knockoffs({.precision = precision, .training = "short"}, mnist_scene, int8_settings());
    }
    all.adaptive_sampling(once);
    all.data_free(once, {settings::none(), settings::dcp(odds::clamped, 1.2, 0.2)});
    all.add({.victim = "fashion_mnist",
             .network = "resnet18",
             .precision = "int8_ptq",
             .query_data = "fashion_mnist",
             .defense = settings::int8_dcp(1.2f)});
    return all.runs();
  }
  const auto for_each_seed = [](const auto& part) {
    for (const std::int64_t seed : {1, 2, 3, 4, 5}) part(attack_run{.seed = seed});
  };
  for_each_seed([&](const attack_run& run) {
    for (const scene& of : scenes) all.knockoffs(run, of, pictured_settings());
  });
  for_each_seed([&](const attack_run& run) {
    all.knockoffs(run, mnist_scene, {settings::label_only()});
    all.knockoffs(run, mnist_scene, recorded_settings());
    for (const scene& of : scenes) all.knockoffs(run, of, {settings::dcp(odds::exact, 1.2, 0.2)});
  });
  for_each_seed([&](attack_run run) {
    run.precision = "int8_ptq";
    all.without_d_dae(run, mnist_scene, int8_settings());
    for (const setting& defense : settings_of_dcp_paper()) {
      run.defense = defense;
      all.add(run);
    }
  });
  for_each_seed([&](attack_run run) {
    for (const char* recipe : {"short", "augmented", "rotations"}) {
      run.training = recipe;
      for (const scene& of : {mnist_scene, fashion_scene}) all.knockoffs(run, of, {settings::none()});
    }
  });
  for_each_seed([&](const attack_run& run) { all.adaptive_sampling(run); });
  for_each_seed([&](const attack_run& run) {
    all.data_free(run, {settings::none(), settings::dcp(odds::exact, 1.2, 0.2)});
  });
  for_each_seed([&](const attack_run& run) { all.data_free(run, {settings::dcp(odds::clamped, 0.9, 0.2)}); });
  all.data_free({}, {settings::dcp(odds::exact, 1.5, 0.2), settings::modelguard_w(1.0)});
  all.data_free({}, settings_of_dcp_paper());
  for (const scene& of : {fashion_scene, glyphs_scene}) {
    all.without_d_dae({.network = "resnet18"}, of, large_settings());
    all.without_d_dae({.network = "resnet18", .precision = "int8_ptq"}, of, int8_settings());
  }
  return all.runs();
}

/// What a row takes, in seconds, in one of two processes on two idle cores: what those that are recorded took.
inline double expected_seconds(const attack_run& run) {
  if (run.attack != "knockoff") return run.attack == "dfme" ? 160 : 100;
  if (run.network == "resnet18") return 165;
  if (run.training == "rotations") return run.victim == "mnist" ? 48 : 31;
  const double clone = run.victim == "mnist" ? 18 : 13;
  if (run.attacker == "d_dae") return clone + (run.victim == "glyphs" ? 57 : 12);
  if (run.attacker == "partial_bayes") return clone + (run.victim == "glyphs" ? 20 : 10);
  return clone;
}

#endif
