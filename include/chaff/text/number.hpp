// SPDX-License-Identifier: MIT
/// Decimal numbers as text, whatever the locale of the program is.
#ifndef CHAFF_TEXT_NUMBER_HPP
#define CHAFF_TEXT_NUMBER_HPP

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "chaff/exact.hpp"

// __cpp_lib_to_chars: from_chars reads floating point. libc++ 16 has to_chars alone.
#if !defined(__cpp_lib_to_chars)
#include <locale>
#include <sstream>
#endif

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// Whether a character is a digit, in any locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Whether text is a decimal number: a minus or none, digits with a point or without, and an exponent or none.
constexpr bool is_decimal(std::string_view text) {
  std::size_t at = 0;
  const auto skip = [&](std::string_view one_of) {
    const bool found = at < text.size() && one_of.find(text[at]) != std::string_view::npos;
    at += found;
    return found;
  };
  const auto skip_digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  skip("-");
  std::size_t digits = skip_digits();
  if (skip(".")) digits += skip_digits();
  if (digits == 0) return false;
  if (skip("eE")) {
    skip("+-");
    if (skip_digits() == 0) return false;
  }
  return at == text.size();
}

/// The double nearest to a decimal number, or nothing for other text and for a number past the range of double.
/// A number other than 0 that is too small for double counts as past its range.
inline std::optional<double> decimal_value(std::string_view text) {
  if (!is_decimal(text)) return {};
  double value = 0;
#if defined(__cpp_lib_to_chars)
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
#else
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  stream >> value;  // a subnormal number is read, but sets failbit
#endif
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  const bool is_zero = mantissa.find_first_of("123456789") == std::string_view::npos;
  if (!std::isfinite(value) || (std::abs)(value) >= HUGE_VAL || is_exactly(value, 0.0) != is_zero) return {};
  return value;
}

/// Appends the shortest decimal number that reads as the same value.
template <class Number>
void append_number(std::string& text, Number value) {
  char digits[32];  // a double takes at most 24
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
