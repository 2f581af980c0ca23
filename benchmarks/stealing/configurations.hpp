// SPDX-License-Identifier: MIT
/// The results by configuration: all seeds of one attack run together.
#ifndef CHAFF_BENCHMARKS_STEALING_CONFIGURATIONS_HPP
#define CHAFF_BENCHMARKS_STEALING_CONFIGURATIONS_HPP

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "columns.hpp"
#include "scenes.hpp"

inline std::string format(const char* how, double value) {
  char written[32];
  std::snprintf(written, sizeof written, how, value);
  return written;
}

/// How many seeds a figure needs by which a reader chooses.
inline constexpr std::size_t enough_seeds = 5;

/// A figure of one configuration, a value for each seed.
struct spread {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }

  /// The standard deviation of the sample; 0 for a single value.
  double deviation() const {
    if (values.size() < 2) return 0;
    double square = 0;
    for (const double v : values) square += (v - mean()) * (v - mean());
    return std::sqrt(square / static_cast<double>(values.size() - 1));
  }

  /// In per cent: the mean, with the standard deviation where there are two values or more, and with their number
  /// where they are too few.
  std::string text() const {
    const std::string some = format("%.1f", 100 * mean()), deviating = format(" ± %.1f", 100 * deviation());
    if (values.size() >= enough_seeds) return some + deviating;
    return some + (values.size() > 1 ? deviating : "") + " (" + std::to_string(values.size()) + ")";
  }
};

/// All seeds of one configuration: the line of the first, and the spread of the clones and of what users get.
struct row {
  result_line first;
  spread clone;
  spread l1{}, ece{}, accuracy{}, lost{};  ///< of responses to test images; lost: accuracy
  spread l1_queries{};
};

/// The mean accuracy of clones, in whole per cent.
inline std::string per_cent(const row& clones) {
  return format("%.0f", 100 * clones.clone.mean());
}

/// The configurations whose clones were trained by this recipe.
inline std::vector<row> rows_of(const std::vector<result_line>& lines, const std::string& training) {
  std::vector<row> all;
  std::map<std::string, std::size_t> place;
  for (const result_line& line : lines) {
    if (line.training != training) continue;
    const auto [found, is_new] = place.try_emplace(line.configuration(), all.size());
    if (is_new) all.push_back({line, {}});
    row& one = all[found->second];
    one.clone.values.push_back(line.clone_accuracy);
    one.l1.values.push_back(line.l1_test);
    one.ece.values.push_back(line.ece_test);
    one.accuracy.values.push_back(line.defended_accuracy);
    one.l1_queries.values.push_back(line.l1_queries);
    one.lost.values.push_back(line.victim_accuracy - line.defended_accuracy);
  }
  return all;
}

/// The configurations that have enough seeds.
inline std::vector<row> with_enough_seeds(const std::vector<row>& rows) {
  std::vector<row> some;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(some),
               [](const row& one) { return one.clone.values.size() >= enough_seeds; });
  return some;
}

/// A defense at a strength: what one would type, and how its gate is calibrated.
inline std::string setting_of(const result_line& line) {
  return line.defense + (line.policy.empty() ? "" : ", " + line.policy) +
         (line.perturbed.empty() ? "" : ", perturbed=" + line.perturbed);
}

/// A setting as code in a cell of a Markdown table.
inline std::string cell_of(const std::string& setting) {
  std::string cell = "`" + setting + "`";
  if (const std::size_t at = cell.find('|'); at != std::string::npos) cell.insert(at, 1, '\\');
  return cell;
}

inline bool is_knockoff(const result_line& line, const scene& where, const char* attacker,
                        const char* network = "lenet", const char* precision = "float32") {
  return line.victim == where.victim && line.query_data == where.query_data && line.network == network &&
         line.precision == precision && line.attack == "knockoff" && line.sampling == "random" &&
         line.attacker == attacker;
}

/// The clones of an attacker under a setting; nullptr where they are not recorded.
inline const row* find_row(const std::vector<row>& rows, const scene& where, const char* attacker,
                           const std::string& setting) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const row& one) {
    return is_knockoff(one.first, where, attacker) && setting_of(one.first) == setting;
  });
  return found == rows.end() ? nullptr : &*found;
}

#endif
