// SPDX-License-Identifier: MIT
/// The largest cost that each benchmark aims for, as a ratio.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_AIMS_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_AIMS_HPP

#include <optional>
#include <string>

/// The largest ratio that benchmarks aim for: to a plain Eigen softmax of the same rows or, for the containers, to the
/// contiguous case.
struct aim {
  std::string name;  ///< how the benchmark's name begins
  double ratio;
  const char* bound = "";  ///< of an aim that is missed: what the rest of the time goes to
};

// What bounds those that are missed, in instructions with AVX2 (count_avx2.txt).
inline constexpr char fixed_cost[] =
    "what a call costs whatever the row: 405 instructions of a row of 2 classes, of 452 for 10";
inline constexpr char open_fixed_cost[] =
    "what a call costs whatever the row: 707 instructions of a row of 2 classes, of 810 for 10 and 1,921 for 100";
inline constexpr char few_classes[] =
    "16 instructions a class with the gate closed (3 for the exponential, 2.4 for gates that are evaluated row by row, "
    "2.3 to gather and scatter, 1.9 for the facts of each row, 1.9 to find the label) and 28 with it open";
inline constexpr char open_row[] =
    "13 instructions a class: two exponentials, the log-odds, and two passes over the weights";
inline constexpr char logarithm[] =
    "the logarithms: 5.8 instructions a class, with a polynomial of degree 8 for an error of 1 ULP";
inline constexpr char gathering[] =
    "the gathering: 3 instructions a class, one of them a load and one a store, since no vector load takes the stride";

/// The aims with vectors wider than 16 bytes, and float.
inline const aim wide_aims[] = {
    {"dcp/closed/float/K:10/rows:1", 1.5, fixed_cost},
    {"dcp/open/float/K:10/rows:1", 2.6, open_fixed_cost},
    {"dcp through defend/closed/float/K:10/rows:1", 1.3, fixed_cost},
    {"dcp through defend/open/float/K:10/rows:1", 2.4, open_fixed_cost},
    {"dcp/closed/float/K:100/rows:1", 0.9, fixed_cost},
    {"dcp/open/float/K:100/rows:1", 1.7, open_fixed_cost},
    {"dcp/closed/float/K:1000/rows:1", 0.65},
    {"dcp/open/float/K:1000/rows:1", 1.4, open_row},
    {"dcp/closed/float/K:20000/rows:1", 0.65},
    {"dcp/open/float/K:20000/rows:1", 1.4, open_row},
    {"dcp/closed/float/K:10/rows:64", 0.4, few_classes},
    {"dcp/open/float/K:10/rows:64", 0.75, few_classes},
    {"dcp as log-probabilities/open/float/K:1000/rows:1", 1.7, logarithm},
    {"none | top_k 5/absent/float/K:1000/rows:1", 1.6},
    {"none | top_k 5/absent/float/K:10/rows:1", 4},
    {"none | rounded 3/absent/float/K:1000/rows:1", 4},
    {"none | rounded 3/absent/float/K:10/rows:1", 8},
    {"none | gaussian_noise/absent/float/K:1000/rows:1", 6},
    {"misdirect/absent/float/K:1000/rows:1", 3},
    {"random_vertex/absent/float/K:1000/rows:1", 2.2},
    {"modelguard_w/absent/float/K:1000/rows:1", 12},
    {"row of a column-major matrix/closed/", 1.3, gathering},
    {"row of a column-major matrix/open/", 1.3, gathering},
};

/// The aims with vectors of 16 bytes, and for containers and double with any.
inline const aim other_aims[] = {
    {"std::vector/", 1.3},
    {"strided block/", 1.3},
    {"row of a column-major matrix/", 1.3, gathering},
};

/// The number of classes in a benchmark's name: the number after "K:".
inline std::size_t classes_in(const std::string& name) {
  const std::size_t at = name.find("/K:");
  return at == std::string::npos ? 0 : std::stoul(name.substr(at + 3));
}

/// The aim of a benchmark, if it has one.
inline std::optional<aim> aim_of(const std::string& name) {
#if defined(__AVX2__)
  for (const aim& each : wide_aims) {
    if (each.name.ends_with('/') ? name.starts_with(each.name) : name == each.name) return each;
  }
#endif
  for (const aim& each : other_aims) {
    if (name.starts_with(each.name)) return each;
  }
  if (!name.ends_with("rows:1") || classes_in(name) < 100) return std::nullopt;
  if (name.starts_with("dcp/closed/double/") || name.starts_with("dcp/open/double/")) return aim{name, 2.5};
#if !defined(__AVX2__)
  if (name.starts_with("dcp/closed/float/")) return aim{name, 1.1};
  if (name.starts_with("dcp/open/float/")) return aim{name, 2.2};
#endif
  return std::nullopt;
}

#endif
