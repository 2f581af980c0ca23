// SPDX-License-Identifier: MIT
/// Sums over rows of any length, of the same bits however they are reached.
#ifndef CHAFF_SIMD_ROW_SUM_HPP
#define CHAFF_SIMD_ROW_SUM_HPP

#include <algorithm>

#include "chaff/simd/blocks.hpp"

CHAFF_BEGIN

namespace chaff::simd::inline CHAFF_ABI {

/// A sum over a row, block by block. At most 16 blocks are added in T before they are folded and carried on in
/// double, with compensation (as Neumaier 1974), so the relative error for addends of one sign is below 21 units in the
/// last place of T for a row of any length.
template <class T>
class row_sum {
 public:
  [[gnu::always_inline]] void add(vec<T> value) {
    part_ += value;
    if (++blocks_ == max_blocks) carry();
  }
  [[gnu::always_inline]] double total() {
    if (blocks_ != 0) carry();
    return total_ + compensation_;
  }

  static constexpr int max_blocks = 16;

  /// Carries on the sum of the next max_blocks, or of the last few.
  [[gnu::always_inline]] void carry(vec<T> blocks) {
    const double part = static_cast<double>(sum_across<T>(blocks));
    const double sum = total_ + part;
    const double increment = sum - total_;
    // what was rounded away, exactly (Knuth's two-sum): without a branch, whose wrong guesses would tell of the row
    compensation_ += (total_ - (sum - increment)) + (part - increment);
    total_ = sum;
  }

 private:
  [[gnu::always_inline]] void carry() {
    carry(part_);
    part_ = vec<T>{};
    blocks_ = 0;
  }

  vec<T> part_{};
  double total_ = 0;
  double compensation_ = 0;
  int blocks_ = 0;
};

/// The row_sum of what terms(first, count) returns for each block of a row, without a count in the inner loop.
/// before(first, classes) is called before each stretch of at most row_sum's max_blocks.
template <class T, class Terms, class Before>
[[gnu::always_inline]] inline double sum_over_row(std::size_t classes, Terms terms, Before before) {
  constexpr std::size_t stretch = row_sum<T>::max_blocks * width<T>;
  row_sum<T> sum;
  for (std::size_t from = 0; from < classes; from += stretch) {
    before(from, (std::min)(stretch, classes - from));
    vec<T> part{};
    for_each_block<T>((std::min)(stretch, classes - from),
                      [&](std::size_t i, auto count) CHAFF_INLINE { part += terms(from + i, count); });
    sum.carry(part);
  }
  return sum.total();
}

template <class T, class Terms>
[[gnu::always_inline]] inline double sum_over_row(std::size_t classes, Terms terms) {
  return sum_over_row<T>(classes, terms, [](std::size_t, std::size_t) {});
}

}  // namespace chaff::simd::inline CHAFF_ABI

CHAFF_END

#endif
