// SPDX-License-Identifier: MIT
/// The classes of a row other than the label, in sums over those below or above a probability: what a perturbation that
/// would sort the classes needs, without a sorted copy.
#ifndef CHAFF_POSTERIOR_OTHER_CLASSES_HPP
#define CHAFF_POSTERIOR_OTHER_CLASSES_HPP

#include <algorithm>

#include "chaff/posterior/row.hpp"
#include "chaff/simd/widen.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A sum over many blocks: at most 16 are added in T before they are carried on in double.
template <class T>
struct wide_sum {
  simd::vec<T> part{};
  simd::wide_block<double> carried{};

  [[gnu::always_inline]] void carry() {
    if constexpr (std::is_same_v<T, float>) {
      const simd::wide_block<double> wide = simd::widen(part);
      carried[0] += wide[0];
      carried[1] += wide[1];
    } else {
      carried[0] += part;
    }
    part = simd::vec<T>{};
  }
  [[gnu::always_inline]] double total() const { return simd::sum_across<double>(carried[0] + carried[1]); }
};

/// The classes with p <= x.
template <class T>
struct classes_up_to {
  double count;
  double mass;  ///< the sum of p
  double gap;   ///< the sum of cost(last) - cost(p)
  T last;       ///< the largest p of them; -1 where there is none
  T next;       ///< the smallest p above x; 2 where there is none
};

/// The classes with p > x, which are `above`, and those with cap < p <= x, which are `capped`.
template <class T>
struct classes_above {
  double above;
  double above_mass;
  double capped;
  double capped_mass;
  double capped_cost;  ///< the sum of cost(p)
  T last;              ///< the largest p up to x; -1 where there is none
  T next;              ///< the smallest p above x; 2 where there is none
};

/// The classes of a row that are neither the label nor masked, and their costs, cost(p) = log(p + 1e-6).
/// Up to `max_held` classes are held; of a longer row, each sum computes them anew. p has the bits of block<T>::p.
template <class T>
class other_classes {
 public:
  static constexpr std::size_t max_held = 1024;

  explicit other_classes(const row<T>& row) : row_(row), scale_(static_cast<T>(1 / row.mass())) {
    simd::vec<T> lowest = simd::broadcast(T(2)), highest = simd::broadcast(T(-1));
    for (std::size_t first = 0; first < row.classes(); first += simd::width<T>) {
      const simd::vec<T> p = block_of(first);
      lowest = simd::minimum<T>(simd::select<T>(p < T(0), lowest, p), lowest);
      highest = simd::maximum<T>(p, highest);
      if (row.classes() > max_held) continue;
      simd::store<T>(p_ + first, p);
      simd::store<T>(cost_ + first, costs_of(p));
    }
    lowest_ = simd::min_across<T>(lowest);
    highest_ = simd::max_across<T>(highest);
  }

  bool is_empty() const { return highest_ < 0; }
  T lowest() const { return lowest_; }
  T highest() const { return highest_; }

  /// p of the label, with the bits of block<T>::p.
  T label_p() const { return static_cast<T>(row_.label_mass) * scale_; }

  static T cost(T p) { return costs_of(simd::broadcast(p))[0]; }

  [[gnu::noinline]] classes_up_to<T> up_to(T x) const {
    const simd::vec<T> bound = simd::broadcast(x), cost_at_bound = costs_of(bound);
    simd::mask<T> count{};
    wide_sum<T> mass, gap;
    simd::vec<T> last = simd::broadcast(T(-1)), next = simd::broadcast(T(2));
    for_each_block(
        [&](simd::vec<T> p, auto costs) CHAFF_INLINE {
          const simd::mask<T> is_above = p > bound;
          const simd::mask<T> is_in = ~is_above & (p >= T(0));
          count -= is_in;
          mass.part += simd::select<T>(is_in, p, simd::vec<T>{});
          gap.part += simd::select<T>(is_in, cost_at_bound - costs(is_in), simd::vec<T>{});
          last = simd::maximum<T>(simd::select<T>(is_above, simd::broadcast(T(-1)), p), last);
          next = simd::minimum<T>(simd::select<T>(is_above, p, simd::broadcast(T(2))), next);
        },
        [&]() CHAFF_INLINE {
          mass.carry();
          gap.carry();
        });
    const T largest = simd::max_across<T>(last);
    const double to_largest = static_cast<double>(cost_at_bound[0]) - static_cast<double>(cost(largest));
    const double counted = count_of(count);
    return {counted, mass.total(), gap.total() - counted * to_largest, largest, simd::min_across<T>(next)};
  }

