// SPDX-License-Identifier: MIT
/// The results about latency, and their table.
#ifndef CHAFF_BENCHMARKS_STEALING_LATENCY_TABLE_HPP
#define CHAFF_BENCHMARKS_STEALING_LATENCY_TABLE_HPP

#include <algorithm>
#include <string>
#include <vector>

#include "configurations.hpp"
#include "csv.hpp"
#include "markdown_tables.hpp"

/// One line of the results: a network, a defense, and how its second model is evaluated.
struct latency_line {
  std::string network;
  std::string defense;     ///< in the syntax of chaff::parse_defense
  std::string evaluation;  ///< empty where there is no second model
  double microseconds;     ///< the median of a query
  double ratio;            ///< to the undefended network's

  static const char* header() { return "network,defense,evaluation,median_us,ratio,repetitions,processor"; }
  std::string name() const { return network + ',' + defense + ',' + evaluation; }

  static latency_line parsed(const std::string& line) {
    const checked_line fields(line, 7);
    return {fields.one_of(0, {"lenet", "resnet18"}), fields[1], fields[2], fields.number(3, 0, 1e9),
            fields.number(4, 0, 1e6)};
  }
};

/// The ratios of all defenses, a column for each network; the line of `none` has milliseconds.
inline std::string latency_table(const std::vector<latency_line>& lines) {
  markdown_tables table;
  table.begin("", {"defense", "evaluation", "LeNet", "ResNet-18"});
  for (const latency_line& line : lines) {
    if (line.network != "lenet") continue;
    std::vector<std::string> cells{cell_of(line.defense), line.evaluation};
    for (const char* network : {"lenet", "resnet18"}) {
      latency_line wanted = line;
      wanted.network = network;
      const auto found =
          std::ranges::find_if(lines, [&](const latency_line& each) { return each.name() == wanted.name(); });
      cells.push_back(found == lines.end()     ? "-"
                      : line.defense == "none" ? format("%.2f ms", found->microseconds / 1000)
                                               : format(found->ratio < 10 ? "%.2f" : "%.1f", found->ratio));
    }
    table.line(cells);
  }
  return table.text();
}

#endif
