// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/noise/chacha.hpp>
#include <string>
#include <vector>

namespace {

/// Words as bytes, little-endian, in hexadecimal digits.
std::string bytes_of(const std::vector<std::uint32_t>& words) {
  std::string text;
  for (const std::uint32_t word : words) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%02x%02x%02x%02x", word & 0xff, word >> 8 & 0xff, word >> 16 & 0xff,
                  word >> 24);
    text += digits;
  }
  return text;
}

/// A block of ChaCha, from each lane.
template <int rounds>
std::string block(const std::uint32_t (&input)[16]) {
  chaff::detail::chacha_words x[16];
  for (int i = 0; i < 16; ++i) x[i] = chaff::detail::chacha_words{} + input[i];
  chaff::detail::chacha<rounds>(x);
  std::string first;
  for (std::size_t lane = 0; lane < chaff::simd::width<float>; ++lane) {
    std::vector<std::uint32_t> words;
    for (const auto& word : x) words.push_back(word[lane]);
    if (lane == 0) first = bytes_of(words);
    EXPECT_EQ(bytes_of(words), first) << "lane " << lane;
  }
  return first;
}

constexpr std::uint32_t zero_key[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

TEST(ChaCha, GivesTheVectorOfRfc8439) {
  // section 2.3.2
  const std::uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
                                   0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
                                   0x00000001, 0x09000000, 0x4a000000, 0x00000000};
  EXPECT_EQ(block<20>(input),
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

TEST(ChaCha, GivesThePublishedVectorOfEightRounds) {
  // draft-strombergson-chacha-test-vectors-01, TC1 with a key of 256 bits
  EXPECT_EQ(block<8>(zero_key),
            "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
            "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42");
}

TEST(RandomWords, AreTheBlocksOfTheirSeedInTurn) {
  const std::uint64_t seed[4] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u, 0x1716151413121110u, 0x1f1e1d1c1b1a1918u};
  const chaff::detail::random_words random(seed);
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    std::uint32_t words[128];
    random.fill(chunk, words);
    for (std::size_t b = 0; b < 8; ++b) {
      std::uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
      for (std::size_t i = 0; i < 8; ++i) input[4 + i] = 0x03020100u + 0x04040404u * static_cast<std::uint32_t>(i);
      input[12] = static_cast<std::uint32_t>(8 * chunk + b);
      std::vector<std::uint32_t> of_block;
      for (std::size_t w = 0; w < 16; ++w) of_block.push_back(words[8 * w + b]);
      EXPECT_EQ(bytes_of(of_block), block<8>(input)) << "block " << b << " of chunk " << chunk;
    }
  }
}

}  // namespace
