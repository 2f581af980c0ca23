// SPDX-License-Identifier: MIT
/// Finds what is no logit in a table of numbers: a header of column numbers, a column that counts the rows, a column of
/// labels.
#ifndef CHAFF_EXAMPLES_AUDIT_INDEX_COLUMN_HPP
#define CHAFF_EXAMPLES_AUDIT_INDEX_COLUMN_HPP

#include <algorithm>
#include <cctype>

#include "csv_text.hpp"
#include "decimal.hpp"
#include "table.hpp"

namespace audit {

inline constexpr const char* index_refusal =
    "the first column counts the rows, as an index does: write the file without it (pandas: index=False)";

/// Whether the first column of two or more counts the rows from 0 or from 1. Fewer than four rows tell nothing.
inline bool has_index_column(const table& logits) {
  if (logits.columns < 2 || logits.rows() < 4) return false;
  for (std::size_t row = 0; row < logits.rows(); ++row) {
    const float start = logits.values[0];
    if ((start != 0 && start != 1) || logits.values[row * logits.columns] != static_cast<float>(row) + start) {
      return false;
    }
  }
  return true;
}

/// Finds a header and an index column by how numbers are spelled, so that few rows suffice: both are whole numbers
/// without a point, which logits seldom are.
class index_finder {
 public:
  /// Adds a number of a table; rows and columns count from 0.
  void add(std::string_view spelling, float value, std::size_t row, std::size_t column) {
    const bool is_whole = is_digits(spelling);
    const bool is_in_header = row == 0, is_in_index = column == 0;
    if (is_in_header) {
      counts_columns_ = counts_columns_ && is_whole && value == static_cast<float>(column);
      counts_columns_from_1_ = counts_columns_from_1_ && is_whole && value == static_cast<float>(column + 1);
    }
    if (is_in_index) {
      counts_rows_ = counts_rows_ && is_whole && value == static_cast<float>(row);
      counts_rows_from_1_ = counts_rows_from_1_ && is_whole && value == static_cast<float>(row + 1);
    }
    if (!is_whole && value != std::floor(value)) {
      fraction_below_header_ = fraction_below_header_ || !is_in_header;
      fraction_beside_index_ = fraction_beside_index_ || !is_in_index;
    }
  }

  bool is_header(std::size_t rows, std::size_t columns) const {
    if (rows < 2) return false;
    if (columns == 1 || counts_columns_from_1_) {
      return (counts_columns_ || (counts_columns_from_1_ && columns > 2)) && fraction_below_header_;
    }
    return counts_columns_;
  }

  bool is_index(std::size_t rows, std::size_t columns) const {
    if (rows < 2 || columns < 2 || !(counts_rows_ || counts_rows_from_1_)) return false;
    return rows >= 4 || fraction_beside_index_;
  }

 private:
  bool counts_columns_ = true, counts_columns_from_1_ = true, counts_rows_ = true, counts_rows_from_1_ = true;
  bool fraction_below_header_ = false, fraction_beside_index_ = false;
};

/// Raises bad_file for a header of other columns than the rows have, one that names a column that is no class, and one
/// that is a row of numbers itself.
inline void check_header(const text_line& header, const std::vector<std::string>& names, std::size_t columns,
                         std::string_view name) {
  const std::string at = place_in(name, header.number, 1);
  if (columns > 1 && names.size() != columns) {
    refuse(at, "the header names ", names.size(), " columns, the rows have ", columns,
           "; if the first is an index, write the file without it");
  }
  for (std::size_t column = 0; column < names.size(); ++column) {
    std::string lower = names[column];
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool is_index = (lower.empty() && column == 0) || lower == "unnamed: 0" || lower == "index" ||
                          lower == "idx" || lower == "id" || lower == "row";
    const bool is_label = lower == "label" || lower == "labels" || lower == "target";
    if (columns > 1 && (is_index || is_label)) {
      refuse(at, "column ", column + 1, " is named '", printable(names[column]), "', as ",
             is_index ? "an index" : "a column of labels",
             " is: write the file without it (pandas: index=False) or, if it is a class, rename it");
    }
  }
  const auto is_number = [](const std::string& one) {
    float value;
    return read_decimal(one, value) == decimal::number && one.find_first_of("0123456789") != one.npos;
  };
  if (std::all_of(names.begin(), names.end(), is_number) && !std::all_of(names.begin(), names.end(), is_digits)) {
    refuse(at, "the line holds numbers, which --header would skip; if there is no header, leave --header out");
  }
}

/// Columns, from 1, of whole numbers that are not all the same, where most other columns have fractions: labels, or an
/// index of shuffled rows. Fewer than eight rows tell nothing.
inline std::vector<std::size_t> suspicious_columns(const table& logits) {
  if (logits.columns < 2 || logits.rows() < 8) return {};
  std::vector<bool> has_fraction(logits.columns), varies(logits.columns);
  for (std::size_t i = 0; i < logits.values.size(); ++i) {
    const std::size_t column = i % logits.columns;
    if (logits.values[i] != std::floor(logits.values[i])) has_fraction[column] = true;
    if (logits.values[i] != logits.values[column]) varies[column] = true;
  }
  std::vector<std::size_t> found;
  for (std::size_t column = 0; column < logits.columns; ++column) {
    if (!has_fraction[column] && varies[column]) found.push_back(column + 1);
  }
  const auto fractional = std::count(has_fraction.begin(), has_fraction.end(), true);
  return 2 * static_cast<std::size_t>(fractional) >= logits.columns ? found : std::vector<std::size_t>{};
}

/// Whether every row looks like probabilities: no number is negative, and each row sums to 1 within rounding. A single
/// column needs eight rows or more, all of [0, 1].
inline bool looks_like_probabilities(const table& logits) {
  if (logits.columns == 1 && logits.rows() < 8) return false;
  // numbers of two decimals are off by at most 0.005 each
  const double room = std::min(0.1, 0.001 + 0.005 * static_cast<double>(logits.columns));
  for (std::size_t row = 0; row < logits.rows(); ++row) {
    double sum = 0;
    for (std::size_t column = 0; column < logits.columns; ++column) {
      const double value = static_cast<double>(logits.values[row * logits.columns + column]);
      if (!(value >= 0)) return false;
      sum += value;
    }
    if (sum > 1 + room || (logits.columns > 1 && sum < 1 - room)) return false;
  }
  return true;
}

}  // namespace audit

#endif
