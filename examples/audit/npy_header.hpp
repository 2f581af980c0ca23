// SPDX-License-Identifier: MIT
/// Reads the header of NumPy's NPY files, which is a dictionary in Python's syntax.
#ifndef CHAFF_EXAMPLES_AUDIT_NPY_HEADER_HPP
#define CHAFF_EXAMPLES_AUDIT_NPY_HEADER_HPP

#include <algorithm>
#include <charconv>
#include <optional>

#include "table.hpp"

namespace audit {

/// The type of an array's numbers.
struct npy_type {
  char kind = 'f';            ///< f: floating point, i: signed integer, u: unsigned integer
  std::size_t size = 0;       ///< bytes of a number
  bool big_endian = false;    ///< the first byte is the most significant
  std::string spelling = {};  ///< as the header has it, such as "<f4"
};

/// The header of an NPY file. Format: NumPy enhancement proposal 1.
struct npy_header {
  npy_type type;
  bool fortran_order = false;      ///< the first index varies fastest
  std::vector<std::size_t> shape;  ///< one or two sizes
  std::string_view data;           ///< as many numbers of the type as the shape says, and no more
};

inline bool is_npy(std::string_view bytes) {
  return bytes.substr(0, 6) == "\x93NUMPY";
}

/// The type that NumPy names so, or none where it is not served: <f4, >f8, =i8, |u1, f4, float32.
inline std::optional<npy_type> parse_npy_type(std::string_view spelling) {
  npy_type type;
  type.spelling = spelling;
  const bool has_order = !spelling.empty() && std::string_view("<>=|").find(spelling[0]) != spelling.npos;
  type.big_endian = has_order && spelling[0] == '>';
  if (has_order) spelling.remove_prefix(1);
  struct long_name {
    std::string_view name;
    char kind;
    std::size_t size;
  };
  static constexpr long_name names[] = {{"float32", 'f', 4}, {"float64", 'f', 8}, {"int8", 'i', 1},  {"int16", 'i', 2},
                                        {"int32", 'i', 4},   {"int64", 'i', 8},   {"uint8", 'u', 1}, {"uint16", 'u', 2},
                                        {"uint32", 'u', 4},  {"uint64", 'u', 8}};
  for (const long_name& one : names) {
    const bool is_short = spelling.size() == 2 && spelling[0] == one.kind &&
                          spelling[1] == static_cast<char>('0' + static_cast<char>(one.size));
    if (is_short || (spelling == one.name && !has_order)) {
      type.kind = one.kind;
      type.size = one.size;
      return type;
    }
  }
  return std::nullopt;
}

/// Reads a dictionary in Python's syntax, token by token. Raises bad_file where the syntax is another.
class python_reader {
 public:
  /// A Python 2 long has an L after it, which versions 1 and 2 of the format allow.
  python_reader(std::string_view text, std::string_view name, bool may_have_long)
      : rest_(text), name_(name), may_have_long_(may_have_long) {}

