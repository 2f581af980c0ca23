// SPDX-License-Identifier: MIT
/// The table about latency, and what follows from it.
#ifndef CHAFF_BENCHMARKS_STEALING_LATENCY_TABLE_HPP
#define CHAFF_BENCHMARKS_STEALING_LATENCY_TABLE_HPP

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "configurations.hpp"
#include "latency_columns.hpp"
#include "markdown_tables.hpp"

/// A line of a network, by its other names; throws std::runtime_error where it is missing.
inline const latency_line& latency_of(const std::vector<latency_line>& lines, const std::string& network,
                                      const std::string& defense, const std::string& evaluation) {
  const std::string wanted = latency_line{network, defense, evaluation}.name();
  const auto found = std::ranges::find(lines, wanted, &latency_line::name);
  if (found == lines.end()) throw std::runtime_error("no latency of " + wanted);
  return *found;
}

/// The ratios of all defenses, a column for each network; the line of `none` has milliseconds. Throws
/// std::runtime_error where a network lacks a defense, and where medians are of fewer than five repetitions.
inline std::string latency_table(const std::vector<latency_line>& lines) {
  markdown_tables table;
  table.begin("", {"defense", "evaluation of the second network", "LeNet", "ResNet-18"});
  double most = 0;
  for (const latency_line& line : lines) {
    if (line.repetitions < 5) throw std::runtime_error("too few repetitions: " + line.text());
    if (line.evaluation.empty()) most = std::max(most, line.ratio);
    if (line.network != "lenet") continue;
    std::vector<std::string> cells{cell_of(line.defense), line.evaluation.empty() ? "-" : line.evaluation};
    for (const char* network : {"lenet", "resnet18"}) {
      const latency_line& one = latency_of(lines, network, line.defense, line.evaluation);
      cells.push_back(line.defense == "none" ? format("%.2f ms", one.microseconds / 1000)
                                             : format(one.ratio < 10 ? "%.2f" : "%.1f", one.ratio));
    }
    table.line(cells);
  }
  const auto times_dcp = [&](const char* network, const char* defense, const char* evaluation) {
    return format("%.0f", latency_of(lines, network, defense, evaluation).microseconds /
                              latency_of(lines, network, "dcp(beta=1.2)", "").microseconds);
  };
  const auto both = [&](const char* defense, const char* evaluation) {
    return times_dcp("lenet", defense, evaluation) + " (LeNet) and " + times_dcp("resnet18", defense, evaluation) +
           " times (ResNet-18)";
  };
  const auto repetitions = [&](const char* network) {
    return std::to_string(latency_of(lines, network, "none", "").repetitions);
  };
  return table.text() + "\nMedians of " + repetitions("lenet") + " queries of LeNet and " + repetitions("resnet18") +
         " of ResNet-18, on one thread of an " + lines.front().processor +
         ". The defenses without a second network take at most " + format("%.2f", most) +
         " times what the network takes by itself. The DCP paper reports a factor of 37 between DCP and the most "
         "expensive defense. As GRAD^2 is served here it takes " +
         both("gradient_redirection(epsilon=1)", "double backward pass") +
         " as long as DCP; MAD with the Jacobian of all parameters takes " +
         both("mad(epsilon=1)", "K backward passes to all parameters") + ", copies included.\n";
}

#endif
