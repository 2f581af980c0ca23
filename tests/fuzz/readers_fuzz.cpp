// SPDX-License-Identifier: MIT
/// Fuzzes the audit tool's readers of CSV and NPY. Checks: a table of logits, or labels in range, or bad_file with a
/// message that a terminal can show; no other exception.
#include "audit/csv.hpp"
#include "audit/npy.hpp"
#include "bytes.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t classes = data[0] / 8u + 1;
  try {
    if (data[0] % 2 == 0) {
      const audit::table read =
          data[0] % 4 == 0 ? audit::parse_csv(text, "f", data[0] % 8 == 0) : audit::parse_npy(text, "f");
      demand(read.columns > 0 && read.columns <= audit::max_columns && read.rows() > 0,
             "a table with rows and columns");
      demand(read.values.size() == read.rows() * read.columns, "whole rows");
      for (const float value : read.values) demand(value < std::numeric_limits<float>::infinity(), "logits");
    } else {
      const std::vector<int> labels = data[0] % 4 == 1 ? audit::parse_csv_labels(text, "f", classes, data[0] % 8 == 1)
                                                       : audit::parse_npy_labels(text, "f", classes);
      demand(!labels.empty(), "labels");
      for (const int label : labels)
        demand(label >= 0 && label < static_cast<int>(classes == 1 ? 2 : classes), "labels in range");
    }
  } catch (const audit::bad_file& error) {
    const std::string message = error.what();
    demand(message.size() < 300, "a short message");
    for (const char c : message) demand(c >= ' ' && c <= '~', "a message that a terminal can show");
  }
  return 0;
}
