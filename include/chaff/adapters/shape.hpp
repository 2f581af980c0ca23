// SPDX-License-Identifier: MIT
/// Which values of a tensor of any shape are one row: one rule for every runtime.
#ifndef CHAFF_ADAPTERS_SHAPE_HPP
#define CHAFF_ADAPTERS_SHAPE_HPP

#include <algorithm>
#include <cinttypes>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <span>

#include "chaff/error.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The sizes of a tensor's dimensions as a text such as "2 x 10 x 1", cut where it is longer than the memory given.
template <std::integral I>
const char* print_shape(std::span<const I> sizes, std::span<char> text) {
  if (sizes.empty()) {
    std::snprintf(text.data(), text.size(), "a single value");
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < sizes.size() && length < text.size(); ++i) {
    length += static_cast<std::size_t>(std::snprintf(text.data() + length, text.size() - length, "%s%" PRId64,
                                                     i == 0 ? "" : " x ", static_cast<std::int64_t>(sizes[i])));
  }
  return text.data();
}

/// Raises the error for a shape whose rows nothing tells.
template <std::integral I>
[[noreturn, gnu::cold]] void fail_shape(std::span<const I> sizes, std::size_t classes) {
  char text[96];
  print_shape(sizes, text);
  std::size_t last = sizes.size();
  while (last > 1 && sizes[last - 1] == 1) --last;
  const std::size_t size = last == 0 ? 1 : static_cast<std::size_t>(sizes[last - 1]);
  if (classes != 0) {
    fail<std::invalid_argument>(
        "chaff: logits are %s, but policy.classes is %zu; the classes of a row must be the last dimension", text,
        classes);
  }
  if (size == 0)
    fail<std::invalid_argument>("chaff: logits are %s, and a row has 0 classes, allowed is 1 or more", text);
  if (last == 1) {
    fail<std::invalid_argument>(
        "chaff: logits are a column of %s; set policy.classes to %zu if it is one row, or to 1 if each value is a row",
        text, size);
  }
  fail<std::invalid_argument>(
      "chaff: logits are %s; set policy.classes to %zu if the last dimension holds the classes, and otherwise move "
      "them there",
      text, size);
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Rows of a tensor: `rows * classes` is the number of its values, and a row is `classes` values that follow one
/// another in row-major order.
struct row_shape {
  std::size_t rows;
  std::size_t classes;

  friend bool operator==(const row_shape&, const row_shape&) = default;
};

/// The rows of logits whose dimensions have the sizes given. `classes` is policy.classes.
/// Shapes, where classes is 0: the last dimension holds the classes. Dimensions of 1 behind it do not count, nor do
/// those between it and the first one, which counts the rows.
///   K is one row. N x K, N x K x 1 x 1 and N x 1 x K are N rows. A single value, of any rank, is one row of one class.
///   N x 1 with N > 1, which may be N rows of one class or one row of N, is an error, as is N x T x K with T > 1,
///   whose classes may be T or K.
/// Shapes, where classes is c: a row is c values that follow one another, and c is 1 or the product of the last few
/// dimensions. Where no dimension but the first is larger than 1, c may also divide its size.
///   So N x 1 with c = 1 is N rows and with c = N one row, N x T x K with c = K is N * T rows, and N * K values in one
///   dimension with c = K are N rows.
/// A size of 0 in any dimension but the one of the classes is a batch of no rows.
/// Throws: std::invalid_argument for any other shape; it says the shape, and what to set policy.classes to.
/// Allocates: nothing.
template <std::integral I>
row_shape rows_of(std::span<const I> sizes, std::size_t classes) {
  std::size_t last = sizes.size();  // the dimension of the classes, from 1 on
  while (last > 1 && sizes[last - 1] == 1) --last;
  std::size_t values = 1;
  for (const I size : sizes) {
    if (size < 0) detail::fail_shape(sizes, classes);
    values *= static_cast<std::size_t>(size);
  }
  const std::size_t own = last == 0 ? 1 : static_cast<std::size_t>(sizes[last - 1]);

  if (classes == 0) {
    bool is_clear = own != 0 && (last != 1 || last == sizes.size() || own == 1);
    for (std::size_t i = 1; i + 1 < last; ++i) is_clear = is_clear && sizes[i] == 1;
    if (!is_clear) detail::fail_shape(sizes, classes);
    return {values / own, own};
  }

  std::size_t product = 1;
  for (std::size_t i = last; i > 0 && product < classes && product > 0; --i) {
    product *= static_cast<std::size_t>(sizes[i - 1]);
  }
  const bool is_flat = last <= 1;
  if (product != classes && !(is_flat && values % classes == 0)) detail::fail_shape(sizes, classes);
  return {values / classes, classes};
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
