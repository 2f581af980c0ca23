// SPDX-License-Identifier: MIT
/// How the label is kept ahead: the cap on the other classes, and the water level that a wider margin asks for.
#ifndef CHAFF_POSTERIOR_LABEL_LEAD_HPP
#define CHAFF_POSTERIOR_LABEL_LEAD_HPP

#include <algorithm>
#include <cmath>
#include <span>

#include "chaff/lanes/blocks.hpp"
#include "chaff/lanes/row_sum.hpp"

namespace chaff {

/// The label cap, relative to the label's weight: w_j = min(w_j, w_k (1 - 4 eps)). The gap of four units in the last
/// place survives the rounding of normalisation, which is monotone and costs at most one.
template <class T>
inline constexpr T label_cap = T(1) - 4 * std::numeric_limits<T>::epsilon();

/// Least weight of a label that is kept, where p sums to 1: the answer is then flat with the label ahead, never empty.
inline constexpr double least_label_weight = 1e-6;

/// The margin to aim at: a little more than asked, so that the rounded answer has it.
template <class T>
constexpr double margin_to_hold(double margin) {
  return std::min(1.0, margin + 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

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
  // a row whose sum was rounded up could else hold what a lead of 1 leaves no room for
  const T cut = static_cast<T>(std::min(level, 1 - margin));
  return {cut, static_cast<T>(static_cast<double>(cut) + margin)};
}

/// The class that an answer is to name, and its least lead over every other one, as a difference of probabilities.
struct kept_label {
  std::size_t index;
  double margin;
};

/// Turns weights, at least 0 and on a scale where they sum to about 1, into an answer that keeps its label, in place:
/// the label lifted to least_label_weight, the others capped below it, all scaled to sum to 1, and levelled where the
/// lead is less than the margin. A weight of 0 stays 0, the label's alone excepted.
template <class T>
void normalise_behind_label(std::span<T> weights, kept_label kept) {
  T label = std::max(weights[kept.index], static_cast<T>(least_label_weight));
  weights[kept.index] = 0;
  const auto for_others = [&](auto change) {
    for_each_block<T>(weights.size(), [&](std::size_t first, auto count) {
      store<T>(weights.data() + first, change(load<T>(weights.data() + first, count, T(0))), count);
    });
  };
  row_sum<T> others;
  const T cap = label * label_cap<T>;
  for_others([&](lanes<T> w) {
    w = least<T>(w, broadcast(cap));
    others.add(w);
    return w;
  });
  const T scale = static_cast<T>(1 / (others.total() + static_cast<double>(label)));
  label *= scale;
  for_others([&](lanes<T> w) { return w * scale; });
  if (kept.margin > 0) {
    const levelled<T> level = level_for<T>(static_cast<double>(label), margin_to_hold<T>(kept.margin), [&](auto visit) {
      for_each_block<T>(weights.size(),
                        [&](std::size_t first, auto count) { visit(load<T>(weights.data() + first, count, T(0))); });
    });
    label = level.label;
    for_others([&](lanes<T> w) { return least<T>(w, broadcast(level.level)); });
  }
  weights[kept.index] = label;
}

}  // namespace chaff

#endif
