// SPDX-License-Identifier: MIT
/// The columns of the results about latency, and what a well-formed line holds.
#ifndef CHAFF_BENCHMARKS_STEALING_LATENCY_COLUMNS_HPP
#define CHAFF_BENCHMARKS_STEALING_LATENCY_COLUMNS_HPP

#include <cstdio>
#include <string>

#include "csv.hpp"

/// One line of the results: what a query of a network takes under a defense.
struct latency_line {
  std::string network;
  std::string defense;      ///< in the syntax of chaff::parse_defense
  std::string evaluation;   ///< of the second network; empty where there is none
  double microseconds = 0;  ///< the median
  double ratio = 0;         ///< to the undefended network's
  long repetitions = 0;     ///< of which it is the median
  std::string processor = {};

  static const char* header() { return "network,defense,evaluation,median_us,ratio,repetitions,processor"; }
  std::string name() const { return network + ",\"" + defense + "\"," + evaluation; }

  /// The line, as it stands in the file.
  std::string text() const {
    char figures[96];
    std::snprintf(figures, sizeof figures, ",%.1f,%.2f,%ld,", microseconds, ratio, repetitions);
    return name() + figures + processor;
  }

  /// Throws std::runtime_error, with the line, where a field has a value that it cannot have.
  static latency_line parsed(const std::string& line) {
    const checked_line fields(line, 7);
    fields.need(!fields[1].empty() && !fields[6].empty(), "a defense and a processor");
    return {fields.one_of(0, {"lenet", "resnet18"}),
            fields[1],
            fields[2],
            fields.number(3, 0, 1e9),
            fields.number(4, 0, 1e6),
            fields.count(5, 1),
            fields[6]};
  }
};

#endif