  [[gnu::noinline]] classes_above<T> above(T x, T cap) const {
    return cap < x ? sums_above(x, cap, std::true_type{}) : sums_above(x, x, std::false_type{});
  }

 private:
  template <class HasCapped>
  [[gnu::always_inline]] classes_above<T> sums_above(T x, T cap, HasCapped) const {
    const simd::vec<T> bound = simd::broadcast(x), lower = simd::broadcast(cap);
    simd::mask<T> above{}, capped{};
    wide_sum<T> above_mass, capped_mass, capped_cost;
    simd::vec<T> last = simd::broadcast(T(-1)), next = simd::broadcast(T(2));
    for_each_block(
        [&](simd::vec<T> p, auto costs) CHAFF_INLINE {
          const simd::mask<T> is_above = p > bound;
          above -= is_above;
          above_mass.part += simd::select<T>(is_above, p, simd::vec<T>{});
          last = simd::maximum<T>(simd::select<T>(is_above, simd::broadcast(T(-1)), p), last);
          next = simd::minimum<T>(simd::select<T>(is_above, p, simd::broadcast(T(2))), next);
          if constexpr (HasCapped::value) {
            const simd::mask<T> is_capped = (p > lower) & ~is_above;
            if (!simd::any_of<T>(is_capped)) return;  // few are, if any
            capped -= is_capped;
            capped_mass.part += simd::select<T>(is_capped, p, simd::vec<T>{});
            capped_cost.part += simd::select<T>(is_capped, costs(is_capped), simd::vec<T>{});
          }
        },
        [&]() CHAFF_INLINE {
          above_mass.carry();
          if constexpr (HasCapped::value) {
            capped_mass.carry();
            capped_cost.carry();
          }
        });
    return {count_of(above),     above_mass.total(),        count_of(capped),         capped_mass.total(),
            capped_cost.total(), simd::max_across<T>(last), simd::min_across<T>(next)};
  }

  [[gnu::always_inline]] static simd::vec<T> costs_of(simd::vec<T> p) {
    return simd::log_normal<T>(simd::maximum<T>(p, simd::vec<T>{}) + T(1e-6));
  }

  static double count_of(simd::mask<T> count) { return static_cast<double>(simd::sum_across<simd::int_of<T>>(count)); }

  /// p of a block; -1 for the label, masked classes and lanes past the row's end.
  [[gnu::always_inline]] simd::vec<T> block_of(std::size_t first) const {
    using Int = simd::int_of<T>;
    const simd::vec<T> z = simd::load_some<T>(row_.values.data() + first, row_.classes() - first, row_.masked_value());
    const simd::vec<T> e = row_.input == form::probabilities ? z : simd::exp_nonpositive<T>(z - row_.label_value);
    const simd::mask<T> is_label = simd::iota<Int>(0) == static_cast<Int>(row_.label - first);
    return simd::select<T>((z <= row_.masked_value()) | is_label, simd::broadcast(T(-1)), e * scale_);
  }

  /// Calls visit(p, costs) for each block, costs(which) being the costs of the lanes in a mask, and carry() after at
  /// most 16 blocks.
  template <class Visit, class Carry>
  [[gnu::always_inline]] void for_each_block(Visit visit, Carry carry) const {
    constexpr std::size_t stretch = 16 * simd::width<T>;
    const bool is_held = row_.classes() <= max_held;
    for (std::size_t from = 0; from < row_.classes(); from += stretch) {
      const std::size_t end = (std::min)(from + stretch, row_.classes());
      if (is_held) {
        for (std::size_t i = from; i < end; i += simd::width<T>) {
          visit(simd::load<T>(p_ + i), [&](simd::mask<T>) CHAFF_INLINE { return simd::load<T>(cost_ + i); });
        }
      } else {
        for (std::size_t i = from; i < end; i += simd::width<T>) {
          const simd::vec<T> p = block_of(i);
          visit(p, [&](simd::mask<T> which)
                       CHAFF_INLINE { return simd::any_of<T>(which) ? costs_of(p) : simd::vec<T>{}; });
        }
      }
      carry();
    }
  }

  const row<T>& row_;
  T scale_;
  T lowest_;
  T highest_;
  alignas(simd::vector_bytes) T p_[max_held];
  alignas(simd::vector_bytes) T cost_[max_held];
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
