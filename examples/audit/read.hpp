// SPDX-License-Identifier: MIT
/// Reads the audit's files, CSV or NPY by what is in them.
#ifndef CHAFF_EXAMPLES_AUDIT_READ_HPP
#define CHAFF_EXAMPLES_AUDIT_READ_HPP

#include <fstream>
#include <iterator>

#include "csv.hpp"
#include "npy.hpp"

namespace audit {

/// All bytes of a file; raises bad_file where it cannot be read, or is empty.
inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be opened");
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) refuse(path, "cannot be read");
  if (bytes.empty()) refuse(path, "the file is empty");
  return bytes;
}

inline table read_logits(const std::string& path, bool has_header) {
  const std::string bytes = bytes_of(path);
  return is_npy(bytes) ? parse_npy(bytes, path) : parse_csv(bytes, path, has_header);
}

/// Labels of `rows` rows of `classes` classes.
inline std::vector<int> read_labels(const std::string& path, std::size_t rows, std::size_t classes, bool has_header) {
  const std::string bytes = bytes_of(path);
  std::vector<int> labels =
      is_npy(bytes) ? parse_npy_labels(bytes, path, classes) : parse_csv_labels(bytes, path, classes, has_header);
  if (labels.size() != rows) {
    const char* hint = "";
    if (!is_npy(bytes) && !has_header && labels.size() == rows + 1) {
      hint = "; if the first line names the column, say --header";
    }
    if (!is_npy(bytes) && has_header && labels.size() + 1 == rows) {
      hint = "; --header takes the first line of every CSV file for a header";
    }
    refuse(path, labels.size(), " labels for ", rows, " rows of logits", hint);
  }
  return labels;
}

/// What is suspicious about logits that were read from a file. `hold_logits` says that the user did not call them
/// probabilities.
inline std::vector<std::string> warnings_about(const table& logits, const std::string& path, bool hold_logits) {
  std::vector<std::string> warnings;
  if (logits.may_have_decimal_commas) {
    warnings.push_back(path + ": commas separate whole numbers only, " + std::to_string(logits.columns) +
                       " a row; if some are decimal commas or thousands separators, write a decimal point, and no " +
                       "thousands separators");
  }
  for (const std::size_t column : suspicious_columns(logits)) {
    warnings.push_back(path + ": column " + std::to_string(column) +
                       " holds whole numbers and the others do not; if it is an index or the labels, write the file " +
                       "without it");
  }
  if (hold_logits && looks_like_probabilities(logits)) {
    warnings.push_back(
        path +
        (logits.columns == 1 ? ": every number lies in [0, 1]" : ": no number is negative and every row sums to 1") +
        ", as probabilities do; if they are probabilities, say --policy input=probabilities");
  }
  return warnings;
}

}  // namespace audit

#endif
