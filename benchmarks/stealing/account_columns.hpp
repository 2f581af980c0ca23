// SPDX-License-Identifier: MIT
/// The columns of the results about accounts, and what a well-formed line holds.
#ifndef CHAFF_BENCHMARKS_STEALING_ACCOUNT_COLUMNS_HPP
#define CHAFF_BENCHMARKS_STEALING_ACCOUNT_COLUMNS_HPP

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "csv.hpp"

/// One experiment with accounts, before it is carried out.
struct account_experiment {
  std::string victim = "mnist";              ///< the data set that it was trained on
  std::string network = "lenet";             ///< of the victim and of the clone: lenet or resnet18
  std::string query_data = "fashion_mnist";  ///< the data set of the queries; none where a generator draws them
  std::string attack = "knockoff";           ///< knockoff, dfme, maze; benign for accounts of benign users
  std::string sampling = "random";  ///< how knockoff chooses images: random, filtered by a shadow model, a reward
  std::string attacker = "any";     ///< of a clone: naive, label_only, complementary; any where no clone is trained
  std::string flagged = "none";     ///< what flagged accounts get: refusal, random_vertex, uniform_label
  long accounts = 1;                ///< accounts that share the queries
  double ood_share = 1;             ///< the share of OOD queries; the others are images of the victim's kind
  double drift = 2;                 ///< of the monitor
  long seed = 1;                    ///< of the victim, of the division of its data, of the accounts and of the clone

  /// All that names the row.
  std::string name() const {
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, ",%ld,%g,%g,%ld", accounts, ood_share, drift, seed);
    return victim + ',' + network + ',' + query_data + ',' + attack + ',' + sampling + ',' + attacker + ',' + flagged +
           numbers;
  }
};

/// One line of the results: an experiment and its figures. Those that do not exist are empty in the file.
struct account_line {
  account_experiment of;
  double threshold = 0;
  long sampled = 0;                 ///< accounts that were simulated
  double flagged_share = 0;         ///< of these
  std::optional<long> median = {};  ///< queries until half of them are flagged, the flagging one included
  std::optional<long> percent_95 = {};
  double answered = 0;         ///< queries that one attacker has answered before all accounts are flagged
  double victim_accuracy = 0;  ///< of an account that is not flagged, on test images
  std::optional<double> clone_accuracy = {};  ///< on test images
  long seconds = 0;
  std::string commit = {};  ///< of the project, by which the row was made

  static const char* header() {
    return "victim,network,query_data,attack,sampling,attacker,flagged,accounts,ood_share,drift,seed,threshold,sampled,"
           "flagged_share,queries_median,queries_95,answered,victim_accuracy,clone_accuracy,seconds,commit";
  }
  std::string name() const { return of.name(); }

  /// The line, as it stands in the file.
  std::string text() const {
    const auto count = [](const std::optional<long>& value) { return value ? std::to_string(*value) : ""; };
    char figures[96], accuracies[64];
    std::snprintf(figures, sizeof figures, ",%.4f,%ld,%.4f,", threshold, sampled, flagged_share);
    std::snprintf(accuracies, sizeof accuracies, ",%.1f,%.4f,", answered, victim_accuracy);
    std::string line = name() + figures + count(median) + ',' + count(percent_95) + accuracies;
    if (clone_accuracy) {
      std::snprintf(figures, sizeof figures, "%.4f", *clone_accuracy);
      line += figures;
    }
    return line + ',' + std::to_string(seconds) + ',' + commit;
  }

  /// Throws std::runtime_error, with the line, where a field has a value that it cannot have.
  static account_line parsed(const std::string& line) {
    const checked_line fields(line, 21);
    account_line read;
    read.of = {.victim = fields.one_of(0, {"mnist", "fashion_mnist", "glyphs"}),
               .network = fields.one_of(1, {"lenet", "resnet18"}),
               .query_data = fields.one_of(2, {"mnist", "fashion_mnist", "glyphs", "none"}),
               .attack = fields.one_of(3, {"benign", "knockoff", "dfme", "maze"}),
               .sampling = fields.one_of(4, {"", "random", "filtered", "certainty", "diversity", "loss", "all"}),
               .attacker = fields.one_of(5, {"any", "naive", "label_only", "complementary"}),
               .flagged = fields.one_of(6, {"none", "refusal", "random_vertex", "uniform_label"}),
               .accounts = fields.count(7, 1),
               .ood_share = fields.number(8, 0, 1),
               .drift = fields.number(9, 1.01, 20),
               .seed = fields.count(10, 0)};
    read.threshold = fields.number(11, 0, 1e6);
    read.sampled = fields.count(12, 1);
    read.flagged_share = fields.number(13, 0, 1);
    if (!fields[14].empty()) read.median = fields.count(14, 1);
    if (!fields[15].empty()) read.percent_95 = fields.count(15, 1);
    read.answered = fields.number(16, 0, 1e12);
    read.victim_accuracy = fields.number(17, 0, 1);
    if (!fields[18].empty()) read.clone_accuracy = fields.number(18, 0, 1);
    read.seconds = fields.count(19, 0);
    read.commit = fields[20];
    fields.need(!read.commit.empty(), "the commit by which it was made");
    fields.need(read.clone_accuracy.has_value() == (read.of.attacker != "any"),
                "a clone for an attacker, and only there");
    return read;
  }
};

/// The lines of an experiment with any seed.
inline std::vector<const account_line*> seeds_of(const std::vector<account_line>& lines, account_experiment wanted) {
  std::vector<const account_line*> found;
  for (const account_line& line : lines) {
    wanted.seed = line.of.seed;
    if (line.name() == wanted.name()) found.push_back(&line);
  }
  return found;
}

#endif
