// SPDX-License-Identifier: MIT
/// Counts queries, in the text format of Prometheus.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_METRICS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_METRICS_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string>

namespace service {

/// Counters since the start. Every function may be called from any thread.
class metrics {
 public:
  void count_query(bool is_perturbed, std::chrono::nanoseconds latency) {
    ++queries_;
    perturbed_ += is_perturbed;
    for (std::size_t i = 0; i < bounds.size(); ++i)
      faster_[i] += std::chrono::duration<double>(latency).count() <= bounds[i];
    nanoseconds_ += static_cast<std::uint64_t>(latency.count());
  }
  void count_refusal() { ++refused_; }

  /// Format: Prometheus text, version 0.0.4.
  std::string text() const {
    std::ostringstream out;
    const std::uint64_t queries = queries_;
    out << "# HELP chaff_queries_total Queries answered.\n# TYPE chaff_queries_total counter\nchaff_queries_total "
        << queries
        << "\n# HELP chaff_perturbed_total Answers that the defense perturbed.\n# TYPE chaff_perturbed_total counter\n"
        << "chaff_perturbed_total " << perturbed_
        << "\n# HELP chaff_perturbed_share Share of answers that the defense perturbed.\n# TYPE chaff_perturbed_share "
           "gauge\n"
        << "chaff_perturbed_share "
        << (queries > 0 ? static_cast<double>(perturbed_) / static_cast<double>(queries) : 0.0)
        << "\n# HELP chaff_refused_total Requests refused.\n# TYPE chaff_refused_total counter\nchaff_refused_total "
        << refused_
        << "\n# HELP chaff_latency_seconds From a body read to its response.\n# TYPE chaff_latency_seconds histogram\n";
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      out << "chaff_latency_seconds_bucket{le=\"" << bounds[i] << "\"} " << faster_[i] << "\n";
    }
    // a sum in floating point would lose its last digits as it grows
    const std::uint64_t nanoseconds = nanoseconds_;
    out << "chaff_latency_seconds_bucket{le=\"+Inf\"} " << queries << "\nchaff_latency_seconds_sum "
        << nanoseconds / 1'000'000'000 << '.' << std::setfill('0') << std::setw(9) << nanoseconds % 1'000'000'000
        << "\nchaff_latency_seconds_count " << queries << "\n";
    return out.str();
  }

 private:
  static constexpr std::array bounds{50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 100e-3};

  std::atomic<std::uint64_t> queries_{0}, perturbed_{0}, refused_{0}, nanoseconds_{0};
  std::array<std::atomic<std::uint64_t>, bounds.size()> faster_{};
};

}  // namespace service

#endif
