// SPDX-License-Identifier: MIT
/// How the label is kept ahead: the cap on the other classes, and the water level that a wider margin asks for.
#ifndef CHAFF_PIPELINE_LABEL_LEAD_HPP
#define CHAFF_PIPELINE_LABEL_LEAD_HPP

#include <cmath>

#include "chaff/lanes/lanes.hpp"

namespace chaff {

/// The label cap, relative to the label's weight: w_j = min(w_j, w_k (1 - 4 eps)). The gap of four units in the last
/// place survives the rounding of normalisation, which is monotone and costs at most one.
template <class T>
inline constexpr T label_cap = T(1) - 4 * std::numeric_limits<T>::epsilon();

/// Least weight of a label that is kept, where p sums to 1: the answer is then flat with the label ahead, never empty.
inline constexpr double least_label_weight = 1e-6;

/// A row q that sums to 1, cut at a level and the cut given to the label: q_j -> min(q_j, level), q_k -> level +
/// margin.
template <class T>
struct levelled {
  T level;  ///< +inf where the row's own lead is enough
  T label;  ///< q_k then
};

/// The level at which q's lead is `margin`, found without sorting: Newton's method on the convex, falling, piecewise
/// linear f(c) = q_k + sum_j max(0, q_j - c) - c = margin, from c = 0, where it reaches the root from below in finitely
/// many steps. Of all rows with that lead it is the one that lies nearest to q in L1.
///
/// Excess: for_others(visit) calls visit(lanes of q) for each block; the label's lane and lanes past the end hold 0.
template <class T, class ForOthers>
levelled<T> level_for(double label, double margin, ForOthers for_others) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  lanes<T> greatest{};
  for_others([&](lanes<T> q) { greatest = most<T>(q, greatest); });
  if (label - static_cast<double>(most_of<T>(greatest)) >= margin) return {infinity, static_cast<T>(label)};
  double level = 0;
  for (int step = 0; step < 100; ++step) {
    row_sum<T> above;
    row_sum<T> count;
    const lanes<T> bar = broadcast(static_cast<T>(level));
    for_others([&](lanes<T> q) {
      above.add(select<T>(q > bar, q, lanes<T>{}));
      count.add(select<T>(q > bar, broadcast(T(1)), lanes<T>{}));
    });
    const double next = (label + above.total() - margin) / (count.total() + 1);
    if (!(next > level)) break;
    level = next;
  }
  const T cut = static_cast<T>(level);
  return {cut, static_cast<T>(static_cast<double>(cut) + margin)};
}

}  // namespace chaff

#endif
