// SPDX-License-Identifier: MIT
/// Rows of logits on a known side of a gate.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_ROWS_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_ROWS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <random>
#include <vector>

/// What the confidence gate of dcp{.beta = 0.9} does with a row: lets none of it through, all, or by turns; or a row as
/// it is drawn, for parts without a gate, which a tie for the first place would keep from what they do with most rows.
enum class gate_is { closed, open, mixed, absent };
inline constexpr gate_is all_gates[] = {gate_is::closed, gate_is::open, gate_is::mixed};
inline const char* name_of(gate_is gate) {
  constexpr const char* names[] = {"closed", "open", "mixed", "absent"};
  return names[static_cast<int>(gate)];
}

/// Memory that Eigen finds aligned: it answers a row several times faster there than where it peels scalar steps off
/// its ends, and a baseline is to be at its best.
template <class T>
using aligned_vector = std::vector<T, Eigen::aligned_allocator<T>>;

/// Enough rows that a branch is not learned by heart: 64 of few classes, and at least `rows`.
template <class T>
aligned_vector<T> rows_of_logits(std::size_t classes, std::size_t rows, gate_is gate) {
  rows = std::max(rows, std::clamp<std::size_t>(65536 / classes, 1, 64));
  std::mt19937 random(1);
  // an open row has its largest two logits alike, so that no class has more than half
  std::normal_distribution<double> draw(0, 2);
  aligned_vector<T> logits(rows * classes);
  for (T& z : logits) z = static_cast<T>(std::min(draw(random), 8.0));
  for (std::size_t r = 0; r < rows && gate != gate_is::absent; ++r) {
    T* row = logits.data() + r * classes;
    const std::size_t label = random() % classes;
    const bool open = gate == gate_is::open || (gate == gate_is::mixed && r % 2 == 0);
    row[label] = open ? *std::max_element(row, row + classes) : T(40);
  }
  return logits;
}

#endif
