// SPDX-License-Identifier: MIT
/// The figures that the project's README must have: those of its table of defenses and of the limits below.
#ifndef CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP
#define CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP

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
    {"`chaff::modelguard_w{}`", &mnist_scene, pictured::modelguard, true},
    {"`chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact}`", &glyphs_scene, pictured::exact_dcp, true},
    {"`chaff::none{} \\| chaff::label_only{}`", &mnist_scene, "none | label_only", false},
    {"`chaff::none{}`", &mnist_scene, "none", false}};

/// A defense of which the project's README tells the clones by queries of the victim's own kind.
struct in_distribution_text {
  const char *name, *setting;
};
inline constexpr in_distribution_text in_distribution_texts[]{
    {"`energy_dcp`", pictured::energy},
    {"`modelguard_w{}`", pictured::modelguard},
    {"`dcp{.beta = 1.2, .rule = chaff::odds::exact}`", pictured::exact_dcp}};

/// The figures of these results, of which those of the settings above need as many seeds as are shown.
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
        missing += std::string("no line with ") + row.mark + " has " + price + " and ends in " + cells + '\n';
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
    const row& naive = needed(where, "naive", setting);
    const row& labels = needed(where, "label_only", "none");
    const row* adaptive = best_adaptive(where, setting);
    // nobody adapts to no defense, and of one-hot responses an adaptive attacker recovers the labels
    if (adaptive == nullptr) adaptive = setting == "none" ? &naive : &labels;
    return "| " + per_cent(naive) + " | " + per_cent(*adaptive) + " | " + per_cent(labels) + " |";
  }

  /// What benign users pay.
  std::string price_of(const scene& where, const std::string& setting) const {
    const row &naive = needed(where, "naive", setting), &none = needed(where, "naive", "none");
    return "mean L1 " + format("%.2f", naive.l1.mean()) + ", ECE " +
           format("%+.2f", naive.ece.mean() - none.ece.mean());
  }

  /// Words with figures besides the table.
  std::vector<std::string> texts() const {
    std::vector<std::string> all{
        "their clone falls to " + per_cent(needed(mnist_scene, "label_only", pictured::misdirect)) + " %, to " +
        per_cent(needed(mnist_scene, "naive", pictured::misdirect)) + " % if they train on the responses"};
    for (const in_distribution_text& each : in_distribution_texts) {
      const row* const adaptive = best_adaptive(fashion_scene, each.setting);
      if (adaptive == nullptr) throw std::runtime_error(std::string("no adaptive attacker of ") + each.setting);
      all.push_back(per_cent(needed(fashion_scene, "naive", each.setting)) + " and " + per_cent(*adaptive) +
                    " % under " + each.name);
    }
    return all;
  }

  const row& needed(const scene& where, const char* attacker, const std::string& setting) const {
    const row* const found = find_row(rows_, where, attacker, setting);
    if (found == nullptr) throw std::runtime_error("too few seeds of " + std::string(where.victim) + ", " + setting);
    return *found;
  }

  /// nullptr where neither adaptive attacker is recorded.
  const row* best_adaptive(const scene& where, const std::string& setting) const {
    return better_of(find_row(rows_, where, "d_dae", setting), find_row(rows_, where, "partial_bayes", setting));
  }

  static std::string per_cent(const row& one) { return format("%.0f", 100 * one.clone.mean()); }

  const std::vector<row>& rows_;
};

#endif
