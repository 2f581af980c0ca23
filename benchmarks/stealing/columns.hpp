// SPDX-License-Identifier: MIT
/// The columns of the file of results, and what a well-formed line holds.
#ifndef CHAFF_BENCHMARKS_STEALING_COLUMNS_HPP
#define CHAFF_BENCHMARKS_STEALING_COLUMNS_HPP

#include <cstdio>
#include <string>

#include "csv.hpp"

/// One line of the results.
struct result_line {
  std::string victim;        ///< the data set that it was trained on: mnist, fashion_mnist or glyphs
  std::string network;       ///< of the victim and of the clone: lenet or resnet18
  std::string precision;     ///< float32, int8_ptq or int8_qat
  std::string query_data;    ///< the data set of the attacker's images; none where they have no images
  std::string attack;        ///< knockoff, dfme or maze
  std::string sampling;      ///< of knockoff, how images are chosen: random, certainty, diversity, loss or all
  std::string attacker;      ///< naive, label_only, d_dae, partial_bayes or query_averaging
  std::string training;      ///< the recipe of knockoff's clones, see sizes::cloning
  std::string defense;       ///< in the syntax of chaff::parse_defense; keys, calibrated taus and models are left out
  std::string policy;        ///< in the syntax of chaff::parse_policy
  std::string perturbed;     ///< the fraction of held-out benign rows below the gate's tau, where that sets tau
  double victim_accuracy;    ///< of the victim, on test images
  double defended_accuracy;  ///< of its responses
  double l1_test;            ///< mean L1 between responses and posteriors, over test images
  double l1_queries;         ///< mean L1 between responses and posteriors, over the attacker's queries
  double ece_test;           ///< expected calibration error of the responses to test images
  double clone_accuracy;     ///< on test images
  long victim_seed;          ///< of the victim's training, and of the images that it has
  long seed;                 ///< of the attack and of the clone
  long queries;
  long seconds;        ///< wall time of the run
  std::string commit;  ///< of the project, by which the row was made

  /// The line, as it stands in the file.
  std::string text() const {
    char figures[160];
    std::snprintf(figures, sizeof figures, ",%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%ld,%ld,%ld,%ld,", victim_accuracy,
                  defended_accuracy, l1_test, l1_queries, ece_test, clone_accuracy, victim_seed, seed, queries,
                  seconds);
    return configuration() + figures + commit;
  }

  /// All that identifies the attack run, but for the seeds.
  std::string configuration() const {
    return victim + ',' + network + ',' + precision + ',' + query_data + ',' + attack + ',' + sampling + ',' +
           attacker + ',' + training + ',' + quoted(defense) + ',' + quoted(policy) + ',' + perturbed;
  }

  /// All that identifies the attack run.
  std::string name() const { return configuration() + ',' + std::to_string(victim_seed) + ',' + std::to_string(seed); }

  static const char* header() {
    return "victim,network,precision,query_data,attack,sampling,attacker,training,defense,policy,perturbed,victim_"
           "accuracy,"
           "defended_accuracy,l1_test,l1_queries,ece_test,clone_accuracy,victim_seed,seed,queries,seconds,commit";
  }

  /// Throws std::runtime_error, with the line, where a field is missing or has a value that it cannot have. A defense
  /// that keeps the label loses no accuracy.
  static result_line parsed(const std::string& line);

 private:
  static std::string quoted(const std::string& field) {
    return field.find(',') == std::string::npos ? field : '"' + field + '"';
  }
};

inline result_line result_line::parsed(const std::string& line) {
  const checked_line fields(line, 22);
  const result_line read{
      .victim = fields.one_of(0, {"mnist", "fashion_mnist", "glyphs"}),
      .network = fields.one_of(1, {"lenet", "resnet18"}),
      .precision = fields.one_of(2, {"float32", "int8_ptq", "int8_qat"}),
      .query_data = fields.one_of(3, {"mnist", "fashion_mnist", "glyphs", "none"}),
      .attack = fields.one_of(4, {"knockoff", "dfme", "maze"}),
      .sampling = fields.one_of(5, {"random", "certainty", "diversity", "loss", "all", ""}),
      .attacker = fields.one_of(6, {"naive", "label_only", "d_dae", "partial_bayes", "query_averaging"}),
      .training = fields.one_of(7, {"short", "long", "augmented", "rotations"}),
      .defense = fields[8],
      .policy = fields.one_of(9, {"", "keep_label=false"}),
      .perturbed = fields[10],
      .victim_accuracy = fields.number(11, 0, 1),
      .defended_accuracy = fields.number(12, 0, 1),
      .l1_test = fields.number(13, 0, 2.0001),
      .l1_queries = fields.number(14, 0, 2.0001),
      .ece_test = fields.number(15, 0, 1),
      .clone_accuracy = fields.number(16, 0, 1),
      .victim_seed = fields.count(17, 0),
      .seed = fields.count(18, 0),
      .queries = fields.count(19, 1),
      .seconds = fields.count(20, 0),
      .commit = fields[21]};
  fields.need(!read.defense.empty(), "a defense");
  fields.need(!read.commit.empty(), "the commit by which it was made");
  if (!read.perturbed.empty()) fields.number(10, 0, 1);
  fields.need(!read.policy.empty() || read.defended_accuracy == read.victim_accuracy,
              "a kept label that loses accuracy");
  return read;
}

#endif
