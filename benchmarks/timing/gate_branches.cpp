// SPDX-License-Identifier: MIT
/// Answers rows whose gate is closed, or is open for half of them by chance, for callgrind to count wrongly predicted
/// branches: where no branch knows the gate's side, a predictor makes the same mistakes with both.
///
/// The rows differ in their label's logit alone, which is the largest in both, so no other branch goes another way.
/// For each kind two dumps, named `constant time|usual/T/K:classes/rows:rows/closed|mixed`, of `answers` rows.
#include <valgrind/callgrind.h>

#include <chaff/chaff.hpp>
#include <cmath>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace {

constexpr std::size_t answers = 1024;

template <class T>
void answer_rows(std::size_t classes, std::size_t rows, bool constant_time, bool mixed) {
  std::vector<T> both[2];  // closed, open
  for (std::size_t open = 0; open < 2; ++open) {
    both[open].assign(classes, T(0));
    for (std::size_t i = 0; i < classes; ++i) both[open][i] = static_cast<T>(i % 7) / 7;
    // its posterior is above 0.99, or below 0.85
    both[open][classes / 2] = static_cast<T>((open == 0 ? 6 : 1) + std::log(classes));
  }
  std::mt19937 random(1);
  std::vector<T> queries(answers * classes), answered(rows * classes);
  for (std::size_t i = 0; i < answers; ++i) {
    const std::vector<T>& row = both[mixed ? random() % 2 : 0];
    std::copy(row.begin(), row.end(), queries.begin() + static_cast<std::ptrdiff_t>(i * classes));
  }
  const chaff::policy policy{.constant_time_gate = constant_time};
  const auto answer_all = [&] {
    for (std::size_t first = 0; first < answers; first += rows) {
      const std::span<const T> some(queries.data() + first * classes, rows * classes);
      if (rows == 1) {
        chaff::apply(chaff::dcp{}, some, answered, policy);
      } else {
        chaff::apply_rows(chaff::dcp{}, some, classes, answered, policy);
      }
    }
  };
  answer_all();
  CALLGRIND_ZERO_STATS;
  answer_all();
  const std::string name = std::string(constant_time ? "constant time/" : "usual/") +
                           (std::is_same_v<T, float> ? "float" : "double") + "/K:" + std::to_string(classes) +
                           "/rows:" + std::to_string(rows) + (mixed ? "/mixed" : "/closed");
  CALLGRIND_DUMP_STATS_AT(name.c_str());
}

template <class T>
void answer_sizes() {
  for (const bool constant_time : {false, true}) {
    for (const bool mixed : {false, true}) {
      for (const std::size_t classes : {2u, 10u, 100u, 1000u}) answer_rows<T>(classes, 1, constant_time, mixed);
      answer_rows<T>(10, 64, constant_time, mixed);
    }
  }
}

}  // namespace

int main() {
  answer_sizes<float>();
  answer_sizes<double>();
}
