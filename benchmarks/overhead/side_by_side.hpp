// SPDX-License-Identifier: MIT
/// Times an answer beside a plain softmax of the same rows, turn by turn, so that noise meets both.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_SIDE_BY_SIDE_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_SIDE_BY_SIDE_HPP

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <vector>

/// softmax(z) as one writes it in Eigen: what an undefended server computes.
template <class T>
void plain_softmax(const T* logits, T* posterior, std::size_t classes) {
  using row = Eigen::Array<T, Eigen::Dynamic, 1>;
  const Eigen::Map<const row> z(logits, static_cast<Eigen::Index>(classes));
  Eigen::Map<row> p(posterior, static_cast<Eigen::Index>(classes));
  p = (z - z.maxCoeff()).exp();
  p /= p.sum();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Calls ours(turn) and baseline(turn) by turns, in pieces of about 20 microseconds. Counters, medians over the pieces:
/// `ns` for a call, `ns_class` for each of the `classes` that it answers, and `ratio` to the baseline.
template <class Ours, class Baseline>
void side_by_side(benchmark::State& state, std::size_t classes, Ours ours, Baseline baseline) {
  using clock = std::chrono::steady_clock;
  const auto time_of = [](auto& call, std::size_t calls) {
    const auto start = clock::now();
    for (std::size_t turn = 0; turn < calls; ++turn) {
      call(turn);
      benchmark::ClobberMemory();
    }
    return std::chrono::duration<double>(clock::now() - start).count();
  };
  time_of(ours, 3);
  const std::size_t calls = 1 + static_cast<std::size_t>(20e-6 / std::max(1e-9, time_of(ours, 3) / 3));
  std::vector<double> times, ratios;
  for (auto _ : state) {
    const double mine = time_of(ours, calls), other = time_of(baseline, calls);
    state.SetIterationTime(mine);
    times.push_back(mine / static_cast<double>(calls) * 1e9);
    ratios.push_back(mine / other);
  }
  state.counters["ns"] = median(times);
  state.counters["ns_class"] = median(times) / static_cast<double>(classes);
  state.counters["ratio"] = median(ratios);
}

#endif
