// SPDX-License-Identifier: MIT
/// The figures that the project's README must have: those of its table of defenses and of the limits below.
#ifndef CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP
#define CHAFF_BENCHMARKS_STEALING_README_FIGURES_HPP

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "pictured.hpp"

/// A row of the table in the project's README: text that identifies its line, the setting, and whether it has the price
/// in L1 and calibration.
struct readme_row {
  const char *mark, *setting;
  bool has_price;
};
inline constexpr readme_row readme_rows[]{
    {"`chaff::energy_dcp`", "energy_dcp(beta=1.2), perturbed=0.05", true},
    {"`chaff::modelguard_w{}`", "modelguard_w(epsilon=1)", true},
    {"`chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact}`", "dcp(beta=1.2, rule=exact)", true},
    {"`chaff::none{} \\| chaff::label_only{}`", "none | label_only", false},
    {"`chaff::none{}`", "none", false}};

/// A defense of which the project's README tells the clones by queries of the victim's own kind.
struct in_distribution_text {
  const char *name, *setting;
};
inline constexpr in_distribution_text in_distribution_texts[]{
    {"`energy_dcp`", "energy_dcp(beta=1.2), perturbed=0.05"},
    {"`modelguard_w{}`", "modelguard_w(epsilon=1)"},
    {"`dcp{.beta = 1.2, .rule = chaff::odds::exact}`", "dcp(beta=1.2, rule=exact)"}};

/// The figures of these results, of which those of the settings above need as many seeds as are shown.
class readme_figures {
 public:
  explicit readme_figures(const std::vector<row>& rows) : rows_(rows) {}

  /// What a README of this text lacks, as lines to print; empty where it has all.
  std::string missing_in(const std::string& readme) const {
    std::string missing;
    for (const readme_row& row : readme_rows) {
      const std::string cells = cells_of(row.setting), price = row.has_price ? price_of(row.setting) : "";
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

  /// The cells of the table: clones of MNIST queried with Fashion-MNIST, by the naive, the best adaptive,
  /// and the label-only attacker, in %.
  std::string cells_of(const std::string& setting) const {
    const row& naive = needed(mnist_scene, "naive", setting);
    const row& labels = needed(mnist_scene, "label_only", "none");
    const row* adaptive = best_adaptive(mnist_scene, setting);
    // nobody adapts to no defense, and of one-hot responses an adaptive attacker recovers the labels
    if (adaptive == nullptr) adaptive = setting == "none" ? &naive : &labels;
    return "| " + per_cent(naive) + " | " + per_cent(*adaptive) + " | " + per_cent(labels) + " |";
  }

  /// What benign users of MNIST pay.
  std::string price_of(const std::string& setting) const {
    const row &naive = needed(mnist_scene, "naive", setting), &none = needed(mnist_scene, "naive", "none");
    return "mean L1 " + format("%.2f", naive.l1.mean()) + ", ECE " +
           format("%+.2f", naive.ece.mean() - none.ece.mean());
  }

  /// Words with figures besides the table.
  std::vector<std::string> texts() const {
    std::vector<std::string> all{
        "their clone falls to " +
            per_cent(
                needed(mnist_scene, "label_only", "gated(energy_gate, misdirect), keep_label=false, perturbed=0.01")) +
            " %",
        "on 111 classes it leaves a naive clone of " +
            per_cent(needed(glyphs_scene, "naive", "dcp(beta=1.2, rule=exact)")) + " %"};
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
