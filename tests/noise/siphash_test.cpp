// SPDX-License-Identifier: MIT
/// SipHash-2-4 on its authors' test vectors (vectors_sip64 of their reference implementation), and keys.
#include <gtest/gtest.h>

#include <array>
#include <chaff/noise/siphash.hpp>
#include <chaff/simd/vec.hpp>
#include <cstring>
#include <random>
#include <set>
#include <string>

namespace {

const chaff::key key("000102030405060708090a0b0c0d0e0f");

/// The hashes of the messages 00 01 02 ... of 0 to 63 bytes.
constexpr std::uint64_t published[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
    0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0,
    0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7, 0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
    0xa129ca6149be45e5, 0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8, 0xb8ad50c6f649af94,
    0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad, 0xde4daaaca71dc9a5, 0xa6a2506687956571,
    0xad87a3535c49ef28, 0x32d892fad841c342, 0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238,
    0x15e034d40fa197ae, 0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95, 0xf935451de4f21df2,
    0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb, 0xe612a3cb9ecba951, 0xc766e62cfcadaf96,
    0xee64435a9752fe72, 0xa192d576b245165a, 0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea,
    0x245731c13ca42499, 0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

TEST(Siphash, GivesItsAuthorsVectors) {
  std::array<std::uint8_t, 64> message;
  for (std::uint8_t i = 0; i < 64; ++i) message[i] = i;
  for (std::size_t length = 0; length < 64; ++length) {
    ASSERT_EQ(chaff::detail::siphash(key, std::span(message).first(length)), published[length]) << length << " bytes";
  }
}

TEST(Siphash, HashesAMessageInEachLane) {
  using words = chaff::simd::vec<std::uint64_t>;
  chaff::detail::siphash_state<std::uint64_t> one(key);
  one.absorb(0x0706050403020100u);
  chaff::detail::siphash_state<words> many(one);
  many.absorb(chaff::simd::iota<std::uint64_t>(7));
  const words hashes = many.finish(words{} + (std::uint64_t{16} << 56));
  for (std::size_t lane = 0; lane < chaff::simd::width<std::uint64_t>; ++lane) {
    std::uint8_t message[16] = {0, 1, 2, 3, 4, 5, 6, 7, static_cast<std::uint8_t>(7 + lane)};
    EXPECT_EQ(hashes[lane], chaff::detail::siphash(key, message));
  }
}

TEST(Key, ReadsHexadecimalDigitsOfEitherCase) {
  EXPECT_EQ(key.low(), 0x0706050403020100u);
  EXPECT_EQ(key.high(), 0x0f0e0d0c0b0a0908u);
  constexpr chaff::key upper("FFEEDDCCBBAA99887766554433221100");
  constexpr chaff::key lower("ffeeddccbbaa99887766554433221100");
  static_assert(upper.low() == 0x8899aabbccddeeffu && upper.low() == lower.low() && upper.high() == lower.high());
}

TEST(Key, RefusesOtherTextsWithoutShowingThem) {
  for (const char* text :
       {"", "0", "00010203040506070809", "000102030405060708090a0b0c0d0e0f0", "000102030405060708090a0b0c0d0e0g",
        "0x0102030405060708090a0b0c0d0e0f", " 00102030405060708090a0b0c0d0e0f"}) {
    try {
      chaff::key{text};
      FAIL() << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("0001"), std::string::npos) << error.what();
    }
  }
}

TEST(Key, IsDrawnFromTheSystem) {
  std::random_device device;
  std::set<std::uint64_t> halves;
  for (int i = 0; i < 50; ++i) {
    const chaff::key drawn(device);
    halves.insert(drawn.low());
    halves.insert(drawn.high());
  }
  EXPECT_EQ(halves.size(), 100u);
  const chaff::key at_once{std::random_device{}};
  EXPECT_NE(at_once.low(), at_once.high());
}

struct counting_device {
  unsigned int next = 0;
  counting_device() = default;
  counting_device(const counting_device&) = delete;
  unsigned int operator()() { return ++next; }
};

TEST(Key, Takes128BitsFromADevice) {
  const chaff::key drawn(counting_device{});
  EXPECT_EQ(drawn.low(), 0x100000002u);
  EXPECT_EQ(drawn.high(), 0x300000004u);
}

static_assert(!std::default_initializable<chaff::key>, "there is no default key");
static_assert(!std::constructible_from<chaff::key, std::mt19937&>, "a seeded generator is not secret");
static_assert(!std::convertible_to<std::string_view, chaff::key>);

}  // namespace
