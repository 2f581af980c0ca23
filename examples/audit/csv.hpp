// SPDX-License-Identifier: MIT
/// Reads logits and labels from CSV.
#ifndef CHAFF_EXAMPLES_AUDIT_CSV_HPP
#define CHAFF_EXAMPLES_AUDIT_CSV_HPP

#include "csv_text.hpp"
#include "decimal.hpp"
#include "index_column.hpp"
#include "table.hpp"

namespace audit {

/// A CSV file as it was split: its one separator, and its first line where that is a header.
struct csv_layout {
  char separator = '\n';
  bool has_header = false;
  text_line header = {};
};

/// Raises bad_file for the first bytes of a file that is no text of one byte a character.
inline void refuse_other_formats(std::string_view text, std::string_view name) {
  if (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF") refuse(name, "UTF-16; save it as UTF-8");
  if (text.substr(0, 4) == "PK\x03\x04") refuse(name, "a ZIP archive, such as np.savez writes; save with np.save");
  if (text.substr(0, 2) == "\x1F\x8B") refuse(name, "compressed by gzip; decompress it first");
}

/// Why a field may be no number, to be added to a message.
inline std::string reason_of_bad_field(std::string_view field, char separator, bool may_be_header) {
  const bool has_digit = field.find_first_of("0123456789") != field.npos;
  const bool is_quoted = field[0] == '"';
  const bool is_grouped = field.find_first_not_of("0123456789+-.,' _\"\xC2\xA0\xE2\x80\xAF\x99") == field.npos;
  if (has_digit && is_grouped && !is_quoted) {
    return std::string("; numbers are separated by ") + name_of_separator(separator) +
           " here, and have a decimal point, no decimal comma and no thousands separator";
  }
  if (has_digit && is_grouped) return "; numbers stand without quotes";
  return may_be_header ? "; if the first line names the columns, say --header" : "";
}

/// Calls visit(value, field, line, column) for each number of a text, one row a line, as the T nearest to the decimal.
/// Lines and columns count from 1; a column is that of the number's first character. Blank lines are skipped, and with
/// has_header the first other line. end_line(line) is called after each line.
/// Raises bad_file for what is no number, and for a separator without one.
template <class T, class Visit, class EndLine>
csv_layout for_each_number(std::string_view text, std::string_view name, bool has_header, Visit visit,
                           EndLine end_line) {
  refuse_other_formats(text, name);
  line_reader lines(text);
  csv_layout layout;
  layout.has_header = has_header && lines.next(layout.header);
  layout.separator = find_separator(lines);
  bool is_first = true;
  for (text_line line; lines.next(line); is_first = false) {
    for_each_field(line.text, layout.separator, false, [&](std::string_view field, std::size_t column) {
      const auto at = [&] { return place_in(name, line.number, column); };
      if (field.empty()) {
        refuse(at(), "a number is missing",
               is_first && column == 1 && !has_header ? reason_of_bad_field(" ", layout.separator, true) : "");
      }
      T value;
      const decimal kind = read_decimal(field, value);
      if (kind == decimal::too_large) refuse(at(), "'", printable(field), "' does not fit into a float");
      if (kind == decimal::no_number) {
        refuse(at(), "'", printable(field), "' is no number",
               reason_of_bad_field(field, layout.separator, is_first && !has_header));
      }
      if (layout.separator == ',' && field.size() > 1 && field[0] == '0' && is_digits(field)) {
        refuse(at(), "'", printable(field),
               "' starts with 0; if the comma before it is a decimal comma, write a point");
      }
      visit(value, field, line.number, column);
    });
    end_line(line.number);
  }
  return layout;
}

/// Logits, a row a line. Raises bad_file for ragged rows, NaN, +inf, too many columns or none, a header that does not
/// fit its rows, and a header or a column that is an index.
inline table parse_csv(std::string_view text, std::string_view name, bool has_header = false) {
  table result;
  index_finder index;
  std::size_t in_row = 0;
  bool has_whole_numbers_only = true;
  const auto at = [&](std::size_t line, std::size_t column) { return place_in(name, line, column); };
  std::size_t last_column = 1, first_line = 0;
  const csv_layout layout = for_each_number<float>(
      text, name, has_header,
      [&](float value, std::string_view field, std::size_t line, std::size_t column) {
        last_column = column;
        has_whole_numbers_only = has_whole_numbers_only && field.find_first_not_of("+-0123456789") == field.npos;
        if (++in_row > max_columns) {
          refuse(at(line, column), "the row has more than ", max_columns, " columns; is the file transposed?");
        }
        if (result.columns > 0 && in_row > result.columns) {
          refuse(at(line, column), "the row has more than the ", result.columns, " columns of line ", first_line);
        }
        result.values.push_back(checked_logit(value, [&] { return at(line, column); }));
        index.add(field, value, result.columns == 0 ? 0 : (result.values.size() - 1) / result.columns, in_row - 1);
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
  result.format = result.columns == 1 ? "one number a line"
                                      : std::string("numbers separated by ") + name_of_separator(layout.separator);
  result.may_have_decimal_commas = has_whole_numbers_only && layout.separator == ',';
  if (layout.has_header) {
    check_header(layout.header, header_names(layout.header.text, layout.separator), result.columns, name);
    result.format += ", without the header '" + printable(layout.header.text) + "'";
  } else if (index.is_header(result.rows(), result.columns)) {
    refuse(at(first_line, 1), "the line counts the columns, as a header does: if it is one, say --header, else write ",
           "its numbers with a decimal point");
  }
  if (index.is_index(result.rows(), result.columns) || has_index_column(result))
    refuse(at(first_line, 1), index_refusal);
  return result;
}

/// Labels, one a line. Raises bad_file for what is no whole number in [0, classes - 1], and for two on a line.
inline std::vector<int> parse_csv_labels(std::string_view text, std::string_view name, std::size_t classes,
                                         bool has_header = false) {
  std::vector<int> labels;
  std::size_t last_line = 0;
  const double max_label = static_cast<double>(classes == 1 ? 1 : classes - 1);
  for_each_number<double>(
      text, name, has_header,
      [&](double value, std::string_view, std::size_t line, std::size_t column) {
        if (line == last_line) {
          refuse(place_in(name, line, column),
                 "a line has one label; an index column must go (pandas: index=False), and so must a decimal comma");
        }
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
