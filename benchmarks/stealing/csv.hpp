// SPDX-License-Identifier: MIT
/// Lines of CSV that are read with a check of every field.
#ifndef CHAFF_BENCHMARKS_STEALING_CSV_HPP
#define CHAFF_BENCHMARKS_STEALING_CSV_HPP

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// The fields of a line of CSV; one that is quoted may hold commas.
inline std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// A line whose fields are read by index. Each function raises std::runtime_error, with the line, for a field that has
/// a value that it cannot have.
class checked_line {
 public:
  checked_line(std::string line, std::size_t fields) : line_(std::move(line)), fields_(fields_of(line_)) {
    need(fields_.size() == fields, std::to_string(fields) + " fields");
  }

  void need(bool holds, const std::string& what) const {
    if (!holds) throw std::runtime_error("not well formed, " + what + ": " + line_);
  }

  const std::string& operator[](std::size_t i) const { return fields_[i]; }

  double number(std::size_t i, double low, double high) const {
    double value = 0;
    const char* const end = fields_[i].data() + fields_[i].size();
    const auto [at, error] = std::from_chars(fields_[i].data(), end, value);
    need(error == std::errc() && at == end && value >= low && value <= high, "a number out of range");
    return value;
  }

  long count(std::size_t i, double low) const { return std::lround(number(i, low, 1e12)); }

  const std::string& one_of(std::size_t i, const std::set<std::string>& allowed) const {
    need(allowed.contains(fields_[i]), fields_[i]);
    return fields_[i];
  }

 private:
  std::string line_;
  std::vector<std::string> fields_;
};

/// All lines of a file of results. Line: a kind of line with header(), parsed(text) and name().
/// Throws std::runtime_error where the file is missing, where a line is not well formed, and where two lines have one
/// name.
template <class Line>
std::vector<Line> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != Line::header())
    throw std::runtime_error(path.string() + " holds no results");
  std::vector<Line> all;
  std::set<std::string> names;
  while (std::getline(file, line)) {
    all.push_back(Line::parsed(line));
    if (!names.insert(all.back().name()).second) throw std::runtime_error("there twice: " + line);
  }
  return all;
}

#endif
