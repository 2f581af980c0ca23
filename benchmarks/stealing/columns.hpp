// SPDX-License-Identifier: MIT
/// The columns of the file of results, and what a well-formed line holds.
#ifndef CHAFF_BENCHMARKS_STEALING_COLUMNS_HPP
#define CHAFF_BENCHMARKS_STEALING_COLUMNS_HPP

#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

inline const char* const results_header =
    "victim,precision,query_data,attack,sampling,attacker,defense,policy,perturbed,victim_accuracy,"
    "defended_accuracy,l1_test,l1_queries,ece_test,clone_accuracy,seed,queries,seconds";

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

  static const char* header() { return results_header; }
  static std::vector<result_line> all_of(const std::filesystem::path& path);

 private:
  static std::string quoted(const std::string& field) {
    return field.find(',') == std::string::npos ? field : '"' + field + '"';
  }
};

/// The fields of a line of CSV; one that is quoted may hold commas.
inline std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// Throws std::runtime_error, with the line, where a field is missing or has a value that it cannot have. A defense
/// that keeps the label loses no accuracy.
inline result_line parsed(const std::string& line) {
  const std::vector<std::string> fields = fields_of(line);
  const auto need = [&](bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("not well formed, ") + what + ": " + line);
  };
  need(fields.size() == 18, "18 fields");
  const auto number = [&](std::size_t i, double low, double high) {
    double value = 0;
    const char* end = fields[i].data() + fields[i].size();
    const auto [at, error] = std::from_chars(fields[i].data(), end, value);
    need(error == std::errc() && at == end && value >= low && value <= high, "a number out of range");
    return value;
  };
  const auto count = [&](std::size_t i, double low) { return std::lround(number(i, low, 1e12)); };
  const auto one_of = [&](std::size_t i, const std::set<std::string>& allowed) {
    need(allowed.contains(fields[i]), fields[i].c_str());
    return fields[i];
  };
  const result_line read{.victim = one_of(0, {"mnist", "fashion_mnist", "glyphs"}),
                         .precision = one_of(1, {"float32", "int8_ptq", "int8_qat"}),
                         .query_data = one_of(2, {"mnist", "fashion_mnist", "glyphs", "none"}),
                         .attack = one_of(3, {"knockoff", "dfme", "maze"}),
                         .sampling = one_of(4, {"random", "certainty", "diversity", "loss", "all", ""}),
                         .attacker = one_of(5, {"naive", "label_only", "d_dae", "partial_bayes", "query_averaging"}),
                         .defense = fields[6],
                         .policy = one_of(7, {"", "keep_label=false"}),
                         .perturbed = fields[8],
                         .victim_accuracy = number(9, 0, 1),
                         .defended_accuracy = number(10, 0, 1),
                         .l1_test = number(11, 0, 2.0001),
                         .l1_queries = number(12, 0, 2.0001),
                         .ece_test = number(13, 0, 1),
                         .clone_accuracy = number(14, 0, 1),
                         .seed = count(15, 0),
                         .queries = count(16, 1),
                         .seconds = count(17, 0)};
  need(!read.defense.empty(), "a defense");
  if (!read.perturbed.empty()) number(8, 0, 1);
  need(!read.policy.empty() || read.defended_accuracy == read.victim_accuracy, "a kept label that loses accuracy");
  return read;
}

/// All lines of a file. Throws std::runtime_error where it is missing, where a line is not well formed, and where an
/// attack run is there twice.
inline std::vector<result_line> results_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != results_header) {
    throw std::runtime_error(path.string() + " holds no results");
  }
  std::vector<result_line> all;
  std::set<std::string> known;
  while (std::getline(file, line)) {
    all.push_back(parsed(line));
    if (!known.insert(all.back().name()).second) throw std::runtime_error("there twice: " + line);
  }
  return all;
}

inline std::vector<result_line> result_line::all_of(const std::filesystem::path& path) {
  return results_of(path);
}

#endif
