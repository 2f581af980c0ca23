// SPDX-License-Identifier: MIT
/// Finds the n largest of many numbers without sorting or storing them.
#ifndef CHAFF_POSTERIOR_N_LARGEST_HPP
#define CHAFF_POSTERIOR_N_LARGEST_HPP

#include <algorithm>
#include <bit>
#include <span>

#include "chaff/simd/blocks.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A number, not NaN, as an unsigned integer of the same order; -0 and 0 are one.
template <class T>
constexpr auto order_of(T t) {
  using bits = std::make_unsigned_t<simd::int_of<T>>;
  constexpr bits sign = bits{1} << (8 * sizeof(bits) - 1);
  const bits of_t = std::bit_cast<bits>(t + T(0));
  if constexpr (std::is_integral_v<T>) return of_t ^ sign;
  return of_t & sign ? ~of_t : of_t | sign;
}

/// The number of an order.
template <class T, class Bits>
constexpr T number_of(Bits order) {
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  if constexpr (std::is_integral_v<T>) return std::bit_cast<T>(order ^ sign);
  return std::bit_cast<T>(order & sign ? order ^ sign : ~order);
}

/// The numbers of a row in memory, as n_largest reads them.
template <class T>
struct numbers_of_row {
  using number = T;
  std::span<const T> row;

  std::size_t size() const { return row.size(); }
  T at(std::size_t i) const { return row[i]; }
  /// A block, of which the lanes past the row's end hold `fill`.
  [[gnu::always_inline]] simd::vec<T> block(std::size_t first, T fill) const {
    return simd::load_some<T>(row.data() + first, row.size() - first, fill);
  }
};

/// The smallest number of a type, which may be an integer: what lanes past the end hold.
template <class T>
inline constexpr T lowest_number = std::is_integral_v<T> ? (std::numeric_limits<T>::min)()
                                                         : -std::numeric_limits<T>::infinity();

/// Which numbers of a row are the n largest; of equal ones, the first.
template <class T>
struct largest {
  T threshold;           ///< no number below it is among them, and each above it is
  std::size_t last_tie;  ///< the last index of a number equal to it that is among them, or any index past that

  bool has(std::size_t i, T number) const { return number > threshold || (number >= threshold && i <= last_tie); }

  /// The same of a block that begins at an index, as a mask.
  [[gnu::always_inline]] simd::mask<T> of_block(std::size_t first, simd::vec<T> numbers) const {
    using Int = simd::int_of<T>;
    // the first lanes may tie: none where the last tie lies before the block, all where it lies after
    const std::size_t ties = last_tie < first ? 0 : (std::min)(last_tie - first + 1, simd::width<T>);
    const simd::mask<T> may_tie = simd::iota<Int>(0) < static_cast<Int>(ties);
    return (numbers > threshold) | ((numbers >= threshold) & may_tie);
  }
};

/// Rows of at most so many numbers are ranked, each against each.
inline constexpr std::size_t max_ranked = 32;

/// The index of the n-th largest of a few numbers in whole blocks. Its rank, the count of those that come before it, is
/// n - 1; of equal numbers the first comes before the others.
template <class T>
std::size_t find_by_rank(const T* numbers, std::size_t count, std::size_t n) {
  using Int = simd::int_of<T>;
  for (std::size_t first = 0; first < count; first += simd::width<T>) {
    const simd::vec<T> own = simd::load<T>(numbers + first);
    const simd::vec<Int> index = simd::iota<Int>(static_cast<Int>(first));
    simd::vec<Int> rank{};
    for (std::size_t j = 0; j < count; ++j) {
      const simd::vec<T> other = simd::broadcast(numbers[j]);
      rank -= (other > own) | ((other >= own) & (index > static_cast<Int>(j)));
    }
    const simd::mask<T> is_found = rank == static_cast<Int>(n - 1);
    if (!simd::any_of<T>(is_found)) continue;
    std::size_t lane = 0;
    while (is_found[lane] == 0) ++lane;
    return first + lane;
  }
  return count - 1;
}

/// The number of numbers that are at least `low`.
template <class Values, class T = typename Values::number>
std::size_t count_at_least(const Values& values, T low) {
  const simd::vec<T> bound = simd::vec<T>{} + low;
  simd::mask<T> count{};
  for (std::size_t first = 0; first < values.size(); first += simd::width<T>) {
    count -= values.block(first, lowest_number<T>) >= bound;
  }
  return static_cast<std::size_t>(simd::sum_across<simd::int_of<T>>(count));
}

