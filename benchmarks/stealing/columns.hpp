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
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

inline const char* const results_header =
    "victim,precision,queries,attack,variant,thief,restored_by,defense,parameters,label_kept,victim_accuracy,"
    "defended_accuracy,l1_test,l1_queries,ece_test,clone_accuracy,seed,queries_spent,seconds";

/// One line of the results. variant: of knockoff how images are chosen (random, certainty, diversity, loss, all) or, of
/// an int8 victim, how it was quantised (ptq, qat). restored_by: of the restoring thief, network or table.
struct result_line {
  std::string victim, precision, queries, attack, variant, thief, restored_by, defense, parameters;
  bool label_kept;
  double victim_accuracy;    ///< the victim's own, on test images
  double defended_accuracy;  ///< its answers'
  double l1_test;            ///< how far they lie from its posteriors, in L1, on the mean over test images
  double l1_queries;         ///< the same over all that the thief asked
  double ece_test;           ///< their expected calibration error on test images
  double clone_accuracy;     ///< on test images
  long seed, queries_spent;
  long seconds;  ///< that it took, by the clock

  /// The line, as it stands in the file.
  std::string text() const {
    char figures[160];
    std::snprintf(figures, sizeof figures, ",%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%ld,%ld,%ld", victim_accuracy,
                  defended_accuracy, l1_test, l1_queries, ece_test, clone_accuracy, seed, queries_spent, seconds);
    return theft() + figures;
  }

  /// All that names the theft, but for the seed.
  std::string theft() const {
    return victim + ',' + precision + ',' + queries + ',' + attack + ',' + variant + ',' + thief + ',' + restored_by +
           ',' + defense + ',' + parameters + ',' + (label_kept ? '1' : '0');
  }

  static const char* header() { return results_header; }
  static std::vector<result_line> all_of(const std::filesystem::path& path);

  /// All that names the row.
  std::string name() const { return theft() + ',' + std::to_string(seed); }
};

/// Raises std::runtime_error, with the line, where one of its values is none that it may have. A label that is kept
/// loses no accuracy.
inline result_line parsed(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream split(line);
  for (std::string field; std::getline(split, field, ',');) fields.push_back(field);
  const auto need = [&](bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("not well formed, ") + what + ": " + line);
  };
  need(fields.size() == 19, "19 fields");
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
                         .precision = one_of(1, {"float32", "int8"}),
                         .queries = one_of(2, {"mnist", "fashion_mnist", "glyphs", "none"}),
                         .attack = one_of(3, {"knockoff", "dfme", "maze"}),
                         .variant = one_of(4, {"random", "certainty", "diversity", "loss", "all", "ptq", "qat", ""}),
                         .thief = one_of(5, {"naive", "label_only", "restoring", "averaging"}),
                         .restored_by = one_of(6, {"network", "table", ""}),
                         .defense = fields[7],
                         .parameters = fields[8],
                         .label_kept = one_of(9, {"0", "1"}) == "1",
                         .victim_accuracy = number(10, 0, 1),
                         .defended_accuracy = number(11, 0, 1),
                         .l1_test = number(12, 0, 2.0001),
                         .l1_queries = number(13, 0, 2.0001),
                         .ece_test = number(14, 0, 1),
                         .clone_accuracy = number(15, 0, 1),
                         .seed = count(16, 0),
                         .queries_spent = count(17, 1),
                         .seconds = count(18, 0)};
  need(!read.defense.empty(), "a defense");
  need((read.thief == "restoring") == !read.restored_by.empty(), "restored_by");
  need(!read.label_kept || read.defended_accuracy == read.victim_accuracy, "a kept label that loses accuracy");
  return read;
}

/// All lines of a file. Raises std::runtime_error where it is missing, where a line is not well formed, and where a
/// theft is there twice.
inline std::vector<result_line> results_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != results_header) {
    throw std::runtime_error(path.string() + " holds no results");
  }
  std::vector<result_line> all;
  std::set<std::string> seen;
  while (std::getline(file, line)) {
    all.push_back(parsed(line));
    if (!seen.insert(all.back().name()).second) throw std::runtime_error("there twice: " + line);
  }
  return all;
}

inline std::vector<result_line> result_line::all_of(const std::filesystem::path& path) {
  return results_of(path);
}

#endif
