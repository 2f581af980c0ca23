// SPDX-License-Identifier: MIT
/// A reduction that rounds probabilities to a number of decimals.
#ifndef CHAFF_REDUCTIONS_ROUNDED_HPP
#define CHAFF_REDUCTIONS_ROUNDED_HPP

#include <cmath>

#include "chaff/policy.hpp"
#include "chaff/reductions/grid_row.hpp"
#include "chaff/reductions/normalise.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The sum of a row's counts, but for that of the label of the change.
template <class T>
std::int64_t sum_of_counts(const grid_row<T>& row, std::size_t label) {
  typename grid_row<T>::ints sum{};
  for (std::size_t first = 0; first < row.size(); first += row.width) sum += row.down(first);
  const std::int64_t all = simd::sum_across<std::int32_t>(sum);
  return label < row.size() ? all - row.down_at(label) : all;
}

/// The entries with the n largest claims; none for n = 0.
template <class T>
largest<std::int32_t> find_changed(const grid_row<T>& row, std::int64_t n) {
  if (n == 0) return {(std::numeric_limits<std::int32_t>::max)(), 0};
  return n_largest(row, static_cast<std::size_t>(n));
}

/// The sum of the n largest claims.
template <class T>
std::int64_t sum_of_claims(const grid_row<T>& row, std::int64_t n) {
  using ints = typename grid_row<T>::ints;
  const largest<std::int32_t> changed = find_changed(row, n);
  std::int64_t sum = 0;
  for (std::size_t from = 0; from < row.size(); from += row.stretch) {
    ints high{}, low{};  // halves of 14 bits, whose sums over a stretch fit
    for (std::size_t first = from; first < (std::min)(row.size(), from + row.stretch); first += row.width) {
      const ints claim = row.block(first) & changed.of_block(first, row.block(first));
      high += claim >> 14;
      low += claim & 0x3fff;
    }
    sum += std::int64_t{simd::sum_across<std::int32_t>(high)} << 14;
    sum += simd::sum_across<std::int32_t>(low);
  }
  return sum;
}

/// Writes counts of units, of which some change by `step`, as probabilities.
template <class T>
void write_counts(const grid_row<T>& row, const largest<std::int32_t>& changed, std::int32_t step, std::int32_t units,
                  std::span<T> output) {
  for (std::size_t first = 0; first < output.size(); first += row.width) {
    const auto n = row.down(first) + (changed.of_block(first, row.block(first)) & step);
    const std::size_t left = output.size() - first;
    if constexpr (std::is_same_v<T, float>) {
      // both are exact in float
      simd::store_some<float>(output.data() + first,
                              __builtin_convertvector(n, simd::vec<float>) / static_cast<float>(units), left);
    } else {
      for (std::size_t i = 0; i < (std::min)(left, row.width); ++i) {
        output[first + i] = static_cast<T>(n[i]) / static_cast<T>(units);
      }
    }
  }
}

/// A row of which the label is to lead on the grid, by more units than plain rounding gives it. With the label at a
/// count, the others are held at a level, `lead` units below it: rounded down, cut to the level, and then some rise by
/// a unit, the largest remainders first, or give one, the smallest first.
template <class T>
struct leading_label {
  grid_row<T>& row;
  std::size_t label;
  std::int32_t units;
  std::int32_t lead;

  /// How many others are to rise by a unit where the label has a count, or less 0, how many are to give one.
  std::int64_t rest_at(std::int32_t count) const {
    row.set_change({.level = count - lead, .is_rise = true, .label = label});
    return units - count - sum_of_counts(row, label);
  }

  /// How far the row with the label at a count lies from the exact one in L1, in units of 2^-28 and up to a constant:
  /// |count - exact_k| + count + 2 sum (1 - remainder) over those that rise.
  std::int64_t distance_at(std::int32_t count) const {
    constexpr std::int64_t unit = grid_row<T>::unit;
    const std::int64_t rest = rest_at(count);
    const std::int64_t own = (std::abs)(count * unit - row.exact(label)) + count * unit;
    if (rest <= 0) return own;
    if (rest > static_cast<std::int64_t>(count_at_least(row, 0))) return (std::numeric_limits<std::int64_t>::max)();
    return own + 2 * (rest * unit - sum_of_claims(row, rest));
  }

  /// The count in [low, high] with the smallest distance; the distance is convex, and infinite below some count.
  std::int32_t nearest_count(std::int32_t low, std::int32_t high) const {
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      const std::int64_t here = distance_at(middle);
      if (here == (std::numeric_limits<std::int64_t>::max)() || distance_at(middle + 1) < here) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  void write(std::int32_t count, std::span<T> output) const {
    const std::int64_t rest = rest_at(count);
    if (rest < 0) row.set_change({.level = count - lead, .is_rise = false, .label = label});
    write_counts(row, find_changed(row, (std::abs)(rest)), rest < 0 ? -1 : 1, units, output);
    output[label] = static_cast<T>(static_cast<double>(count) / static_cast<double>(units));
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// Rounds probabilities to a number of decimals, so that they still sum to exactly 1.
/// Formula: largest-remainder rounding to the grid n / 10^decimals. Each entry is rounded down, and the units that are
/// then missing go to the largest remainders, of equal ones to the lowest indices. Where the label would then lead by
/// less than the margin, or by less than one unit, the output is the nearest row on the grid, in L1, in which it does
/// not. An entry of 0 stays 0. Remainders that differ by less than 4e-9 of a unit count as equal.
/// Units: entries are the numbers of T nearest to n / 10^decimals; the n sum to 10^decimals exactly.
/// Range: decimals in [0, 7]; 3 is the default of ART.
/// Error: an entry moves by less than one unit, unless the label needs the lead.
/// Throws: std::invalid_argument for any other value, when bound to a model and at apply.
/// Allocates: nothing. Cost: O(K); O(K log u) where the label needs u units more.
/// Source: known as Rounded in ART.
struct rounded {
  int decimals = 3;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"decimals", static_cast<double>(decimals), 0, 7});
  }

  template <class T>
  void operator()(std::span<T> output, kept_label kept) const {
    std::int32_t units = 1;
    for (int i = 0; i < decimals; ++i) units *= 10;
    const double aim = std::ceil(detail::lead_to_aim_at<T>(kept.margin) * units);
    const std::int32_t lead = kept.margin > 0 ? static_cast<std::int32_t>((std::min)(double(units), aim)) : 1;
    detail::grid_row<T> row(output, units);

    // plain rounding: what it gives the label, and the largest that it gives another class
    const detail::largest<std::int32_t> up =
        detail::find_changed(row, units - detail::sum_of_counts(row, output.size()));
    const std::int32_t down = row.down_at(kept.index);
    const std::int32_t own = down + up.has(kept.index, row.at(kept.index));
    typename detail::grid_row<T>::ints greatest{};
    for (std::size_t first = 0; first < output.size(); first += row.width) {
      const auto n = row.down(first) - up.of_block(first, row.block(first));
      const auto is_other = simd::iota<std::int32_t>(0) != static_cast<std::int32_t>(kept.index - first);
      greatest = simd::maximum<std::int32_t>(n & is_other, greatest);
    }
    const std::int32_t largest_other = simd::max_across<std::int32_t>(greatest);
    if (own >= largest_other + lead) return detail::write_counts(row, up, 1, units, output);

    const detail::leading_label<T> leading{row, kept.index, units, lead};
    leading.write(leading.nearest_count((std::max)(lead, down), (std::min)(units, largest_other + lead)), output);
  }
};

}  // namespace chaff

CHAFF_END

#endif
