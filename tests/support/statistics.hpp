// SPDX-License-Identifier: MIT
/// Two tests of whether numbers have the distribution that they should. Seeds and keys are fixed, so their outcome is.
#ifndef CHAFF_TESTS_SUPPORT_STATISTICS_HPP
#define CHAFF_TESTS_SUPPORT_STATISTICS_HPP

#include <algorithm>
#include <cmath>
#include <vector>

/// Pearson's statistic of counts against what was to be expected.
inline double chi_square(const std::vector<double>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  }
  return sum;
}

/// sqrt(n) times the largest distance between the numbers' distribution and the one given: below 1.95 with
/// probability 0.999.
template <class Distribution>
double kolmogorov_smirnov(std::vector<double> numbers, Distribution below) {
  std::sort(numbers.begin(), numbers.end());
  const double n = static_cast<double>(numbers.size());
  double most = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double f = below(numbers[i]);
    most = std::max({most, f - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - f});
  }
  return most * std::sqrt(n);
}

#endif
