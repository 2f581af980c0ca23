// SPDX-License-Identifier: MIT
/// The file of results: which thefts are in it already, and one more line.
#ifndef CHAFF_BENCHMARKS_STEALING_RESULTS_HPP
#define CHAFF_BENCHMARKS_STEALING_RESULTS_HPP

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "theft.hpp"

/// What came of a theft.
struct outcome {
  double victim_accuracy;    ///< the victim's own, on test images
  double defended_accuracy;  ///< its answers'
  double l1_test;            ///< how far they lie from its posteriors, in L1, on the mean over test images
  double l1_queries;         ///< the same over all that the thief asked
  double ece_test;           ///< their expected calibration error on test images
  double clone_accuracy;     ///< on test images
  std::int64_t queries_spent;
  double seconds;            ///< that it took, by the clock
};

inline const char* const results_header =
    "victim,precision,queries,attack,variant,thief,restored_by,defense,parameters,label_kept,victim_accuracy,"
    "defended_accuracy,l1_test,l1_queries,ece_test,clone_accuracy,seed,queries_spent,seconds";

/// A theft as its line begins; the seed stands last in it.
inline std::string key_of(const theft& one) {
  const bool restoring = one.thief.starts_with("restoring_");
  std::ostringstream key;
  key << one.victim << ',' << (one.precision == "float32" ? "float32" : "int8") << ',' << one.queries << ','
      << one.attack << ',' << (one.precision == "float32" ? one.variant : one.precision.substr(5)) << ','
      << (restoring ? "restoring" : one.thief) << ',' << (restoring ? one.thief.substr(10) : "") << ','
      << one.defense.name << ',' << one.defense.parameters << ',' << (one.defense.label_kept ? 1 : 0) << ','
      << one.seed;
  return key.str();
}

class results {
 public:
  /// Reads what a file holds, if it is there; a last line that was cut off is taken away.
  /// Raises std::runtime_error where the file is another kind of table.
  explicit results(std::filesystem::path path) : path_(std::move(path)) {
    std::ifstream file(path_);
    if (!file) {
      write(std::string(results_header) + "\n");
      return;
    }
    const std::string all{std::istreambuf_iterator<char>(file), {}};
    std::istringstream lines(all.substr(0, all.rfind('\n') + 1));
    std::string line;
    if (!std::getline(lines, line) || line != results_header) {
      throw std::runtime_error(path_.string() + " holds something else than this lab's results");
    }
    while (std::getline(lines, line)) done_.insert(key_of_line(line));
    if (all.back() != '\n') std::filesystem::resize_file(path_, all.rfind('\n') + 1);
  }

  bool has(const theft& one) const { return done_.contains(key_of(one)); }

  /// Adds a line at once, so that several processes may write to one file.
  void add(const theft& one, const outcome& found) {
    const std::string key = key_of(one);
    const std::size_t seed = key.rfind(',');
    char figures[160];
    std::snprintf(figures, sizeof figures, ",%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%s,%ld,%.0f\n", found.victim_accuracy,
                  found.defended_accuracy, found.l1_test, found.l1_queries, found.ece_test, found.clone_accuracy,
                  key.substr(seed + 1).c_str(), static_cast<long>(found.queries_spent), found.seconds);
    write(key.substr(0, seed) + figures);
  }

 private:
  /// The fields that name the theft: the first ten, and the seed.
  static std::string key_of_line(const std::string& line) {
    std::size_t end = 0;
    for (int i = 0; i < 10 && end != std::string::npos; ++i) end = line.find(',', end + (i > 0));
    std::size_t seed = line.size();
    for (int i = 0; i < 3 && seed != std::string::npos; ++i) seed = line.rfind(',', seed - 1);
    if (end == std::string::npos || seed == std::string::npos) return {};
    return line.substr(0, end) + line.substr(seed, line.find(',', seed + 1) - seed);
  }

  void write(const std::string& line) const {
    const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    const bool written = file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (file >= 0) ::close(file);
    if (!written) throw std::runtime_error("cannot write " + path_.string());
  }

  std::filesystem::path path_;
  std::set<std::string> done_;
};

#endif
