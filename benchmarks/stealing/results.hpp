// SPDX-License-Identifier: MIT
/// The file of results: which attack_runs are in it already, and one more line.
#ifndef CHAFF_BENCHMARKS_STEALING_RESULTS_HPP
#define CHAFF_BENCHMARKS_STEALING_RESULTS_HPP

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <iterator>

#include "columns.hpp"

/// A file that no other run may add to, while this one or a process that it forked has it open.
class held_file {
 public:
  /// Raises std::runtime_error where it cannot be opened, or another has it.
  explicit held_file(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    if (file_ >= 0) ::close(file_);
    throw std::runtime_error(path.string() + " cannot be opened, or another run adds to it");
  }
  held_file(const held_file&) = delete;
  held_file& operator=(const held_file&) = delete;
  ~held_file() { ::close(file_); }

 private:
  int file_;
};

/// Line: a kind of line with header(), parsed(text), name() and text().
template <class Line>
class results_of_lines {
 public:
  /// Reads what a file holds, and begins it where it is not there; a last line that was cut off is taken away.
  /// Raises std::runtime_error where the file is another kind of table, or is held by another run.
  explicit results_of_lines(const std::filesystem::path& path) : path_(with_folder(path)), held_(path_) {
    std::ifstream file(path_);
    if (file.peek() == std::ifstream::traits_type::eof()) {
      write(std::string(Line::header()) + "\n");
      return;
    }
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    const std::size_t whole = all.rfind('\n') + 1;
    if (whole < all.size()) std::filesystem::resize_file(path_, whole);
    for (const Line& line : lines_of<Line>(path_)) done_.insert(line.name());
  }

  bool has(const Line& one) const { return done_.contains(one.name()); }

  /// Adds a line in one piece, so that several processes may write to one file.
  void add(const Line& one) const { write(one.text() + "\n"); }

 private:
  static const std::filesystem::path& with_folder(const std::filesystem::path& path) {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    return path;
  }

  void write(const std::string& text) const {
    const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) ::close(file);
    if (!written) throw std::runtime_error("cannot write " + path_.string());
  }

  std::filesystem::path path_;
  held_file held_;
  std::set<std::string> done_;
};
using results = results_of_lines<result_line>;

#endif
