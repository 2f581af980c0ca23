// SPDX-License-Identifier: MIT
/// The tables about accounts: how soon attackers are flagged, and what clones they are left with.
#ifndef CHAFF_BENCHMARKS_STEALING_ACCOUNT_TABLES_HPP
#define CHAFF_BENCHMARKS_STEALING_ACCOUNT_TABLES_HPP

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "account_columns.hpp"
#include "configurations.hpp"
#include "markdown_tables.hpp"

/// A figure of each seed, from the smallest to the largest: "6 to 13"; with the number of seeds where they are few.
inline std::string range_of(const std::vector<double>& values, const char* how, const std::string& unit = "") {
  if (values.empty()) throw std::runtime_error("a range of no values");
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::string from = format(how, *least), to = format(how, *most);
  return (from == to ? from : from + " to " + to) + unit +
         (values.size() < enough_seeds ? " (" + std::to_string(values.size()) + ")" : "");
}

/// A victim and its monitor: a column of the table of detection.
struct monitored_column {
  const char *text, *victim, *network, *other_images;
  double drift;
};
inline constexpr monitored_column monitored_columns[]{
    {"MNIST", "mnist", "lenet", "fashion_mnist", 2},
    {"MNIST, drift 1.5", "mnist", "lenet", "fashion_mnist", 1.5},
    {"Fashion-MNIST", "fashion_mnist", "lenet", "mnist", 2},
    {"Fashion-MNIST, drift 1.5", "fashion_mnist", "lenet", "mnist", 1.5},
    {"Fashion-MNIST, ResNet-18", "fashion_mnist", "resnet18", "mnist", 2},
    {"glyphs, ResNet-18", "glyphs", "resnet18", "fashion_mnist", 2}};

enum class images { of_the_victims_kind, of_another_kind, generated };

/// Who sends queries: a line of the table of detection.
struct sender {
  std::string text;
  images sent;
  account_experiment like;  ///< all but the column's victim, network, images and drift

  account_experiment to(const monitored_column& of) const {
    account_experiment one = like;
    one.victim = of.victim;
    one.network = of.network;
    one.drift = of.drift;
    one.query_data = sent == images::generated ? "none" : sent == images::of_another_kind ? of.other_images : of.victim;
    return one;
  }
};

inline std::vector<sender> every_sender() {
  std::vector<sender> all{
      {"benign users", images::of_the_victims_kind, {.attack = "benign", .sampling = ""}},
      {"an attacker with images of the victim's kind", images::of_the_victims_kind, {}},
      {"an attacker with images of another kind", images::of_another_kind, {}},
  };
  for (const double share : {0.5, 0.25, 0.1, 0.05}) {
    all.push_back({format("%g", 100 * share) + " % such images, the others benign",
                   images::of_another_kind,
                   {.ood_share = share}});
  }
  for (const long accounts : {10L, 100L, 1000L}) {
    all.push_back({"such images only, from " + std::to_string(accounts) + " accounts",
                   images::of_another_kind,
                   {.accounts = accounts}});
  }
  all.push_back({"the tenth of such images that a shadow model finds least unusual",
                 images::of_another_kind,
                 {.sampling = "filtered"}});
  for (const std::string reward : {"certainty", "diversity", "loss", "all"}) {
    const std::string name = reward == "all" ? "all three rewards" : "the reward of " + reward;
    all.push_back({"such images, sampled by " + name, images::of_another_kind, {.sampling = reward}});
  }
  for (const auto& [name, attack] : {std::pair{"DFME", "dfme"}, std::pair{"MAZE", "maze"}}) {
    all.push_back({name, images::generated, {.attack = attack, .sampling = ""}});
  }
  return all;
}

class account_tables {
 public:
  /// Throws std::runtime_error where a line would be in neither table.
  explicit account_tables(const std::vector<account_line>& lines) : lines_(lines) {
    write_detection();
    write_clones();
    for (const account_line& line : lines) {
      if (!shown_.contains(line.name())) throw std::runtime_error("in no table about accounts: " + line.name());
    }
  }

