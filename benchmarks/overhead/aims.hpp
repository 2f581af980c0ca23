// SPDX-License-Identifier: MIT
/// The largest cost that each benchmark aims for, as a ratio.
#ifndef CHAFF_BENCHMARKS_OVERHEAD_AIMS_HPP
#define CHAFF_BENCHMARKS_OVERHEAD_AIMS_HPP

#include <optional>
#include <string>

/// The number of classes in a benchmark's name: the number after "K:".
inline std::size_t classes_in(const std::string& name) {
  const std::size_t at = name.find("/K:");
  return at == std::string::npos ? 0 : std::stoul(name.substr(at + 3));
}

/// Whether vectors are wider than 16 bytes. Aims differ by it.
#if defined(__AVX2__)
inline constexpr bool has_wide_vectors = true;
#else
inline constexpr bool has_wide_vectors = false;
#endif

/// The largest ratio that a benchmark aims for, if it has an aim. The ratio is to a plain Eigen softmax of the same
/// rows or, for the containers, to the contiguous case.
inline std::optional<double> aim_of(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  const std::size_t classes = classes_in(name);
  for (const char* container : {"std::vector/", "row of a column-major matrix/", "strided block/"}) {
    if (name.rfind(container, 0) == 0) return 1.3;
  }
  if (name.rfind("dcp/", 0) != 0 || has("mixed") || has("int8")) return std::nullopt;
  const bool open = has("/open/");
  if (has("/double/")) return has("rows:1") && !has("rows:1024") && classes >= 100 ? std::optional(2.5) : std::nullopt;
  if (has("rows:64") && classes == 10 && open && has_wide_vectors) return 1.0;
  if (!name.ends_with("rows:1")) return std::nullopt;
  if (classes == 10 && has_wide_vectors) return open ? 2.5 : 1.5;
  if (classes < 100) return std::nullopt;
  if (has_wide_vectors) return open ? 1.8 : 1.05;
  return open ? 2.2 : 1.1;
}

#endif
