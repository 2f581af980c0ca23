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
  std::string precision;     ///< float32, int8_ptq or int8_qat
  std::string query_data;    ///< the data set of the attacker's images; none where they have no images
  std::string attack;        ///< knockoff, dfme or maze
  std::string sampling;      ///< of knockoff, how images are chosen: random, certainty, diversity, loss or all
  std::string attacker;      ///< naive, label_only, d_dae, partial_bayes or query_averaging
  std::string defense;       ///< in the syntax of chaff::parse_defense; keys, calibrated taus and models are left out
  std::string policy;        ///< in the syntax of chaff::parse_policy
  std::string perturbed;     ///< the fraction of held-out benign rows below the gate's tau, where that sets tau
  double victim_accuracy;    ///< of the victim, on test images
  double defended_accuracy;  ///< of its responses
  double l1_test;            ///< mean L1 between responses and posteriors, over test images
  double l1_queries;         ///< mean L1 between responses and posteriors, over the attacker's queries
  double ece_test;           ///< expected calibration error of the responses to test images
  double clone_accuracy;     ///< on test images
  long seed, queries;
  long seconds;  ///< wall time of the run

  /// The line, as it stands in the file.
  std::string text() const {
    char figures[160];
    std::snprintf(figures, sizeof figures, ",%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%ld,%ld,%ld", victim_accuracy,
                  defended_accuracy, l1_test, l1_queries, ece_test, clone_accuracy, seed, queries, seconds);
    return configuration() + figures;
  }

  /// All that identifies the attack run, but for the seed.
  std::string configuration() const {
    return victim + ',' + precision + ',' + query_data + ',' + attack + ',' + sampling + ',' + attacker + ',' +
           quoted(defense) + ',' + quoted(policy) + ',' + perturbed;
  }

  /// All that identifies the attack run.
  std::string name() const { return configuration() + ',' + std::to_string(seed); }

  static const char* header() {
    return "victim,precision,query_data,attack,sampling,attacker,defense,policy,perturbed,victim_accuracy,"
           "defended_accuracy,l1_test,l1_queries,ece_test,clone_accuracy,seed,queries,seconds";
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
  const checked_line fields(line, 18);
  const result_line read{
      .victim = fields.one_of(0, {"mnist", "fashion_mnist", "glyphs"}),
      .precision = fields.one_of(1, {"float32", "int8_ptq", "int8_qat"}),
      .query_data = fields.one_of(2, {"mnist", "fashion_mnist", "glyphs", "none"}),
      .attack = fields.one_of(3, {"knockoff", "dfme", "maze"}),
      .sampling = fields.one_of(4, {"random", "certainty", "diversity", "loss", "all", ""}),
      .attacker = fields.one_of(5, {"naive", "label_only", "d_dae", "partial_bayes", "query_averaging"}),
      .defense = fields[6],
      .policy = fields.one_of(7, {"", "keep_label=false"}),
      .perturbed = fields[8],
      .victim_accuracy = fields.number(9, 0, 1),
      .defended_accuracy = fields.number(10, 0, 1),
      .l1_test = fields.number(11, 0, 2.0001),
      .l1_queries = fields.number(12, 0, 2.0001),
      .ece_test = fields.number(13, 0, 1),
      .clone_accuracy = fields.number(14, 0, 1),
      .seed = fields.count(15, 0),
      .queries = fields.count(16, 1),
      .seconds = fields.count(17, 0)};
  fields.need(!read.defense.empty(), "a defense");
  if (!read.perturbed.empty()) fields.number(8, 0, 1);
  fields.need(!read.policy.empty() || read.defended_accuracy == read.victim_accuracy,
              "a kept label that loses accuracy");
  return read;
}

#endif
