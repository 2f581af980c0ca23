// SPDX-License-Identifier: MIT
/// The tables about accounts: how soon attackers are flagged, and what clones they are left with.
#ifndef CHAFF_BENCHMARKS_STEALING_ACCOUNT_TABLES_HPP
#define CHAFF_BENCHMARKS_STEALING_ACCOUNT_TABLES_HPP

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "account_columns.hpp"
#include "configurations.hpp"
#include "markdown_tables.hpp"

/// A figure of each seed, from the smallest to the largest: "6 to 13"; with the number of seeds where they are few.
inline std::string range_of(const std::vector<double>& values, const char* how) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::string from = format(how, *least), to = format(how, *most);
  return (from == to ? from : from + " to " + to) +
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

class account_tables {
 public:
  explicit account_tables(const std::vector<account_line>& lines) : lines_(lines) {}

  std::string text() {
    detection();
    clones();
    return written_.text();
  }

 private:
  /// What an account sends, in each column.
  void detection() {
    std::vector<std::string> head{"an account of"};
    for (const monitored_column& each : monitored_columns) head.emplace_back(each.text);
    written_.begin("Accounts: queries until half of such accounts are flagged, or how many ever are", head);
    detection("benign users", {.query_data = "victim's", .attack = "benign", .sampling = ""});
    detection("an attacker with images of the victim's kind", {.query_data = "victim's"});
    for (const double share : {1.0, 0.5, 0.25, 0.1, 0.05}) {
      detection("an attacker, " + format("%g", 100 * share) + " % of the images of another kind", {.ood_share = share});
    }
    detection("the same, images filtered by a shadow model", {.sampling = "filtered"});
    for (const char* reward : {"certainty", "diversity", "loss", "all"}) {
      detection("the same, images sampled by the reward " + std::string(reward), {.sampling = reward});
    }
    detection("DFME", {.query_data = "none", .attack = "dfme", .sampling = ""});
    detection("MAZE", {.query_data = "none", .attack = "maze", .sampling = ""});
  }

  void detection(const std::string& of, account_experiment wanted) {
    const std::string queries = wanted.query_data;
    std::vector<std::string> cells{of};
    for (const monitored_column& each : monitored_columns) {
      wanted.victim = each.victim;
      wanted.network = each.network;
      wanted.drift = each.drift;
      if (queries != "none") wanted.query_data = queries == "victim's" ? each.victim : each.other_images;
      std::vector<double> medians, shares;
      for (const account_line* line : all_seeds_of(wanted)) {
        shares.push_back(100 * line->flagged_share);
        if (line->median) medians.push_back(static_cast<double>(*line->median));
      }
      cells.push_back(shares.empty()                    ? "-"
                      : medians.size() == shares.size() ? range_of(medians, "%.0f")
                                                        : range_of(shares, "%.3g") + " %");
    }
    written_.line(cells);
  }

  /// The clones of all attackers who are flagged, in the order of the results.
  void clones() {
    written_.begin("Accounts: accuracy of the clones of attackers who are flagged, %",
                   {"victim", "flagged accounts get", "attack", "accounts", "responses before that", "label-only",
                    "naive", "\"not this class\""});
    std::set<std::string> done;
    for (const account_line& line : sorted_clones()) {
      account_experiment one = line.of;
      one.attacker = "any";
      one.seed = 0;
      if (!done.insert(one.name()).second) continue;
      std::vector<std::string> cells{name_of(one), one.flagged, attack_of(one), std::to_string(one.accounts), ""};
      std::vector<double> answered;
      for (const char* attacker : {"label_only", "naive", "complementary"}) {
        one.attacker = attacker;
        std::vector<double> accuracies;
        for (const account_line* each : all_seeds_of(one)) {
          accuracies.push_back(*each->clone_accuracy);
          answered.push_back(each->answered);
        }
        double sum = 0;
        for (double& each : accuracies) sum += each *= 100;
        cells.push_back(accuracies.empty() ? "-"
                                           : format("%.1f", sum / static_cast<double>(accuracies.size())) + ": " +
                                                 range_of(accuracies, "%.1f"));
      }
      cells[4] = range_of(answered, "%.0f");
      written_.line(cells);
    }
  }

  /// Lines of clones: by victim, response, attack, and number of accounts.
  std::vector<account_line> sorted_clones() const {
    std::vector<account_line> some;
    std::copy_if(lines_.begin(), lines_.end(), std::back_inserter(some),
                 [](const account_line& line) { return line.clone_accuracy.has_value(); });
    const auto rank = [](const account_line& line) {
      const account_experiment& of = line.of;
      return std::tuple(of.network, of.victim, of.flagged, of.attack != "knockoff", of.attack, of.sampling != "random",
                        of.sampling, of.accounts);
    };
    std::ranges::stable_sort(some, {}, rank);
    return some;
  }

  std::vector<const account_line*> all_seeds_of(account_experiment wanted) const {
    std::vector<const account_line*> found;
    for (const account_line& line : lines_) {
      wanted.seed = line.of.seed;
      if (line.name() == wanted.name()) found.push_back(&line);
    }
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
    if (of.sampling == "all") return "knockoff, all rewards";
    return of.attack + ", " + of.sampling;
  }

  const std::vector<account_line>& lines_;
  markdown_tables written_;
};

#endif
