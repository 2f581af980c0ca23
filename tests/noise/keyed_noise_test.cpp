// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/core.hpp>
#include <cmath>
#include <vector>

#include "support/statistics.hpp"

namespace {

const chaff::key key("00112233445566778899aabbccddeeff");
const chaff::key other_key("00112233445566778899aabbccddeefe");

using chaff::detail::keyed_noise;
using chaff::detail::noise_purpose;

/// The facts about a row, as a gate receives them.
template <class T>
chaff::row<T> facts_of(const std::vector<T>& values, chaff::form input = chaff::form::logits) {
  chaff::row<T> facts{};
  std::vector<T> output(values.size());
  const auto recorder = [&](const chaff::row<T>& row) {
    facts = row;
    return 0.0;
  };
  chaff::apply(chaff::gated{recorder, chaff::reverse_sigmoid{}}, values, output, {.input = input});
  return facts;
}

template <class T>
std::uint64_t first_word(const std::vector<T>& z, const chaff::key& secret = key,
                         noise_purpose purpose = noise_purpose::gaussian) {
  return keyed_noise(secret, purpose, facts_of(z)).at(0)[0];
}

TEST(KeyedNoise, IsTheSiphashOfPurposeClassesCellsAndIndex) {
  const std::vector<float> z{1, -2, 0.5f};
  std::vector<std::uint8_t> message;
  const auto append = [&](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) message.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  append(2, 8);                                 // gaussian
  append(3, 8);                                 // classes
  append(64, 4);                                // 1 in units of 1/64
  append(static_cast<std::uint32_t>(-128), 4);  // -2
  append(32, 4);                                // 0.5
  append(0, 4);                                 // padding to a whole word
  append(5, 8);                                 // the index
  const keyed_noise noise(key, noise_purpose::gaussian, facts_of(z));
  EXPECT_EQ(noise.at(5)[0], chaff::detail::siphash(key, message));
  message.assign({3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(keyed_noise(key, noise_purpose::derangement).at(9)[0], chaff::detail::siphash(key, message));
}

TEST(KeyedNoise, DependsOnlyOnKeyPurposeClassesAndCells) {
  const std::vector<double> z{1, 2.5, -3};
  const std::uint64_t word = first_word(z);
  EXPECT_EQ(first_word(z), word) << "in a second call";
  EXPECT_EQ(first_word(std::vector<double>{1.007, 2.493, -3.007}), word) << "in the same cells of 1/64";
  EXPECT_EQ(first_word(std::vector<float>{1, 2.5f, -3}), word) << "in float";
  EXPECT_NE(first_word(std::vector<double>{1 + 1.0 / 64, 2.5, -3}), word);
  EXPECT_NE(first_word(std::vector<double>{1, 2.5, -3 - 1.0 / 64}), word);
  EXPECT_NE(first_word(std::vector<double>{1, 2.5, -3, 0}), word);
  EXPECT_NE(first_word(std::vector<double>{2.5, 1, -3}), word);
  EXPECT_NE(first_word(z, other_key), word);
  EXPECT_NE(first_word(z, key, noise_purpose::vertex), word);
}

TEST(KeyedNoise, TakesTheLogarithmsOfProbabilities) {
  const std::vector<float> p{0.5f, 0.25f, 0.25f};
  const std::vector<float> log_p{std::log(0.5f), std::log(0.25f), std::log(0.25f)};
  const keyed_noise a(key, noise_purpose::gaussian, facts_of(p, chaff::form::probabilities));
  const keyed_noise b(key, noise_purpose::gaussian, facts_of(log_p, chaff::form::log_probabilities));
  EXPECT_EQ(a.at(0)[0], b.at(0)[0]);
}

TEST(KeyedNoise, IsDefinedForTheWholeRangeOfLogits) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double highest = std::numeric_limits<double>::max();
  EXPECT_NE(first_word(std::vector<double>{highest, -highest}), first_word(std::vector<double>{-highest, highest}));
  EXPECT_EQ(first_word(std::vector<double>{0, -highest}), first_word(std::vector<double>{0, -infinity}));
}

TEST(KeyedNoise, BelowIsUniform) {
  std::vector<double> counts(7);
  const int draws = 70000;
  for (int i = 0; i < draws; ++i) {
    const keyed_noise noise(key, noise_purpose::vertex, facts_of(std::vector<double>{static_cast<double>(i), 0}));
    const auto drawn = static_cast<std::size_t>(noise.below(7));
    ASSERT_LT(drawn, 7u);
    ++counts[drawn];
  }
  EXPECT_LT(chi_square(counts, std::vector<double>(7, draws / 7.0)), 22.46) << "6 degrees of freedom, p = 0.001";
  const keyed_noise noise(key, noise_purpose::vertex);
  EXPECT_EQ(noise.below(1), 0u);
  EXPECT_EQ(noise.below(std::uint64_t{1} << 32), noise.at(0)[0] >> 32);
}

/// A number for each of n queries that differ by a cell, or for each class of one query.
std::vector<double> normals(int n, bool of_classes) {
  std::vector<double> numbers;
  for (int i = 0; i < n; ++i) {
    const keyed_noise noise(key, noise_purpose::gaussian,
                            facts_of(std::vector<double>{of_classes ? 0 : i / 64.0, 0.5}));
    numbers.push_back(chaff::detail::normal(noise.at(of_classes ? static_cast<std::size_t>(i) : 0))[0]);
  }
  return numbers;
}

TEST(Normal, IsNormallyDistributedOverQueriesAndOverClasses) {
  for (const bool of_classes : {false, true}) {
    const std::vector<double> numbers = normals(100000, of_classes);
    EXPECT_LT(kolmogorov_smirnov(numbers, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }), 1.95)
        << "p = 0.001";
    // a number is correlated neither with the next one nor with its square
    double with_next = 0, with_next_square = 0;
    for (std::size_t i = 1; i < numbers.size(); ++i) {
      with_next += numbers[i] * numbers[i - 1];
      with_next_square += numbers[i] * (numbers[i - 1] * numbers[i - 1] - 1);
    }
    const double deviation = std::sqrt(static_cast<double>(numbers.size()));
    EXPECT_LT(std::abs(with_next), 3.3 * deviation);
    EXPECT_LT(std::abs(with_next_square), 3.3 * deviation * std::sqrt(2.0));
  }
}

TEST(Normal, IsTheFormulaOfBoxAndMuller) {
  constexpr double tau = 6.283185307179586;
  for (std::uint64_t word : {0ull, ~0ull, 0x0000000180000000ull, 0xfedcba9876543210ull, 0x80000000ffffffffull,
                             0x7fffffff00000000ull, 0x123456787fffffffull, 0x1234567840000000ull}) {
    const double u = (static_cast<double>(word >> 32) + 0.5) / 4294967296.0;
    const double turn = (static_cast<double>(word & 0xffffffffu) + 0.5) / 4294967296.0 - 0.5;
    const double exact = std::sqrt(-2 * std::log(u)) * std::cos(tau * turn);
    const double x = chaff::detail::normal(chaff::simd::vec<std::uint64_t>{} + word)[0];
    EXPECT_NEAR(x, exact, 4e-15) << std::hex << word;
    EXPECT_LT(std::abs(x), 6.77);
  }
}

}  // namespace
