// SPDX-License-Identifier: MIT
/// Prints the benchmarks, then those with an aim beside it, and keeps all of them as CSV.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_REPORT_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_REPORT_HPP

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "aims.hpp"

class overhead_report : public benchmark::BenchmarkReporter {
 public:
  /// csv: a file to append to, or empty.
  explicit overhead_report(std::string csv) : csv_(std::move(csv)) {}

  bool ReportContext(const Context&) override {
    std::printf("%-62s %10s %9s %7s\n", "built with " CHAFF_BENCHMARK_FLAGS, "ns", "ns/class", "ratio");
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      std::string name = run.benchmark_name();
      if (const std::size_t options = name.find("/min_time"); options != std::string::npos) name.resize(options);
      const auto counter = [&](const char* key) { return static_cast<double>(run.counters.at(key)); };
      lines_.push_back({name, counter("ns"), counter("ns_class"), counter("ratio")});
      print(lines_.back());
      std::puts("");
    }
    std::fflush(stdout);
  }

  /// The aims, and the CSV; false where that cannot be written.
  bool finish() const {
    std::printf("\n%-62s %10s %9s %7s %6s\n", "aims, " CHAFF_BENCHMARK_FLAGS, "ns", "ns/class", "ratio", "aim");
    for (const line& one : lines_) {
      if (const auto aim = aim_of(one.name)) {
        print(one);
        const bool is_met = one.ratio <= aim->ratio;
        std::printf(" %6.2f %s\n", aim->ratio, is_met ? "" : "missed");
        if (!is_met && *aim->bound != 0) std::printf("    bounded by %s\n", aim->bound);
      }
    }
    if (csv_.empty()) return true;
    std::FILE* file = std::fopen(csv_.c_str(), "a");
    if (file == nullptr) {
      std::fprintf(stderr, "overhead: cannot write %s\n", csv_.c_str());
      return false;
    }
    for (const line& one : lines_) {
      const auto aim = aim_of(one.name);
      std::fprintf(file, "%s;%s;%.1f;%.4f;%.3f;%s\n", CHAFF_BENCHMARK_FLAGS, one.name.c_str(), one.ns, one.ns_class,
                   one.ratio, aim ? std::to_string(aim->ratio).substr(0, 4).c_str() : "");
    }
    return std::fclose(file) == 0;
  }

 private:
  struct line {
    std::string name;
    double ns, ns_class, ratio;
  };

  static void print(const line& one) {
    std::printf("%-62s %10.1f %9.3f %7.2f", one.name.c_str(), one.ns, one.ns_class, one.ratio);
  }

  std::string csv_;
  std::vector<line> lines_;
};

#endif
