// SPDX-License-Identifier: MIT
/// A row of probabilities in units of a grid, and which entries have the first claim on a unit more or less.
#ifndef CHAFF_REDUCTIONS_GRID_ROW_HPP
#define CHAFF_REDUCTIONS_GRID_ROW_HPP

#include <cstdint>

#include "chaff/posterior/n_largest.hpp"
#include "chaff/simd/widen.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// How counts of units are to change: no count but the label's is above `level`, and then some rise by a unit, or fall.
struct grid_change {
  std::int32_t level = (std::numeric_limits<std::int32_t>::max)();
  bool is_rise = true;
  std::size_t label = static_cast<std::size_t>(-1);  ///< a class that does not take part, if there is one
};

/// A row in units: each entry rounded down, and its claim on a change.
/// The claim on a unit more is the remainder, in units of 2^-28; on a unit less, 2^28 less the remainder. It is -1 of
/// an entry that may not change: an entry of 0 never rises, and none rises above the level or falls below 0. Both are
/// kept in buffers, which a row of up to 1024 classes fills once for each change; those of a longer row are filled anew
/// in each pass, a stretch at a time.
template <class T>
class grid_row {
 public:
  using number = std::int32_t;
  using ints = simd::vec<std::int32_t>;
  static constexpr std::size_t width = simd::width<float>;
  static constexpr std::size_t stretch = 1024;
  static constexpr std::int64_t unit = std::int64_t{1} << 28;

  /// Of entries that sum to about 1, and units of 1 / units.
  grid_row(std::span<const T> row, double units) : row_(row) {
    simd::vec<double> sum{};
    for (std::size_t first = 0; first < size(); first += width) {
      const simd::wide_block<double> y = simd::load_wide<T>(row_.data() + first, size() - first);
      sum += y[0] + y[1];
    }
    scale_ = units / simd::sum_across<double>(sum) * static_cast<double>(unit);
  }

  void set_change(const grid_change& change) {
    change_ = change;
    held_ = nothing;
  }

  std::size_t size() const { return row_.size(); }
  std::int32_t at(std::size_t i) const {
    hold(i);
    return claim_[i % stretch];
  }
  std::int32_t down_at(std::size_t i) const {
    hold(i);
    return down_[i % stretch];
  }
  /// The claims of a block; -1 past the row's end.
  [[gnu::always_inline]] ints block(std::size_t first, std::int32_t = -1) const {
    hold(first);
    return read(claim_ + first % stretch);
  }
  /// The entries of a block rounded down, and cut to the level; 0 past the row's end.
  [[gnu::always_inline]] ints down(std::size_t first) const {
    hold(first);
    return read(down_ + first % stretch);
  }
  /// An entry in units of 2^-28.
  std::int64_t exact(std::size_t i) const {
    const double y = static_cast<double>(row_[i]);
    return static_cast<std::int64_t>(fixed(simd::broadcast(y))[0]);
  }

 private:
  static constexpr std::size_t nothing = ~(static_cast<std::size_t>(-1) / 2);  // far from every class

  [[gnu::always_inline]] static ints read(const std::int32_t* from) {
    ints block;
    std::memcpy(&block, from, sizeof block);
    return block;
  }

  /// Entries in units of 2^-28, to the nearest: below 2^52, the sum with 2^52 holds them in its low bits.
  [[gnu::always_inline]] simd::vec<std::uint64_t> fixed(simd::vec<double> y) const {
    constexpr std::uint64_t mantissa = (std::uint64_t{1} << 52) - 1;
    const simd::vec<double> sum = simd::multiply_add<double>(y, simd::broadcast(scale_), simd::broadcast(0x1p52));
    return simd::bit_cast<std::uint64_t, double>(sum) & mantissa;
  }

  /// Has the stretch of a class in the buffers.
  [[gnu::always_inline]] void hold(std::size_t i) const {
    if (i - held_ >= stretch) fill(i / stretch * stretch);
  }

  [[gnu::noinline]] void fill(std::size_t from) const {
    held_ = from;
    const std::size_t end = (std::min)(size(), from + stretch);
    for (std::size_t first = from; first < end; first += width) {
      const simd::wide_block<double> y = simd::load_wide<T>(row_.data() + first, size() - first);
      const simd::wide_block<std::uint64_t> q{fixed(y[0]), fixed(y[1])};
      const simd::vec<std::uint32_t> low = simd::words_of<0>(q);
      const ints remainder = reinterpret_cast<ints>(low & std::uint32_t{unit - 1});
      const ints whole = reinterpret_cast<ints>(low >> 28 | simd::words_of<1>(q) << 4);
      const ints level = ints{} + change_.level;
      const ints n = whole < level ? whole : level;
      ints may;
      if (change_.is_rise) {
        const simd::wide_block<std::int64_t> positive{y[0] > 0.0, y[1] > 0.0};
        may = reinterpret_cast<ints>(simd::words_of<0>({reinterpret_cast<simd::vec<std::uint64_t>>(positive[0]),
                                                        reinterpret_cast<simd::vec<std::uint64_t>>(positive[1])})) &
              (whole < level);
      } else {
        may = n > 0;
      }
      may &= simd::iota<std::int32_t>(0) != static_cast<std::int32_t>(change_.label - first);
      const ints claim = change_.is_rise ? remainder : static_cast<std::int32_t>(unit) - remainder;
      const ints kept = may ? claim : ints{} - 1;
      std::memcpy(down_ + (first - from), &n, sizeof n);
      std::memcpy(claim_ + (first - from), &kept, sizeof kept);
    }
  }

  std::span<const T> row_;
  double scale_;
  grid_change change_;
  mutable std::size_t held_ = nothing;
  alignas(simd::vector_bytes) mutable std::int32_t down_[stretch];
  alignas(simd::vector_bytes) mutable std::int32_t claim_[stretch];
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
