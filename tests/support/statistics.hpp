// SPDX-License-Identifier: MIT
/// Two tests of whether numbers have a given distribution. Seeds and keys are fixed, so the outcome is the same in
/// every run.
#ifndef CHAFF_TESTS_SUPPORT_STATISTICS_HPP
#define CHAFF_TESTS_SUPPORT_STATISTICS_HPP

#include <algorithm>
#include <cmath>
#include <vector>

/// Pearson's chi-square statistic of observed counts.
inline double chi_square(const std::vector<double>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  }
  return sum;
}

/// The Kolmogorov-Smirnov statistic: sqrt(n) times the largest distance between the numbers' empirical distribution
/// function and the given one. It is below 1.95 with probability 0.999.
template <class Distribution>
double kolmogorov_smirnov(std::vector<double> numbers, Distribution distribution) {
  std::sort(numbers.begin(), numbers.end());
  const double n = static_cast<double>(numbers.size());
  double largest = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double f = distribution(numbers[i]);
    largest = std::max({largest, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return largest * std::sqrt(n);
}

#endif
