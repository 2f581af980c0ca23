// SPDX-License-Identifier: MIT
/// Reads logits and labels from NumPy's NPY files.
#ifndef CHAFF_EXAMPLES_AUDIT_NPY_HPP
#define CHAFF_EXAMPLES_AUDIT_NPY_HPP

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "table.hpp"

namespace audit {

static_assert(std::endian::native == std::endian::little, "the readers copy little-endian numbers as they are");

/// The header of an NPY file. Format: NumPy enhancement proposal 1.
struct npy_header {
  std::string type;                ///< such as "<f4"
  std::vector<std::size_t> shape;  ///< one or two sizes
  std::string_view data;           ///< as many numbers of the type as the shape says, and no more
};

inline bool is_npy(std::string_view bytes) {
  return bytes.substr(0, 6) == "\x93NUMPY";
}

/// The bytes of a number of NumPy's type, or 0 for one that is not served.
inline std::size_t size_of_npy_type(std::string_view type) {
  if (type.size() != 3 || (type[0] != '<' && type[0] != '|')) return 0;
  const std::size_t size = static_cast<std::size_t>(type[2] - '0');
  const bool is_served = type[1] == 'f'
                             ? size == 4 || size == 8
                             : (type[1] == 'i' || type[1] == 'u') && (size == 1 || size == 2 || size == 4 || size == 8);
  return is_served && (type[0] == '<' || size == 1) ? size : 0;
}

/// Raises bad_file for another format, a type that is not served, Fortran order, a shape of other than one or two
/// sizes, or data that are not as long as the shape says.
inline npy_header parse_npy_header(std::string_view bytes, std::string_view name) {
  if (!is_npy(bytes) || bytes.size() < 10) refuse(name, "no NPY file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) refuse(name, "NPY version ", version, ", known are 1 to 3");
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) refuse(name, "the file ends in its header");
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - start) refuse(name, "the file ends in its header");
  const std::string_view header = bytes.substr(start, length);

  // 'key': value, of the dictionary that NumPy writes
  const auto value_of = [&](std::string_view key) {
    const std::size_t found = header.find(key);
    const std::size_t colon = found == header.npos ? found : header.find(':', found);
    const std::size_t from = colon == header.npos ? colon : header.find_first_not_of(' ', colon + 1);
    if (from == header.npos) refuse(name, "the header has no ", key);
    return header.substr(from);
  };
  npy_header result;
  const std::string_view type = value_of("'descr'");
  if (type[0] != '\'') refuse(name, "a table of structures; logits are an array of float32 or float64");
  result.type = type.substr(1, type.find('\'', 1) - 1);
  const std::size_t size = size_of_npy_type(result.type);
  if (size == 0) {
    refuse(name, "numbers of type '", printable(result.type),
           "'; known are little-endian float32, float64 and integers: save x.astype('<f4')");
  }
  if (value_of("'fortran_order'").substr(0, 4) == "True") {
    refuse(name, "the array is in Fortran order; save np.ascontiguousarray(x)");
  }
  std::string_view shape = value_of("'shape'");
  if (shape[0] != '(') refuse(name, "the header's shape is no tuple");
  shape.remove_prefix(1);
  std::size_t count = 1;
  while (!shape.empty() && shape[0] != ')') {
    std::size_t extent = 0;
    const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), extent);
    if (error != std::errc()) refuse(name, "the header's shape is no tuple of sizes");
    result.shape.push_back(extent);
    if (extent > 0 && count > bytes.size() / extent) refuse(name, "the file is shorter than its shape says");
    count *= extent;
    shape.remove_prefix(static_cast<std::size_t>(end - shape.data()));
    shape.remove_prefix(std::min(shape.size(), shape.find_first_not_of(", ")));
  }
  if (result.shape.empty() || result.shape.size() > 2) {
    refuse(name, "an array of ", result.shape.size(), " dimensions; logits have 2, labels 1");
  }
  result.data = bytes.substr(start + length);
  if (count == 0) refuse(name, "the array is empty");
  if (result.data.size() / size < count) refuse(name, "the file is shorter than its shape says");
  if (result.data.size() != count * size) refuse(name, "the file is longer than its shape says");
  return result;
}

/// Calls visit(value, index) for each number of an NPY file of type T.
template <class T, class Visit>
void for_each_of(std::string_view data, Visit visit) {
  for (std::size_t i = 0; i < data.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    visit(value, i);
  }
}

/// Logits, an array of N x K float32 or float64. Raises bad_file for any other, NaN, +inf, or too many columns.
inline table parse_npy(std::string_view bytes, std::string_view name) {
  const npy_header header = parse_npy_header(bytes, name);
  if (header.type[1] != 'f') refuse(name, "numbers of type '", header.type, "'; logits are float32 or float64");
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
  if (header.type == "<f4") {
    for_each_of<float>(header.data, add);
  } else {
    for_each_of<double>(header.data, add);
  }
  return result;
}

/// Labels, an array of N whole numbers in [0, classes - 1]. Raises bad_file for any other.
inline std::vector<int> parse_npy_labels(std::string_view bytes, std::string_view name, std::size_t classes) {
  const npy_header header = parse_npy_header(bytes, name);
  if (header.type[1] == 'f') refuse(name, "numbers of type '", header.type, "'; labels are integers");
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
  const bool has_sign = header.type[1] == 'i';
  switch (header.type[2]) {
    case '1':
      has_sign ? for_each_of<std::int8_t>(header.data, add) : for_each_of<std::uint8_t>(header.data, add);
      break;
    case '2':
      has_sign ? for_each_of<std::int16_t>(header.data, add) : for_each_of<std::uint16_t>(header.data, add);
      break;
    case '4':
      has_sign ? for_each_of<std::int32_t>(header.data, add) : for_each_of<std::uint32_t>(header.data, add);
      break;
    default: has_sign ? for_each_of<std::int64_t>(header.data, add) : for_each_of<std::uint64_t>(header.data, add);
  }
  return labels;
}

}  // namespace audit

#endif
