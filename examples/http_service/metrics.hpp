// SPDX-License-Identifier: MIT
/// What the service counts, as Prometheus reads it.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_METRICS_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_METRICS_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>

namespace service {

/// Counters since the start; each may be read and raised from any thread.
class metrics {
 public:
  /// One answered query.
  void answered(bool touched, std::chrono::duration<double> spent) {
    ++queries_;
    touched_ += touched;
    for (std::size_t i = 0; i < bounds.size(); ++i) faster_[i] += spent.count() <= bounds[i];
    nanoseconds_ += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
  }
  void refused() { ++refused_; }

  /// Format: Prometheus text, version 0.0.4.
  std::string text() const {
    std::ostringstream out;
    const std::uint64_t queries = queries_;
    out << "# HELP chaff_queries_total Queries answered.\n# TYPE chaff_queries_total counter\nchaff_queries_total "
        << queries
        << "\n# HELP chaff_touched_total Answers that the defense moved.\n# TYPE chaff_touched_total counter\n"
        << "chaff_touched_total " << touched_
        << "\n# HELP chaff_touched_share Share of answers that the defense moved.\n# TYPE chaff_touched_share gauge\n"
        << "chaff_touched_share " << (queries > 0 ? static_cast<double>(touched_) / static_cast<double>(queries) : 0.0)
        << "\n# HELP chaff_refused_total Requests refused.\n# TYPE chaff_refused_total counter\nchaff_refused_total "
        << refused_
        << "\n# HELP chaff_latency_seconds From a body read to its answer.\n# TYPE chaff_latency_seconds histogram\n";
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      out << "chaff_latency_seconds_bucket{le=\"" << bounds[i] << "\"} " << faster_[i] << "\n";
    }
    out << "chaff_latency_seconds_bucket{le=\"+Inf\"} " << queries << "\nchaff_latency_seconds_sum "
        << static_cast<double>(nanoseconds_) * 1e-9 << "\nchaff_latency_seconds_count " << queries << "\n";
    return out.str();
  }

 private:
  static constexpr std::array bounds{50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 100e-3};

  std::atomic<std::uint64_t> queries_{0}, touched_{0}, refused_{0}, nanoseconds_{0};
  std::array<std::atomic<std::uint64_t>, bounds.size()> faster_{};
};

}  // namespace service

#endif
