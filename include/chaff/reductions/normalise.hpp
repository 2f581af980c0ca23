// SPDX-License-Identifier: MIT
/// The last step of a reduction: what is left of an output becomes probabilities again, with the label first.
#ifndef CHAFF_REDUCTIONS_NORMALISE_HPP
#define CHAFF_REDUCTIONS_NORMALISE_HPP

#include <algorithm>
#include <span>

#include "chaff/concepts.hpp"
#include "chaff/posterior/label_lead.hpp"
#include "chaff/simd/row_sum.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Normalises weights with every other one at most `cap_share` of the label's.
template <class T>
CHAFF_NO_IPA void normalise_under_cap(std::span<T> weights, kept_label kept, T cap_share) {
  T label = (std::max)(weights[kept.index], static_cast<T>(min_label_weight));
  weights[kept.index] = 0;
  const simd::vec<T> cap = simd::broadcast(label * cap_share);
  simd::vec<T> greatest{};
  const double others = simd::sum_over_row<T>(weights.size(), [&](std::size_t first, auto count) CHAFF_INLINE {
    const simd::vec<T> w = simd::minimum<T>(simd::load<T>(weights.data() + first, count, T(0)), cap);
    greatest = simd::maximum<T>(w, greatest);
    return w;
  });
  const double mass = others + static_cast<double>(label);
  const double max_other = static_cast<double>(simd::max_across<T>(greatest));
  const double t = share_for_margin<T>((static_cast<double>(label) - max_other) / mass, kept.margin);
  const T scale = static_cast<T>((1 - t) / mass);
  simd::for_each_block<T>(weights.size(), [&](std::size_t first, auto count) CHAFF_INLINE {
    const simd::vec<T> w = simd::minimum<T>(simd::load<T>(weights.data() + first, count, T(0)), cap);
    simd::store<T>(weights.data() + first, w * scale, count);
  });
  weights[kept.index] = static_cast<T>((1 - t) * static_cast<double>(label) / mass + t);
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Turns weights, at least 0 and on a scale where they sum to about 1, into an output with its label first, in place:
/// the label is lifted to 1e-6, the others are cut just below it, all are scaled to sum to 1, and the label is given
/// its margin. It is the last step of a reduction that leaves the order of the classes as it is.
/// A weight of 0 stays 0, except that of the label.
template <class T>
void normalise_with_label_first(std::span<T> weights, kept_label kept) {
  detail::normalise_under_cap(weights, kept, detail::tie_label_cap<T>);
}

/// normalise_with_label_first for a reduction that can change the order of the classes, such as noise: the others are
/// cut at 63/64 of the label, as in a perturbed row.
template <class T>
void normalise_with_label_ahead(std::span<T> weights, kept_label kept) {
  detail::normalise_under_cap(weights, kept, detail::perturbed_label_cap<T>);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
