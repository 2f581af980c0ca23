// SPDX-License-Identifier: MIT
/// A table of numbers, and how its readers say what is wrong with a file.
#ifndef CHAFF_EXAMPLES_AUDIT_TABLE_HPP
#define CHAFF_EXAMPLES_AUDIT_TABLE_HPP

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace audit {

/// Rows of the same number of columns, row-major.
struct table {
  std::vector<float> values;
  std::size_t columns = 0;
  std::string format = {};               ///< how the file was read, for the report
  bool may_have_decimal_commas = false;  ///< commas separate numbers that are all spelled without a point

  std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
};

/// The largest number of columns, more than the largest vocabulary: a file with more is probably transposed.
inline constexpr std::size_t max_columns = 262144;

/// What is wrong with a file: "file:line:column: message" as compilers write it, or "file: message".
struct bad_file : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Raises bad_file; the parts of the message are printed one after another.
template <class... Parts>
[[noreturn]] void refuse(std::string_view where, const Parts&... parts) {
  std::ostringstream message;
  message << where << ": ";
  (message << ... << parts);
  throw bad_file(message.str());
}

/// The first characters of untrusted text as a terminal can show them.
inline std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 20)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown;
}

/// A logit as the nearest float; raises bad_file, at where(), for NaN, +inf, and what rounds to infinity as float.
template <class Where>
float checked_logit(double value, Where where) {
  constexpr float max = std::numeric_limits<float>::max();
  constexpr double rounds_to_infinity = 0x1.ffffffp127;  // half a step above max
  if (std::abs(value) <= static_cast<double>(max)) return static_cast<float>(value);
  if (std::abs(value) < rounds_to_infinity) return std::copysign(max, static_cast<float>(value > 0 ? 1 : -1));
  if (std::isnan(value)) refuse(where(), "NaN is no logit");
  if (value == std::numeric_limits<double>::infinity()) refuse(where(), "+inf is no logit");
  if (std::isfinite(value)) refuse(where(), value, " does not fit into a float");
  return static_cast<float>(value);
}

/// "name:line:column".
inline std::string place_in(std::string_view name, std::size_t line, std::size_t column) {
  return std::string(name) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace audit

#endif
