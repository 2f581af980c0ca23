// SPDX-License-Identifier: MIT
/// Times any number of calls by turns, so that noise meets all of them alike.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_BY_TURNS_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_BY_TURNS_HPP

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "side_by_side.hpp"

/// One of the calls that are timed by turns.
struct contestant {
  std::string name;
  std::function<double(std::size_t)> seconds_of;  ///< the time that a number of calls takes
  std::vector<double> ns = {};                    ///< nanoseconds a call, one entry for each turn
};

/// A contestant that calls call(turn).
template <class Call>
contestant make_contestant(std::string name, Call call) {
  return {std::move(name), [call](std::size_t calls) mutable {
            using clock = std::chrono::steady_clock;
            const auto start = clock::now();
            for (std::size_t turn = 0; turn < calls; ++turn) {
              call(turn);
              benchmark::ClobberMemory();
            }
            return std::chrono::duration<double>(clock::now() - start).count();
          }};
}

/// Fills in the contestants' times. In each turn all of them run once, in random order, for about 20 microseconds and
/// at least one call, after a call that is not timed: it brings back what the others have put out of the caches.
inline void time_by_turns(std::vector<contestant>& contestants, double seconds) {
  using clock = std::chrono::steady_clock;
  std::vector<std::size_t> calls, order(contestants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const contestant& each : contestants) {
    each.seconds_of(3);
    calls.push_back(1 + static_cast<std::size_t>(20e-6 / std::max(1e-9, each.seconds_of(3) / 3)));
  }
  std::mt19937 random(1);
  const auto start = clock::now();
  for (int turn = 0; turn < 3 || std::chrono::duration<double>(clock::now() - start).count() < seconds; ++turn) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      contestants[i].seconds_of(1);
      contestants[i].ns.push_back(contestants[i].seconds_of(calls[i]) / static_cast<double>(calls[i]) * 1e9);
    }
  }
}

/// The median over the turns of one contestant's time relative to another's.
inline double median_ratio(const contestant& one, const contestant& other) {
  std::vector<double> ratios;
  for (std::size_t turn = 0; turn < one.ns.size(); ++turn) ratios.push_back(one.ns[turn] / other.ns[turn]);
  return median(ratios);
}

#endif
