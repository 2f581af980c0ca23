// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/form.hpp>
#include <chaff/noise/keyed_noise.hpp>
#include <chaff/noise/normal.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/posterior/row.hpp>
#include <cmath>
#include <random>
#include <set>
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

/// NH as its authors define it, with the keys moved on by an offset: the sum of the products of pairs.
std::uint64_t nh(const std::vector<std::uint32_t>& cells, const std::uint32_t* keys) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < cells.size(); i += 2) {
    sum += std::uint64_t{cells[i] + keys[i]} * static_cast<std::uint32_t>(cells[i + 1] + keys[i + 1]);
  }
  return sum;
}

/// A stream of random words from the words 0 to 3 of a message.
chaff::detail::random_words in_bulk(std::vector<std::uint8_t> message) {
  std::uint64_t seed[4];
  message.resize(message.size() + 8);
  for (std::uint8_t i = 0; i < 4; ++i) {
    message[message.size() - 8] = i;
    seed[i] = chaff::detail::siphash(key, message);
  }
  return chaff::detail::random_words(seed);
}

TEST(KeyedNoise, OfLongRowsIsTheSiphashOfHashesOfEach112Cells) {
  for (const std::size_t classes : {65u, 112u, 113u, 300u}) {
    std::vector<double> z(classes);
    for (std::size_t i = 0; i < classes; ++i) z[i] = static_cast<double>(static_cast<int>(i * 37 % 101) - 50) / 64;
    std::vector<std::uint8_t> message;
    const auto append = [&](std::uint64_t value) {
      for (int i = 0; i < 8; ++i) message.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    };
    append(4);  // the keys of the hashes
    std::uint32_t keys[128];
    in_bulk(message).fill(0, keys);
    message.clear();
    append(1);  // vertex
    append(classes);
    for (std::size_t from = 0; from < classes; from += 112) {
      std::vector<std::uint32_t> cells;
      for (std::size_t i = from; i < std::min(classes, from + 112); ++i) {
        cells.push_back(static_cast<std::uint32_t>(static_cast<std::int32_t>(z[i] * 64)));
      }
      cells.resize((cells.size() + 15) / 16 * 16);
      append(nh(cells, keys));
      append(nh(cells, keys + 2));
    }
    const keyed_noise noise(key, noise_purpose::vertex, facts_of(z));
    std::uint32_t words[128], expected[128];
    noise.in_bulk().fill(3, words);
    in_bulk(message).fill(3, expected);
    EXPECT_EQ(std::vector(words, words + 128), std::vector(expected, expected + 128)) << classes;
    append(7);
    EXPECT_EQ(noise.at(7)[0], chaff::detail::siphash(key, message)) << classes;
    EXPECT_EQ(keyed_noise(key, noise_purpose::vertex, facts_of(std::vector<float>(z.begin(), z.end()))).at(7)[0],
              chaff::detail::siphash(key, message))
        << "in float";
  }
}

TEST(KeyedNoise, RowsThatDifferInOneCellHaveOtherHashes) {
  // differences that cancel in a sum without keys: one bit, two neighbours, pairs and whole stretches exchanged
  std::mt19937 random(8);
  std::vector<double> z(300);
  for (double& v : z) v = static_cast<double>(random() % 1024) / 64;
  std::set<std::uint64_t> words{first_word(z)};
  std::size_t rows = 1;
  const auto add = [&](const std::vector<double>& row) {
    words.insert(first_word(row));
    ++rows;
  };
  for (std::size_t i = 0; i + 1 < z.size(); ++i) {
    for (const double step : {1.0 / 64, -1.0 / 64, 1024.0, 16777216.0}) {
      auto other = z;
      other[i] += step;
      add(other);
      other[i + 1] -= step;
      add(other);
    }
    for (const std::size_t apart : {1u, 2u, 112u}) {
      auto other = z;
      other[i] += 0.25;  // so that the exchanged ones differ
      if (i + apart < z.size()) {
        std::swap(other[i], other[i + apart]);
        add(other);
      }
    }
  }
  EXPECT_EQ(words.size(), rows);
}

