// SPDX-License-Identifier: MIT
/// A digest of the answers to a large fixed set of rows, on integers alone: the same on every machine.
#ifndef CHAFF_TESTS_INT8_DIGEST_HPP
#define CHAFF_TESTS_INT8_DIGEST_HPP

#include <chaff/int8/dcp.hpp>
#include <chaff/int8/reverse_sigmoid.hpp>
#include <chaff/int8/softmax.hpp>

/// What it is, found on x86-64, where the same rows are compared with the formula in double.
inline constexpr std::uint64_t expected_digest = 0x4ff35c415c0d8450u;

/// Marsaglia's xorshift: the same numbers everywhere.
struct numbers {
  std::uint32_t state;
  constexpr std::uint32_t operator()() {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  }
};

class digest {
 public:
  template <class Defense>
  constexpr void add(const Defense& defense, std::span<const std::int8_t> row) {
    std::int8_t s8[600]{};
    std::uint8_t u8[600]{};
    std::int16_t s16[600]{};
    defense(row, std::span<std::int8_t>(s8, row.size()));
    defense(row, std::span<std::uint8_t>(u8, row.size()));
    defense(row, std::span<std::int16_t>(s16, row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      take(static_cast<std::uint8_t>(s8[i]));
      take(u8[i]);
      take(static_cast<std::uint8_t>(s16[i] & 0xff));
      take(static_cast<std::uint8_t>(s16[i] >> 8 & 0xff));
    }
  }
  constexpr std::uint64_t value() const { return hash_; }

 private:
  constexpr void take(std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3u; }  // FNV-1a

  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// Row number i of the set: from 1 to 600 classes, wide, narrow or flat.
constexpr std::size_t make_row(std::uint32_t i, std::int8_t (&row)[600]) {
  numbers random{i * 2654435761u + 1};
  const std::size_t classes = i % 16 == 0 ? 1 + random() % 600 : 1 + random() % 40;
  const std::uint32_t spread = i % 3 == 0 ? 256 : 1 + random() % 64;
  for (std::size_t j = 0; j < classes; ++j)
    row[j] = static_cast<std::int8_t>(static_cast<int>(random() % spread) - 128);
  return classes;
}

/// The digest of the first `rows` rows under six defenses. The tables are constants, so no floating point runs.
inline std::uint64_t digest_of(std::uint32_t rows) {
  using namespace chaff::int8;
  static constexpr softmax plain(0.05f);
  static constexpr dcp as_published({.input_scale = 0.1f});
  static constexpr dcp open({.input_scale = 0.05f, .beta = 1.2f});
  static constexpr dcp exact({.input_scale = 0.02f, .beta = 1.5f, .gamma = 0.1f, .rule = odds::exact});
  static constexpr dcp half_open({.input_scale = 0.2f, .beta = 0.7f, .nu = 3, .tau = 0.5f});
  static constexpr reverse_sigmoid always({.input_scale = 1, .beta = 1});
  digest of_rows;
  std::int8_t row[600];
  for (std::uint32_t i = 0; i < rows; ++i) {
    const std::span<const std::int8_t> logits(row, make_row(i, row));
    of_rows.add(plain, logits);
    of_rows.add(as_published, logits);
    of_rows.add(open, logits);
    of_rows.add(exact, logits);
    of_rows.add(half_open, logits);
    of_rows.add(always, logits);
  }
  return of_rows.value();
}

inline constexpr std::uint32_t digest_rows = 4000;

#endif
