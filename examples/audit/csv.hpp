// SPDX-License-Identifier: MIT
/// Reads logits and labels from CSV.
#ifndef CHAFF_EXAMPLES_AUDIT_CSV_HPP
#define CHAFF_EXAMPLES_AUDIT_CSV_HPP

#include <algorithm>
#include <charconv>

#include "table.hpp"

namespace audit {

/// Calls visit(value, line, column) for each number of a text: one row a line, numbers apart by a comma, a semicolon, a
/// tab or blanks. Lines and columns count from 1; a column is that of the number's first character. Empty lines are
/// skipped, and with has_header the first line. end_line(line) is called after each line that has a number.
/// Raises bad_file for what is no number, or for a separator without one.
template <class Visit, class EndLine>
void for_each_number(std::string_view text, std::string_view name, bool has_header, Visit visit, EndLine end_line) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // a byte order mark
  const auto at = [&](std::size_t line, std::size_t column) { return place_in(name, line, column); };
  const auto is_blank = [](char c) { return c == ' ' || c == '\r'; };
  const auto is_separator = [](char c) { return c == ',' || c == ';' || c == '\t'; };
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), row.size() + 1));
    if (has_header && line == 1) continue;
    bool any = false;
    for (std::size_t i = 0;;) {
      while (i < row.size() && is_blank(row[i])) ++i;
      if (i == row.size() && !any) break;  // an empty line
      const std::size_t end = std::min(row.size(), row.find_first_of(",; \t\r", i));
      const std::string_view field = row.substr(i, end - i);
      if (field.empty()) refuse(at(line, i + 1), "a number is missing");
      double value = 0;
      const char* const last = field.data() + field.size();
      const char* const first = field.data() + (field.size() > 1 && field[0] == '+' && field[1] != '-' ? 1 : 0);
      const auto [stopped, error] = std::from_chars(first, last, value);
      if (error == std::errc::result_out_of_range && stopped == last) {
        value = std::strtod(std::string(first, last).c_str(), nullptr);  // infinite, or too small to matter
        if (std::isinf(value)) refuse(at(line, i + 1), "'", printable(field), "' does not fit into a float");
      } else if (error != std::errc() || stopped != last) {
        refuse(at(line, i + 1), "'", printable(field), "' is no number",
               line == 1 && !has_header ? "; if the first line names the columns, say --header" : "");
      }
      visit(value, line, i + 1);
      any = true;
      i = end;
      while (i < row.size() && is_blank(row[i])) ++i;
      if (i == row.size()) break;
      if (is_separator(row[i])) {
        ++i;
        if (std::all_of(row.begin() + static_cast<std::ptrdiff_t>(i), row.end(), is_blank)) {
          refuse(at(line, i + 1), "a number is missing");
        }
      }
    }
    if (any) end_line(line);
  }
}

/// Logits, a row a line. Raises bad_file for ragged rows, NaN, +inf, too many columns, or none.
inline table parse_csv(std::string_view text, std::string_view name, bool has_header = false) {
  table result;
  std::size_t in_row = 0;
  const auto at = [&](std::size_t line, std::size_t column) { return place_in(name, line, column); };
  std::size_t last_column = 1, first_line = 0;
  for_each_number(
      text, name, has_header,
      [&](double value, std::size_t line, std::size_t column) {
        last_column = column;
        if (++in_row > max_columns) {
          refuse(at(line, column), "the row has more than ", max_columns, " columns; is the file transposed?");
        }
        if (result.columns > 0 && in_row > result.columns) {
          refuse(at(line, column), "the row has more than the ", result.columns, " columns of line ", first_line);
        }
        result.values.push_back(checked_logit(value, [&] { return at(line, column); }));
      },
      [&](std::size_t line) {
        if (result.columns == 0) {
          result.columns = in_row;
          first_line = line;
        }
        if (in_row != result.columns) {
          refuse(at(line, last_column), "the row has ", in_row, " columns, line ", first_line, " has ", result.columns);
        }
        in_row = 0;
      });
  if (result.values.empty()) refuse(place_in(name, 1, 1), "the file has no numbers");
  return result;
}

/// Labels, one a line. Raises bad_file for what is no whole number in [0, classes - 1], or for two on a line.
inline std::vector<int> parse_csv_labels(std::string_view text, std::string_view name, std::size_t classes,
                                         bool has_header = false) {
  std::vector<int> labels;
  std::size_t last_line = 0;
  const double max_label = static_cast<double>(classes == 1 ? 1 : classes - 1);
  for_each_number(
      text, name, has_header,
      [&](double value, std::size_t line, std::size_t column) {
        if (line == last_line) refuse(place_in(name, line, column), "a line has one label");
        if (!(value >= 0 && value <= max_label) || value != std::floor(value)) {
          refuse(place_in(name, line, column), "label ", value, " is no whole number in [0, ", max_label, "]");
        }
        labels.push_back(static_cast<int>(value));
        last_line = line;
      },
      [](std::size_t) {});
  if (labels.empty()) refuse(place_in(name, 1, 1), "the file has no numbers");
  return labels;
}

}  // namespace audit

#endif
