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
  if (labels.size() != rows) refuse(path, labels.size(), " labels for ", rows, " rows of logits");
  return labels;
}

}  // namespace audit

#endif
