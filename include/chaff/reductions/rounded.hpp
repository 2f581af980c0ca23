// SPDX-License-Identifier: MIT
/// Tells probabilities to a number of decimals, that sum to exactly 1 there.
#ifndef CHAFF_REDUCTIONS_ROUNDED_HPP
#define CHAFF_REDUCTIONS_ROUNDED_HPP

#include <cmath>
#include <cstdint>
#include <limits>

#include "chaff/policy.hpp"
#include "chaff/posterior/label_lead.hpp"
#include "chaff/posterior/n_largest.hpp"

namespace chaff {

/// Largest-remainder rounding to the grid n / 10^decimals: each entry is rounded down, and the units that are then
/// missing go to the largest remainders, of equal ones to the lowest indices. Where that would leave the label less
/// than the margin ahead of another class, or less than one unit, the answer is instead the nearest row on the grid, in
/// L1, in which it is. An entry of 0 stays 0.
///
/// decimals in [0, 7]; 3 is ART's default. Raises std::invalid_argument for any other.
/// Values: entries are the numbers of T nearest to n / 10^decimals, and the n sum to 10^decimals exactly. An entry
/// moves by less than one unit, unless the label needs the lead. Remainders that differ by less than 1e-9
/// of a unit count as equal. Cost: O(K); O(K log u) where the label needs u units more. Allocation: none. Known
/// elsewhere as: Rounded (ART).
struct rounded {
  int decimals = 3;

  void check(const policy&) const { check_range("decimals", decimals, 0, 7); }

  template <class T>
  void operator()(std::span<T> answer, kept_label kept) const {
    const std::size_t classes = answer.size();
    double units = 1;
    for (int i = 0; i < decimals; ++i) units *= 10;
    double sum = 0;
    for (const T y : answer) sum += static_cast<double>(y);
    // An entry in units, with 30 bits after the point. In integers: a product that a compiler may or may not fuse into
    // the next sum would be one number here and another there.
    const double scale_q31 = units / sum * 0x1p31;
    const auto exact_q30 = [&](std::size_t i) {
      return (static_cast<std::int64_t>(static_cast<double>(answer[i]) * scale_q31) + 1) >> 1;
    };
    const auto exact = [&](std::size_t i) { return static_cast<double>(exact_q30(i)) * 0x1p-30; };
    const auto down = [&](std::size_t i) { return static_cast<double>(exact_q30(i) >> 30); };
    const auto remainder = [&](std::size_t i) { return static_cast<double>(exact_q30(i) & 0x3fffffff) * 0x1p-30; };
    const std::size_t k = kept.index;

    // plain rounding: what it gives the label, and the most that it gives another class
    double missing = units;
    for (std::size_t i = 0; i < classes; ++i) missing -= down(i);
    const auto up = some_largest(classes, missing, remainder);
    double own = 0, most = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      const double n = down(i) + (missing > 0 && up.has(i, order_of_claim(remainder(i))));
      (i == k ? own : most) = i == k ? n : std::max(most, n);
    }

    const double lead = kept.margin > 0 ? std::min(units, std::ceil(margin_to_hold<T>(kept.margin) * units)) : 1;
    if (own >= most + lead) {
      for (std::size_t i = 0; i < classes; ++i) {
        const double n = down(i) + (missing > 0 && up.has(i, order_of_claim(remainder(i))));
        answer[i] = static_cast<T>(n / units);  // entry i is not read again
      }
      return;
    }

    // With the label at a count, the others are held at `level`, lead units below it: rounded down, cut to the level,
    // and then `rest` of them rise by a unit, the largest remainders first, or give one, the smallest first.
    const auto claim_at = [&](double level, bool rise) {
      return [&, level, rise](std::size_t i) {
        if (i == k || (rise ? down(i) >= level || !(answer[i] > 0) : std::min(down(i), level) < 1)) return 0.0;
        return rise ? 1 + remainder(i) : 2 - remainder(i);
      };
    };
    // how far the row with the label at that count lies from the exact one
    const auto distance = [&](double label) {
      const double level = label - lead;
      double sum_down = 0, can_rise = 0, off = std::abs(label - exact(k));
      for (std::size_t i = 0; i < classes; ++i) {
        if (i == k) continue;
        const double n = std::min(down(i), level);
        sum_down += n;
        can_rise += n < level && answer[i] > 0;
        off += exact(i) - n;
      }
      const double rest = units - label - sum_down;
      if (rest > can_rise) return std::numeric_limits<double>::infinity();
      if (rest <= 0) return off - rest;
      const auto claim = claim_at(level, true);
      const auto rising = some_largest(classes, rest, claim);
      for (std::size_t i = 0; i < classes; ++i) {
        if (rising.has(i, order_of_claim(claim(i)))) off += 1 - 2 * remainder(i);
      }
      return off;
    };
    // which is convex in the label's count
    double label = std::max(lead, down(k));
    double high = std::min(units, most + lead);
    while (label < high) {
      const double middle = std::floor((label + high) / 2);
      const double here = distance(middle);
      if (here == std::numeric_limits<double>::infinity() || distance(middle + 1) < here) {
        label = middle + 1;
      } else {
        high = middle;
      }
    }

    const double level = label - lead;
    double rest = units - label;
    for (std::size_t i = 0; i < classes; ++i) rest -= i == k ? 0 : std::min(down(i), level);
    const auto claim = claim_at(level, rest > 0);
    const auto changed = some_largest(classes, std::abs(rest), claim);
    for (std::size_t i = 0; i < classes; ++i) {
      double n = label;
      if (i != k) {
        n = std::min(down(i), level);
        if (rest != 0 && changed.has(i, order_of_claim(claim(i)))) n += rest > 0 ? 1 : -1;
      }
      answer[i] = static_cast<T>(n / units);  // entry i is not read again
    }
  }

 private:
  /// A number in [0, 2] as an integer of the same order, half as long as its bits and so found in half the passes.
  static std::uint32_t order_of_claim(double number) { return static_cast<std::uint32_t>(number * 0x1p30); }

  template <class Number>
  static auto some_largest(std::size_t classes, double n, Number number) {
    return n_largest(n > 0 ? classes : 0, static_cast<std::size_t>(n),
                     [&](std::size_t i) { return order_of_claim(number(i)); });
  }
};

}  // namespace chaff

#endif
