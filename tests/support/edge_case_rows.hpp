// SPDX-License-Identifier: MIT
/// Rows of logits at the edges of what is allowed: ties, the ends of the range of T, masked classes, underflow.
#ifndef CHAFF_TESTS_SUPPORT_EDGE_CASE_ROWS_HPP
#define CHAFF_TESTS_SUPPORT_EDGE_CASE_ROWS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

template <class T>
struct edge_case_row {
  std::string name;
  std::vector<T> logits;
};

inline constexpr std::size_t edge_case_sizes[] = {1, 2, 3, 7, 16, 17, 33, 1000, 4099, 131072};
inline constexpr unsigned edge_case_seed = 20260401;

/// The lowest index of the largest value, by a plain scan.
template <class T>
std::size_t argmax_by_scan(const std::vector<T>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

template <class T>
std::vector<edge_case_row<T>> edge_case_rows(std::size_t classes) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::mt19937 random(edge_case_seed + static_cast<unsigned>(classes));
  const auto normal = [&](double deviation, double mean = 0) {
    std::normal_distribution<double> draw(mean, deviation);
    std::vector<T> row(classes);
    for (T& z : row) z = static_cast<T>(draw(random));
    return row;
  };
  const std::size_t last = classes - 1;
  std::vector<edge_case_row<T>> rows;
  const auto add = [&](const char* name, std::vector<T> row) { rows.push_back({name, std::move(row)}); };
  const auto constant = [&](T value) { return std::vector<T>(classes, value); };

  add("all equal", constant(T(0)));
  add("all equal, high", constant(T(1e4)));
  add("all equal, at the lowest", constant(std::numeric_limits<T>::lowest()));
  add("all equal, at the highest", constant(std::numeric_limits<T>::max()));
  auto row = constant(T(0));
  row[last] = T(1e4);
  add("one class 1e4 ahead", row);
  row = constant(std::numeric_limits<T>::lowest());
  row[last / 2] = std::numeric_limits<T>::max();
  add("the whole range of T", row);
  row = constant(T(0));
  row[0] = std::numeric_limits<T>::denorm_min();
  row[last] = -std::numeric_limits<T>::denorm_min();
  add("denormal logits", row);
  row = normal(1);
  row[last] = T(std::is_same_v<T, float> ? 95 : 720);
  add("denormal posteriors", row);
  row = normal(1);
  row[0] = row[last] = row[last / 2] = T(9);
  add("ties for first", row);
  row = constant(T(1));
  row[last] = std::nextafter(T(1), T(2));
  add("one unit in the last place ahead", row);
  row = constant(T(0));
  row[0] = T(-1);
  if (classes > 1) row[1] = T(0.7);
  add("a label of about one half", row);
  add("deviation 1", normal(1));
  add("deviation 4", normal(4));
  add("deviation 1, about -5000", normal(1, -5e3));
  if (classes > 1) {
    row = constant(-infinity);
    row[last] = T(3);
    add("all but one masked", row);
    row = normal(2);
    for (std::size_t i = 0; i < classes; i += 2) row[i] = -infinity;
    add("every other one masked", row);
    row = constant(-infinity);
    row[0] = row[last] = T(-2);
    add("two equal ones not masked", row);
  } else {
    for (const double z : {1e-30, -1e-30, 0.3, -0.3, 2.0, -2.0, 30.0, -30.0, 1e4, -1e4}) {
      add("a sigmoid logit", {static_cast<T>(z)});
    }
  }
  return rows;
}

#endif
