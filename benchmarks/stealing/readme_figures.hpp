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

/// A row of the table in the project's README: text that identifies its line, the setting, and the scenes of which it
/// has the clones by queries of another kind than the users', the clones by queries of their kind, and the price in L1
/// and calibration. nullptr where it has none.
struct readme_row {
  const char *mark, *setting;
  const scene *other_kind, *own_kind, *price;
};
inline constexpr const char* setting_of_labels = "none | label_only";
inline constexpr readme_row readme_rows[]{
    {"`chaff::dcp{}`", pictured::mild_dcp, &mnist_scene, &fashion_scene, &mnist_scene},
    {"`chaff::energy_dcp{.beta = 1.2, .tau = tau}`", pictured::energy, &mnist_scene, &fashion_scene, &mnist_scene},
    {"`chaff::modelguard_w{}`", pictured::modelguard, &mnist_scene, &fashion_scene, &mnist_scene},
    {"use the label, and little else | `chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}`", pictured::exact_dcp,
     &mnist_scene, &fashion_scene, &mnist_scene},
    {"the same, 111 classes | `chaff::dcp{.beta = 1.5, .rule = chaff::odds::exact}`", pictured::exact_dcp, nullptr,
     &glyphs_scene, &glyphs_scene},
    {"`chaff::none{} \\| chaff::label_only{}`", setting_of_labels, &mnist_scene, &fashion_scene, nullptr},
    {"`chaff::none{}`", "none", &mnist_scene, &fashion_scene, nullptr}};

/// Checks the project's README against results. Throws std::runtime_error where a row that it needs has too few seeds.
class readme_figures {
 public:
  explicit readme_figures(const std::vector<row>& rows) : rows_(rows) {}

  /// What a README of this text lacks, as lines to print; empty where it has all.
  std::string missing_in(const std::string& readme) const {
    std::string missing;
    for (const readme_row& row : readme_rows) {
      const std::string cells = "| " + clones_of(row.other_kind, row) + " | " + clones_of(row.own_kind, row) + " |";
      const std::string price = row.price == nullptr ? "" : price_of(*row.price, row.setting);
      if (!has_line(readme, row.mark, price, cells)) {
        missing += std::string("no line has ") + row.mark + ' ' + price + " and ends in " + cells + '\n';
      }
    }
    const std::string misdirected =
        "their clone falls to " + per_cent(needed(mnist_scene, "label_only", pictured::misdirect)) + " %, to " +
        per_cent(needed(mnist_scene, "naive", pictured::misdirect)) + " % if they train on the responses";
    if (readme.find(misdirected) == std::string::npos) missing += "\"" + misdirected + "\" is missing\n";
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

  /// A cell of the table: clones of the naive, the better adaptive, and the label-only attacker, in %.
  std::string clones_of(const scene* where, const readme_row& of) const {
    if (where == nullptr) return "-";
    const std::string setting = of.setting, labels = per_cent(needed(*where, "label_only", "none"));
    // one-hot responses give the clone of the labels, and nobody adapts to them, or to no defense
    if (setting == setting_of_labels) return labels + " / - / " + labels;
    return per_cent(needed(*where, "naive", setting)) + " / " +
           (setting == "none" ? "-" : per_cent(best_adaptive(*where, setting))) + " / " + labels;
  }

  /// What benign users pay.
  std::string price_of(const scene& where, const std::string& setting) const {
    const row &naive = needed(where, "naive", setting), &none = needed(where, "naive", "none");
    return "mean L1 " + format("%.2f", naive.l1.mean()) + ", ECE " +
           format("%+.2f", naive.ece.mean() - none.ece.mean()) + " |";
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