  /// Takes a character, and the white space and comments before it, if it comes next.
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!take(c)) refuse(name_, "the header has no '", c, "' where Python's syntax wants one");
  }

  /// The next character that is neither white space nor in a comment, or 0 at the end.
  char peek() {
    for (;;) {
      rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t\n\r\f")));
      if (rest_.empty()) return '\0';
      if (rest_[0] != '#') return rest_[0];
      rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_of("\r\n")));
    }
  }

  /// A string in single or double quotes; strings that follow one another are one.
  std::string string(const char* what) {
    std::string value;
    bool any = false;
    for (char c = peek(); c != '\0'; c = peek()) {
      const bool has_prefix = std::string_view("uUrR").find(c) != std::string_view::npos && rest_.size() > 1;
      const char quote = has_prefix ? rest_[1] : c;
      if (quote != '\'' && quote != '"') break;
      rest_.remove_prefix(has_prefix ? 2 : 1);
      const std::size_t end = rest_.find(quote);
      if (end == rest_.npos) refuse(name_, "the header ends within ", what);
      value += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      any = true;
    }
    if (!any) refuse(name_, "the header's ", what, " is no string");
    if (value.find('\\') != value.npos) refuse(name_, "the header's ", what, " has a backslash");
    return value;
  }

  bool boolean(const char* what) {
    peek();
    const std::string_view word = rest_.substr(0, word_length());
    rest_.remove_prefix(word.size());
    if (word != "True" && word != "False") refuse(name_, "the header's ", what, " is neither True nor False");
    return word == "True";
  }

  /// A tuple of sizes. One size without a comma is a number in brackets, and no tuple.
  std::vector<std::size_t> tuple(const char* what) {
    if (!take('(')) refuse(name_, "the header's ", what, " is no tuple");
    std::vector<std::size_t> sizes;
    bool has_comma = true;
    while (!take(')')) {
      if (!has_comma) refuse(name_, "the header's ", what, " is no tuple of sizes");
      peek();
      std::string_view word = rest_.substr(0, word_length());
      rest_.remove_prefix(word.size());
      if (may_have_long_ && word.size() > 1 && word.back() == 'L') word.remove_suffix(1);
      std::size_t size = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), size);
      const bool has_leading_zero = word.size() > 1 && word[0] == '0';
      if (error == std::errc::result_out_of_range) refuse(name_, "the file is shorter than its shape says");
      if (error != std::errc() || end != word.data() + word.size() || has_leading_zero) {
        refuse(name_, "the header's ", what, " is no tuple of sizes");
      }
      sizes.push_back(size);
      has_comma = take(',');
    }
    if (sizes.size() == 1 && !has_comma) refuse(name_, "the header's ", what, " is no tuple");
    return sizes;
  }

 private:
  std::size_t word_length() const {
    const auto is_part = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_part) - rest_.begin());
  }

  std::string_view rest_, name_;
  bool may_have_long_;
};

/// Raises bad_file for another format, a header that NumPy refuses, a type that is not served, a shape of other than
/// one or two sizes, and data that are not as long as the shape says.
inline npy_header parse_npy_header(std::string_view bytes, std::string_view name) {
  if (!is_npy(bytes) || bytes.size() < 10) refuse(name, "no NPY file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6), minor = byte(7);
  if (version < 1 || version > 3 || minor != 0) {
    refuse(name, "NPY version ", version, ".", minor, ", known are 1.0, 2.0 and 3.0");
  }
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) refuse(name, "the file ends in its header");
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - start) refuse(name, "the file ends in its header");

  npy_header result;
  std::optional<std::string> type;
  bool has_order = false, has_shape = false;
  python_reader header(bytes.substr(start, length), name, version < 3);
  header.expect('{');
  for (bool has_comma = true; !header.take('}'); has_comma = header.take(',')) {
    if (!has_comma) refuse(name, "the header has no ',' between two entries");
    const std::string key = header.string("key");
    header.expect(':');
    if (key == "descr") {
      if (std::string_view("[({").find(header.peek()) != std::string_view::npos) {
        refuse(name, "a table of structures; logits are an array of float32 or float64");
      }
      type = header.string("'descr'");
    } else if (key == "fortran_order") {
      result.fortran_order = header.boolean("'fortran_order'");
      has_order = true;
    } else if (key == "shape") {
      result.shape = header.tuple("shape");
      has_shape = true;
    } else {
      refuse(name, "the header has the key '", printable(key), "'; known are 'descr', 'fortran_order' and 'shape'");
    }
  }
  if (header.peek() != '\0') refuse(name, "the header goes on after its dictionary");
  if (!type) refuse(name, "the header has no 'descr'");
  if (!has_order) refuse(name, "the header has no 'fortran_order'");
  if (!has_shape) refuse(name, "the header has no 'shape'");

  const std::optional<npy_type> known = parse_npy_type(*type);
  if (!known) {
    refuse(name, "numbers of type '", printable(*type),
           "'; known are float32, float64 and integers: save x.astype('float32')");
  }
  result.type = *known;
  std::size_t count = 1;
  for (const std::size_t extent : result.shape) {
    if (extent > 0 && count > bytes.size() / extent) refuse(name, "the file is shorter than its shape says");
    count *= extent;
  }
  if (result.shape.empty() || result.shape.size() > 2) {
    refuse(name, "an array of ", result.shape.size(), " dimensions; logits have 2, labels 1");
  }
  result.data = bytes.substr(start + length);
  if (count == 0) refuse(name, "the array is empty");
  if (result.data.size() / result.type.size < count) refuse(name, "the file is shorter than its shape says");
  if (result.data.size() != count * result.type.size) refuse(name, "the file is longer than its shape says");
  return result;
}

}  // namespace audit

#endif