/// A range with a row's n-th largest number in it.
template <class T>
struct range_of_numbers {
  T low;
  T high;
};

/// The smallest and the largest number of a row.
template <class Values, class T = typename Values::number>
range_of_numbers<T> range_of_all(const Values& values) {
  simd::vec<T> lowest = simd::vec<T>{} + values.at(0), highest = lowest;
  for (std::size_t first = 0; first < values.size(); first += simd::width<T>) {
    const simd::vec<T> block = values.block(first, values.at(0));
    lowest = simd::minimum<T>(block, lowest);
    highest = simd::maximum<T>(block, highest);
  }
  return {simd::min_across<T>(lowest), simd::max_across<T>(highest)};
}

/// A range that n numbers of a row reach, n in [1, 8], and seldom many more: the row is dealt out to 16 groups, and n
/// of them have a largest number that does.
template <class Values, class T = typename Values::number>
range_of_numbers<T> range_from_groups(const Values& values, std::size_t n) {
  constexpr std::size_t groups = 16;
  constexpr std::size_t blocks = groups / simd::width<T>;
  simd::vec<T> greatest[blocks];
  for (simd::vec<T>& each : greatest) each = simd::vec<T>{} + lowest_number<T>;
  for (std::size_t first = 0; first < values.size(); first += groups) {
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t at = first + b * simd::width<T>;
      if (at < values.size()) greatest[b] = simd::maximum<T>(values.block(at, lowest_number<T>), greatest[b]);
    }
  }
  T numbers[groups];
  std::memcpy(numbers, greatest, sizeof numbers);
  return {numbers[find_by_rank(numbers, groups, n)], *std::max_element(numbers, numbers + groups)};
}

/// The n largest of a row of more than 32 numbers, by narrowing a range that holds the n-th.
/// Every second bound is where the n-th would lie if numbers were spread evenly, which few rows need many of; the
/// others halve the range, so that no row needs more than twice as many passes as a number has bits.
template <class Values, class T = typename Values::number>
largest<T> find_by_range(const Values& values, std::size_t n) {
  const std::size_t size = values.size();
  const bool are_few = n <= 8;
  const range_of_numbers<T> range = are_few ? range_from_groups(values, n) : range_of_all(values);
  // at least n numbers reach `low`, and fewer reach `high`
  auto low = order_of(range.low), high = order_of(range.high);
  ++high;
  std::size_t reach_low = are_few ? count_at_least(values, range.low) : size, reach_high = 0;
  for (bool is_even = true; reach_low != n && high - low > 1; is_even = !is_even) {
    auto step = (high - low) / 2;
    if (is_even) {
      const double share = static_cast<double>(reach_low - n) / static_cast<double>(reach_low - reach_high);
      step = std::clamp<decltype(step)>(static_cast<decltype(step)>(static_cast<double>(high - low) * share), 1,
                                        high - low - 1);
    }
    const auto middle = low + step;
    const std::size_t reach_middle = count_at_least(values, number_of<T>(middle));
    (reach_middle >= n ? low : high) = middle;
    (reach_middle >= n ? reach_low : reach_high) = reach_middle;
  }
  const T threshold = number_of<T>(low);
  if (reach_low == n) return {threshold, size};
  std::size_t i = 0;
  for (std::size_t left = n - reach_high; left > 0 && i < size; ++i) {
    left -= values.at(i) >= threshold && values.at(i) <= threshold;
  }
  return {threshold, i - 1};
}

/// The n largest numbers of a row, n in [1, size].
/// Cost: O(K); a few passes over most rows. Allocates: nothing.
template <class Values, class T = typename Values::number>
largest<T> n_largest(const Values& values, std::size_t n) {
  const std::size_t size = values.size();
  if (size > max_ranked) return find_by_range(values, n);
  alignas(simd::vector_bytes) T numbers[max_ranked];
  for (std::size_t first = 0; first < size; first += simd::width<T>) {
    const simd::vec<T> block = values.block(first, lowest_number<T>);
    std::memcpy(numbers + first, &block, sizeof block);
  }
  const std::size_t at = find_by_rank(numbers, size, n);
  return {numbers[at], at};
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