/// The bound of the hash, in small: NH of 4-bit words, two pairs of cells and two passes, counted over all keys. For
/// two messages that differ, at most 2^-8 of the keys give both sums alike, as 2^-64 for words of 32 bits.
TEST(KeyedNoise, HashesOfTwoRowsMeetUnderTheShareOfKeysThatTheTheoremSays) {
  const auto model = [](const unsigned(&m)[4], const unsigned* k) {
    unsigned sum = 0;
    for (int i = 0; i < 4; i += 2) sum += (m[i] + k[i]) % 16 * ((m[i + 1] + k[i + 1]) % 16);
    return sum % 256;
  };
  std::mt19937 random(4);
  for (int trial = 0; trial < 6; ++trial) {
    unsigned a[4], b[4];
    for (int i = 0; i < 4; ++i) a[i] = b[i] = random() % 16;
    b[trial % 4] ^= trial < 4 ? 8 : 1;
    if (trial == 5) b[2] ^= 8;
    unsigned meetings = 0;
    for (unsigned keys = 0; keys < 1u << 24; ++keys) {
      unsigned k[6];
      for (unsigned i = 0; i < 6; ++i) k[i] = keys >> (4 * i) & 15;
      meetings += model(a, k) == model(b, k) && model(a, k + 2) == model(b, k + 2);
    }
    EXPECT_LE(meetings, 1u << 16) << trial;
    EXPECT_GT(meetings, 0u) << "the bound is not far off";
  }
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

/// The normal numbers of a row, as gaussian_noise adds them.
std::vector<double> normals_of(const std::vector<double>& z) {
  const keyed_noise noise(key, noise_purpose::gaussian, facts_of(z));
  std::vector<double> numbers(z.size() + 256);
  std::uint32_t words[128];
  if (z.size() <= 16) {
    noise.write_16(words);
    chaff::detail::write_normals<double>(words, 8, z.size(), numbers.data());
  } else {
    for (std::size_t from = 0; from < z.size(); from += 128) {
      noise.in_bulk().fill(from / 128, words);
      chaff::detail::write_normals<double>(words, 64, std::min<std::size_t>(128, z.size() - from),
                                           numbers.data() + from);
    }
  }
  numbers.resize(z.size());
  return numbers;
}

/// A number for each of n queries that differ by a cell, of two classes or of 20 and one of them, or for each class of
/// one query.
std::vector<double> normals(int n, int way) {
  if (way == 2) return normals_of(std::vector<double>(static_cast<std::size_t>(n), 0.5));
  std::vector<double> numbers;
  for (int i = 0; i < n; ++i) {
    std::vector<double> z(way == 0 ? 2 : 90, 0.5);
    z[0] = i / 64.0;
    numbers.push_back(normals_of(z)[way == 0 ? 1 : 77]);
  }
  return numbers;
}

TEST(Normal, IsNormallyDistributedOverQueriesAndOverClasses) {
  for (const int way : {0, 1, 2}) {
    const std::vector<double> numbers = normals(100000, way);
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
  for (std::uint64_t word :
       {0ull, ~0ull, 0x0000000180000000ull, 0xfedcba9876543210ull, 0x80000000ffffffffull, 0x7fffffff00000000ull,
        0x123456787fffffffull, 0x1234567840000000ull, 0x12345678c0000000ull, 0x123456783fffffffull}) {
    const double u = (static_cast<double>(word >> 32) + 0.5) / 4294967296.0;
    const double turn = (static_cast<double>(word & 0xffffffffu) + 0.5) / 4294967296.0 - 0.5;
    const double radius = std::sqrt(-2 * std::log(u));
    using words = chaff::simd::vec<std::uint64_t>;
    const auto pair = chaff::detail::normals(words{} + (word >> 32), words{} + (word & 0xffffffffu));
    EXPECT_NEAR(pair.by_cosine[0], radius * std::cos(tau * turn), 4e-15) << std::hex << word;
    EXPECT_NEAR(pair.by_sine[0], radius * std::sin(tau * turn), 4e-15) << std::hex << word;
    EXPECT_LT(std::abs(pair.by_cosine[0]), 6.77);
    EXPECT_LT(std::abs(pair.by_sine[0]), 6.77);
  }
}

TEST(Normal, OfAClassIsMadeOfItsOwnWords) {
  std::uint32_t words[128];
  for (std::uint32_t i = 0; i < 128; ++i) words[i] = i * 2654435761u + 12345;
  for (const std::size_t half : {8u, 64u}) {
    float numbers[128] = {};
    chaff::detail::write_normals<float>(words, half, 2 * half, numbers);
    for (std::size_t i = 0; i < half; ++i) {
      using wide = chaff::simd::vec<std::uint64_t>;
      const auto pair = chaff::detail::normals(wide{} + words[i], wide{} + words[half + i]);
      EXPECT_EQ(numbers[i], static_cast<float>(pair.by_cosine[0]));
      EXPECT_EQ(numbers[half + i], static_cast<float>(pair.by_sine[0]));
    }
  }
}

}  // namespace
