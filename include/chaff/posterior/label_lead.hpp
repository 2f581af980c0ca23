// SPDX-License-Identifier: MIT
/// How the predicted label is kept ahead of the other classes.
#ifndef CHAFF_POSTERIOR_LABEL_LEAD_HPP
#define CHAFF_POSTERIOR_LABEL_LEAD_HPP

#include <algorithm>
#include <limits>

#include "chaff/abi.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The label cap of a perturbed row: no other weight is above this share of the label's. The gap of 1/64 is wider than
/// two units in the last place of bfloat16, of float16, and of three significant decimal digits.
template <class T>
inline constexpr T perturbed_label_cap = T(63) / T(64);

/// The label cap of a row that is not perturbed: it separates ties and changes nothing else. The gap of four units in
/// the last place survives the rounding of normalisation, which is monotone and costs at most one.
template <class T>
inline constexpr T tie_label_cap = T(1) - 4 * std::numeric_limits<T>::epsilon();

/// The smallest weight of a label that is kept, where p sums to 1: the output is then flat with the label ahead, and
/// never empty.
inline constexpr double min_label_weight = 1e-6;

/// The lead to aim at for a margin: a little more, so that the rounded output still has the margin.
template <class T>
constexpr double lead_to_aim_at(double margin) {
  return (std::min)(1.0, margin + 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

/// The share t with which y <- (1 - t) y + t e_label has the margin, where y has the lead `lead`; 0 where that is
/// enough.
template <class T>
[[gnu::always_inline]] constexpr double share_for_margin(double lead, double margin) {
  const double target = lead_to_aim_at<T>(margin);
  if (margin <= 0 || lead >= target) return 0;
  return (target - lead) / (1 - lead);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