  const std::string& text() const { return written_.text(); }

 private:
  void write_detection() {
    std::vector<std::string> head{"queries of"};
    for (const monitored_column& each : monitored_columns) head.emplace_back(each.text);
    written_.begin("Accounts: after how many queries half of them are flagged, or which share ever is", head);
    for (const sender& from : every_sender()) {
      std::vector<std::string> cells{from.text};
      for (const monitored_column& each : monitored_columns) cells.push_back(detection_of(from.to(each)));
      if (std::count(cells.begin(), cells.end(), "-") + 1 < std::ssize(cells)) written_.line(cells);
    }
  }

  /// The medians of the accounts of all seeds; where one has none, the shares of accounts that are flagged.
  std::string detection_of(const account_experiment& wanted) {
    std::vector<double> medians, shares;
    for (const account_line* line : shown_seeds_of(wanted)) {
      shares.push_back(100 * line->flagged_share);
      if (line->median) medians.push_back(static_cast<double>(*line->median));
    }
    if (shares.empty()) return "-";
    return medians.size() == shares.size() ? range_of(medians, "%.0f") : range_of(shares, "%.3g", " %");
  }

  /// The clones of attackers who are flagged: by victim, what flagged accounts get, attack, and number of accounts.
  void write_clones() {
    written_.begin("Accounts: accuracy of the clones of attackers who are flagged, % (mean: range)",
                   {"victim", "flagged accounts get", "attack", "accounts", "responses until flagged", "label-only",
                    "naive", "\"not this class\""});
    std::vector<account_experiment> all;
    for (const account_line& line : lines_) {
      if (line.clone_accuracy) all.push_back(line.of);
    }
    std::ranges::stable_sort(all, {}, [](const account_experiment& of) {
      return std::tuple(of.network, of.victim, of.flagged, of.attack != "knockoff", of.attack, of.sampling != "random",
                        of.sampling, of.accounts);
    });
    for (const account_experiment& one : all) {
      if (!shown_.contains(one.name())) write_clones_like(one);
    }
  }

  /// Those of all attackers and seeds.
  void write_clones_like(account_experiment one) {
    std::vector<std::string> clones;
    std::map<long, double> answered;  // by seed: each attacker trains on the same responses
    for (const char* attacker : {"label_only", "naive", "complementary"}) {
      one.attacker = attacker;
      spread accuracy;
      for (const account_line* line : shown_seeds_of(one)) {
        accuracy.values.push_back(100 * *line->clone_accuracy);
        answered[line->of.seed] = line->answered;
      }
      const std::string mean = accuracy.values.size() > 1 ? format("%.1f: ", accuracy.mean()) : "";
      clones.push_back(accuracy.values.empty() ? "-" : mean + range_of(accuracy.values, "%.1f"));
    }
    std::vector<double> responses;
    for (const auto& [seed, count] : answered) responses.push_back(count);
    written_.line({name_of(one), one.flagged, attack_of(one), std::to_string(one.accounts), range_of(responses, "%.0f"),
                   clones[0], clones[1], clones[2]});
  }

  std::vector<const account_line*> shown_seeds_of(const account_experiment& wanted) {
    const std::vector<const account_line*> found = seeds_of(lines_, wanted);
    for (const account_line* line : found) shown_.insert(line->name());
    return found;
  }

  static std::string name_of(const account_experiment& of) {
    for (const monitored_column& each : monitored_columns) {
      if (of.victim == each.victim && of.network == each.network && of.drift == each.drift) return each.text;
    }
    throw std::runtime_error("no column for " + of.name());
  }

  static std::string attack_of(const account_experiment& of) {
    if (of.attack != "knockoff") return of.attack;
    return of.attack + ", " + (of.sampling == "all" ? "all rewards" : of.sampling);
  }

  const std::vector<account_line>& lines_;
  std::set<std::string> shown_;  // the names of lines
  markdown_tables written_;
};

#endif
