// SPDX-License-Identifier: MIT
/// A reduction that rounds probabilities to a number of decimals.
#ifndef CHAFF_REDUCTIONS_ROUNDED_HPP
#define CHAFF_REDUCTIONS_ROUNDED_HPP

#include <cmath>
#include <cstdint>
#include <limits>

#include "chaff/policy.hpp"
#include "chaff/posterior/n_largest.hpp"
#include "chaff/reductions/normalise.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A number in [0, 2] as an integer of the same order, half as long as its bits and so found in half the passes.
inline std::uint32_t order_of_claim(double number) {
  return static_cast<std::uint32_t>(number * 0x1p30);
}

/// The n classes with the largest numbers; none for n <= 0.
template <class Number>
auto some_largest(std::size_t classes, double n, Number number) {
  return n_largest(n > 0 ? classes : 0, static_cast<std::size_t>(n),
                   [&](std::size_t i) { return order_of_claim(number(i)); });
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff {

/// Rounds probabilities to a number of decimals, so that they still sum to exactly 1.
/// Formula: largest-remainder rounding to the grid n / 10^decimals. Each entry is rounded down, and the units that are
/// then missing go to the largest remainders, of equal ones to the lowest indices. Where the label would then lead by
/// less than the margin, or by less than one unit, the output is the nearest row on the grid, in L1, in which it does
/// not. An entry of 0 stays 0. Remainders that differ by less than 1e-9 of a unit count as equal.
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
    const std::size_t classes = output.size();
    double units = 1;
    for (int i = 0; i < decimals; ++i) units *= 10;
    double sum = 0;
    for (const T y : output) sum += static_cast<double>(y);
    // An entry in units, with 30 bits after the point. In integers: a product that a compiler may or may not fuse into
    // the next sum would be one number here and another there.
    const double scale_q31 = units / sum * 0x1p31;
    const auto exact_q30 = [&](std::size_t i) {
      return (static_cast<std::int64_t>(static_cast<double>(output[i]) * scale_q31) + 1) >> 1;
    };
    const auto exact = [&](std::size_t i) { return static_cast<double>(exact_q30(i)) * 0x1p-30; };
    const auto down = [&](std::size_t i) { return static_cast<double>(exact_q30(i) >> 30); };
    const auto remainder = [&](std::size_t i) { return static_cast<double>(exact_q30(i) & 0x3fffffff) * 0x1p-30; };
    const std::size_t k = kept.index;

    // plain rounding: what it gives the label, and the largest that it gives another class
    double missing = units;
    for (std::size_t i = 0; i < classes; ++i) missing -= down(i);
    const auto up = detail::some_largest(classes, missing, remainder);
    double own = 0, largest_other = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      const double n = down(i) + (missing > 0 && up.has(i, detail::order_of_claim(remainder(i))));
      (i == k ? own : largest_other) = i == k ? n : (std::max)(largest_other, n);
    }

    const double lead =
        kept.margin > 0 ? (std::min)(units, std::ceil(detail::lead_to_aim_at<T>(kept.margin) * units)) : 1;
    if (own >= largest_other + lead) {
      for (std::size_t i = 0; i < classes; ++i) {
        const double n = down(i) + (missing > 0 && up.has(i, detail::order_of_claim(remainder(i))));
        output[i] = static_cast<T>(n / units);  // entry i is not read again
      }
      return;
    }

    // With the label at a count, the others are held at `level`, lead units below it: rounded down, cut to the level,
    // and then `rest` of them rise by a unit, the largest remainders first, or give one, the smallest first.
    const auto claim_at = [&](double level, bool rise) {
      return [&, level, rise](std::size_t i) {
        if (i == k || (rise ? down(i) >= level || !(output[i] > 0) : (std::min)(down(i), level) < 1)) return 0.0;
        return rise ? 1 + remainder(i) : 2 - remainder(i);
      };
    };
    // how far the row with the label at that count lies from the exact one
    const auto distance = [&](double label) {
      const double level = label - lead;
      double sum_down = 0, can_rise = 0, off = (std::abs)(label - exact(k));
      for (std::size_t i = 0; i < classes; ++i) {
        if (i == k) continue;
        const double n = (std::min)(down(i), level);
        sum_down += n;
        can_rise += n < level && output[i] > 0;
        off += exact(i) - n;
      }
      const double rest = units - label - sum_down;
      if (rest > can_rise) return std::numeric_limits<double>::infinity();
      if (rest <= 0) return off - rest;
      const auto claim = claim_at(level, true);
      const auto rising = detail::some_largest(classes, rest, claim);
      for (std::size_t i = 0; i < classes; ++i) {
        if (rising.has(i, detail::order_of_claim(claim(i)))) off += 1 - 2 * remainder(i);
      }
      return off;
    };
    // which is convex in the label's count
    double label = (std::max)(lead, down(k));
    double high = (std::min)(units, largest_other + lead);
    while (label < high) {
      const double middle = std::floor((label + high) / 2);
      const double here = distance(middle);
      if (!(here < std::numeric_limits<double>::infinity()) || distance(middle + 1) < here) {
        label = middle + 1;
      } else {
        high = middle;
      }
    }

    const double level = label - lead;
    double rest = units - label;
    for (std::size_t i = 0; i < classes; ++i) rest -= i == k ? 0 : (std::min)(down(i), level);
    const auto claim = claim_at(level, rest > 0);
    const auto changed = detail::some_largest(classes, (std::abs)(rest), claim);
    for (std::size_t i = 0; i < classes; ++i) {
      double n = label;
      if (i != k) {
        n = (std::min)(down(i), level);
        if ((std::abs)(rest) > 0 && changed.has(i, detail::order_of_claim(claim(i)))) n += rest > 0 ? 1 : -1;
      }
      output[i] = static_cast<T>(n / units);  // entry i is not read again
    }
  }
};

}  // namespace chaff

CHAFF_END

#endif
