// SPDX-License-Identifier: MIT
/// The figures that the READMEs must have besides the tables that are written into the lab's.
#ifndef CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP
#define CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP

#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "pictured.hpp"

/// A row of the table in the project's README: text that identifies its line, whose clones it has, the setting, and
/// whether it has the price in L1 and calibration.
struct readme_row {
  const char* mark;
  const scene* where;
  const char* setting;
  bool has_price;
};
inline constexpr readme_row readme_rows[]{
    {"`chaff::energy_dcp`", &mnist_scene, pictured::energy, true},
    {"use the label, and little else | `chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}`", &mnist_scene,
     pictured::exact_dcp, true},
    {"`chaff::modelguard_w{}`", &mnist_scene, pictured::modelguard, true},
    {"the same, 111 classes | `chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}`", &glyphs_scene,
     pictured::exact_dcp, true},
    {"`chaff::none{} \\| chaff::label_only{}`", &mnist_scene, "none | label_only", false},
    {"`chaff::none{}`", &mnist_scene, "none", false}};

/// A defense of which the project's README tells the clones by queries of the victim's own kind.
struct in_distribution_text {
  const char *name, *setting;
};
inline constexpr in_distribution_text in_distribution_texts[]{
    {"`energy_dcp`", pictured::energy},
    {"`modelguard_w{}`", pictured::modelguard},
    {"`dcp{.beta = 1.5, .rule = chaff::odds::exact}`", pictured::exact_dcp}};

/// Checks the project's README against results. Throws std::runtime_error where a row that it needs has too few seeds.
class readme_figures {
 public:
  explicit readme_figures(const std::vector<row>& rows) : rows_(rows) {}

  /// What a README of this text lacks, as lines to print; empty where it has all.
  std::string missing_in(const std::string& readme) const {
    std::string missing;
    for (const readme_row& row : readme_rows) {
      const std::string cells = cells_of(*row.where, row.setting);
      const std::string price = row.has_price ? price_of(*row.where, row.setting) : "";
      if (!has_line(readme, row.mark, price, cells)) {
        missing += std::string("no line has ") + row.mark + ' ' + price + " and ends in " + cells + '\n';
      }
    }
    for (const std::string& text : texts()) {
      if (readme.find(text) == std::string::npos) missing += "\"" + text + "\" is missing\n";
    }
    return missing;
  }

 private:
  static bool has_line(const std::string& readme, const std::string& mark, const std::string& price,
                       const std::string& end) {
    std::istringstream lines(readme);
    for (std::string line; std::getline(lines, line);) {
      if (line.find(mark) < line.find(end) && line.ends_with(end) && line.find(price) != std::string::npos) return true;
    }
    return false;
  }

  /// The cells of the table: clones of the naive, the better adaptive, and the label-only attacker, in %.
  std::string cells_of(const scene& where, const std::string& setting) const {
    const row &naive = needed(where, "naive", setting), &labels = needed(where, "label_only", "none");
    // nobody adapts to no defense, and of one-hot responses an adaptive attacker recovers the labels
    const row& adaptive = setting == "none"                ? naive
                          : setting == "none | label_only" ? labels
                                                           : best_adaptive(where, setting);
    return "| " + per_cent(naive) + " | " + per_cent(adaptive) + " | " + per_cent(labels) + " |";
  }

  /// What benign users pay.
  std::string price_of(const scene& where, const std::string& setting) const {
    const row &naive = needed(where, "naive", setting), &none = needed(where, "naive", "none");
    return "mean L1 " + format("%.2f", naive.l1.mean()) + ", ECE " +
           format("%+.2f", naive.ece.mean() - none.ece.mean()) + " |";
  }

  /// Words with figures besides the table.
  std::vector<std::string> texts() const {
    std::vector<std::string> all{
        "their clone falls to " + per_cent(needed(mnist_scene, "label_only", pictured::misdirect)) + " %, to " +
            per_cent(needed(mnist_scene, "naive", pictured::misdirect)) + " % if they train on the responses",
        "where labels alone give " + per_cent(needed(fashion_scene, "label_only", "none")) + " %"};
    for (const in_distribution_text& each : in_distribution_texts) {
      all.push_back(per_cent(needed(fashion_scene, "naive", each.setting)) + " and " +
                    per_cent(best_adaptive(fashion_scene, each.setting)) + " % under " + each.name);
    }
    return all;
  }

  const row& needed(const scene& where, const char* attacker, const std::string& setting) const {
    const row* const found = find_row(rows_, where, attacker, setting);
    if (found == nullptr) throw std::runtime_error("too few seeds of " + std::string(where.victim) + ", " + setting);
    return *found;
  }

  const row& best_adaptive(const scene& where, const std::string& setting) const {
    return *better_of(&needed(where, "d_dae", setting), &needed(where, "partial_bayes", setting));
  }

  const std::vector<row>& rows_;
};

/// The text of a README from one heading to another.
inline std::string section_of(const std::string& readme, const std::string& heading, const std::string& next) {
  const std::size_t from = readme.find(heading), to = readme.find(next, from);
  if (from == std::string::npos || to == std::string::npos) throw std::runtime_error("no section " + heading);
  return readme.substr(from, to - from);
}

/// The figures of a text: decimals ("85.4"), deviations ("± 1.0") and ranges ("6 to 13"), but for those in code.
inline std::set<std::string> figures_of(const std::string& text) {
  static const std::regex code("`[^`\n]*`"),
      figure("± [0-9.]*[0-9]|[0-9]+(\\.[0-9]+)? to [0-9]+(\\.[0-9]+)?|[0-9]+\\.[0-9]+");
  const std::string prose = std::regex_replace(text, code, "");
  std::set<std::string> figures;
  for (std::sregex_iterator at(prose.begin(), prose.end(), figure), end; at != end; ++at) figures.insert(at->str());
  return figures;
}

/// The figures of sentences that no table has, as lines to print. It finds figures of older results, not figures of
/// the wrong cell.
inline std::string unknown_in(const std::string& sentences, const std::string& tables) {
  const std::set<std::string> known = figures_of(tables);
  std::string unknown;
  for (const std::string& each : figures_of(sentences)) {
    if (!known.contains(each)) unknown += "no table has " + each + '\n';
  }
  return unknown;
}

/// Those of the lab's sentences about defenses, about accounts and about latency, as lines to print.
inline std::string unknown_figures(const std::string& readme, const std::string& of_defenses,
                                   const std::string& of_accounts, const std::string& of_latency) {
  const std::string accounts = "### Detecting attackers by account", latency = "### Latency";
  return unknown_in(section_of(readme, "### What the defenses do not stop", accounts), of_defenses) +
         unknown_in(section_of(readme, accounts, latency), of_accounts) +
         unknown_in(section_of(readme, latency, "## Terms"), of_latency);
}

#endif
