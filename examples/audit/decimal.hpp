// SPDX-License-Identifier: MIT
/// Reads a decimal number as the nearest float or double, whatever the locale.
#ifndef CHAFF_EXAMPLES_AUDIT_DECIMAL_HPP
#define CHAFF_EXAMPLES_AUDIT_DECIMAL_HPP

#include <fast_float/fast_float.h>

#include <cmath>
#include <limits>
#include <string_view>

namespace audit {

/// What a text is, read as a decimal number.
enum class decimal { number, too_large, no_number };

/// Reads all of a text into `value`, which is the T nearest to the decimal, so it is rounded once.
/// A number too small for T is 0. "inf", "infinity" and "nan" are numbers, as in std::from_chars, and so is a leading
/// +. A finite number that rounds to infinity is too large.
template <class T>
decimal read_decimal(std::string_view text, T& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  value = 0;
  const char* const last = text.data() + text.size();
  const auto [stopped, error] = fast_float::from_chars(text.data(), last, value);
  if (text.empty() || stopped != last) return decimal::no_number;
  // whether a number out of range is an error differs between versions of fast_float
  if (error != std::errc() && error != std::errc::result_out_of_range) return decimal::no_number;
  const bool is_spelled_infinite = text.find_first_of("0123456789") == text.npos;
  return std::isinf(value) && !is_spelled_infinite ? decimal::too_large : decimal::number;
}

/// Whether a text is a whole number without sign, point or exponent.
inline bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace audit

#endif
