// SPDX-License-Identifier: MIT
/// True labels as indices of classes.
#ifndef CHAFF_METRICS_TRUE_LABEL_HPP
#define CHAFF_METRICS_TRUE_LABEL_HPP

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "chaff/error.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// The true label of a row as an index.
/// Range: 0 to classes - 1; with one class, which is a sigmoid output, 0 or 1.
/// Throws: std::invalid_argument for any other label. `name` stands in the message.
inline std::size_t checked_true_label(const char* name, std::int64_t label, std::size_t row, std::size_t classes) {
  const std::size_t outcomes = classes == 1 ? 2 : classes;
  if (label < 0 || static_cast<std::uint64_t>(label) >= outcomes) {
    fail<std::invalid_argument>("chaff: %s: the true label of row %zu is %lld, allowed is 0 to %zu", name, row,
                                static_cast<long long>(label), outcomes - 1);
  }
  return static_cast<std::size_t>(label);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
