// SPDX-License-Identifier: MIT
/// Reads logits and labels from NumPy's NPY files.
#ifndef CHAFF_EXAMPLES_AUDIT_NPY_HPP
#define CHAFF_EXAMPLES_AUDIT_NPY_HPP

#include <bit>
#include <cstdint>
#include <cstring>

#include "index_column.hpp"
#include "npy_header.hpp"

namespace audit {

static_assert(std::endian::native == std::endian::little, "the readers copy little-endian numbers as they are");

/// Calls visit(value, index) for each number of an NPY file of type T, in C order, whatever the order of the file.
template <class T, class Visit>
void for_each_of(const npy_header& header, Visit visit) {
  const std::size_t count = header.data.size() / sizeof(T);
  const bool is_transposed = header.fortran_order && header.shape.size() == 2;
  const std::size_t rows = header.shape[0], columns = is_transposed ? header.shape[1] : 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t source = is_transposed ? i % columns * rows + i / columns : i;
    char bytes[sizeof(T)];
    std::memcpy(bytes, header.data.data() + source * sizeof(T), sizeof(T));
    if (header.type.big_endian) std::reverse(bytes, bytes + sizeof(T));
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    visit(value, i);
  }
}

/// Logits, an array of N x K float32 or float64. Raises bad_file for any other, NaN, +inf, too many columns, and a
/// first column that counts the rows.
inline table parse_npy(std::string_view bytes, std::string_view name) {
  const npy_header header = parse_npy_header(bytes, name);
  if (header.type.kind != 'f')
    refuse(name, "numbers of type '", header.type.spelling, "'; logits are float32 or float64");
  if (header.shape.size() != 2) refuse(name, "an array of 1 dimension; logits have 2, rows and classes");
  table result;
  result.columns = header.shape[1];
  if (result.columns > max_columns) {
    refuse(name, "rows of ", result.columns, " columns, allowed are ", max_columns, "; is the array transposed?");
  }
  result.values.reserve(header.shape[0] * header.shape[1]);
  const auto add = [&](auto value, std::size_t i) {
    result.values.push_back(checked_logit(
        static_cast<double>(value), [&] { return place_in(name, i / result.columns + 1, i % result.columns + 1); }));
  };
  if (header.type.size == 4) {
    for_each_of<float>(header, add);
  } else {
    for_each_of<double>(header, add);
  }
  if (has_index_column(result)) refuse(name, index_refusal);
  result.format = "NPY of '" + header.type.spelling + "'" + (header.fortran_order ? ", in Fortran order" : "");
  return result;
}

/// Labels, an array of N whole numbers in [0, classes - 1]. Raises bad_file for any other.
inline std::vector<int> parse_npy_labels(std::string_view bytes, std::string_view name, std::size_t classes) {
  const npy_header header = parse_npy_header(bytes, name);
  if (header.type.kind == 'f') refuse(name, "numbers of type '", header.type.spelling, "'; labels are integers");
  if (header.shape.size() != 1) refuse(name, "an array of 2 dimensions; labels have 1");
  const std::uint64_t max_label = classes == 1 ? 1 : classes - 1;
  std::vector<int> labels;
  const auto add = [&](auto value, std::size_t i) {
    // a negative label wraps, and is far above as well
    if (static_cast<std::uint64_t>(value) > max_label) {
      refuse(std::string(name) + ":" + std::to_string(i + 1), "label ", +value, " is not in [0, ", max_label, "]");
    }
    labels.push_back(static_cast<int>(value));
  };
  const bool has_sign = header.type.kind == 'i';
  switch (header.type.size) {
    case 1: has_sign ? for_each_of<std::int8_t>(header, add) : for_each_of<std::uint8_t>(header, add); break;
    case 2: has_sign ? for_each_of<std::int16_t>(header, add) : for_each_of<std::uint16_t>(header, add); break;
    case 4: has_sign ? for_each_of<std::int32_t>(header, add) : for_each_of<std::uint32_t>(header, add); break;
    default: has_sign ? for_each_of<std::int64_t>(header, add) : for_each_of<std::uint64_t>(header, add);
  }
  return labels;
}

}  // namespace audit

#endif
