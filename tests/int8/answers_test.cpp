// SPDX-License-Identifier: MIT
/// The guarantees of the edge path: codes within one of the formula in double, the label strictly first, the same
/// bits everywhere. Small rows exhaustively, others at random.
#include <gtest/gtest.h>

#include <chaff/int8/dcp.hpp>
#include <chaff/int8/reverse_sigmoid.hpp>
#include <chaff/int8/softmax.hpp>
#include <random>
#include <string>

#include "int8/digest.hpp"
#include "int8/formula.hpp"
#include "support/stride.hpp"

namespace {

using namespace chaff::int8;
using row = std::vector<std::int8_t>;

template <class Code>
constexpr long zero_point = std::is_same_v<Code, std::uint8_t> ? 0 : std::numeric_limits<Code>::min();
template <class Code>
constexpr long top = sizeof(Code) == 1 ? 255 : 65535;

template <class Code, class Defense>
std::vector<long> units(const Defense& defense, const row& q) {
  std::vector<Code> y(q.size());
  defense(q, std::span<Code>(y));
  std::vector<long> n;
  for (const Code code : y) n.push_back(code - zero_point<Code>);
  return n;
}

/// The furthest that a code lies from those of y, the formula's; fails where the label is not strictly first.
template <class Code, class Defense>
long furthest(const Defense& defense, const row& q, const std::vector<formula::real>& y) {
  const auto n = units<Code>(defense, q);
  const std::size_t k = formula::label(q);
  const long label = formula::label_units(y[k], top<Code>);
  long most = std::abs(n[k] - label);
  for (std::size_t i = 0; i < q.size(); ++i) {
    if (i == k) continue;
    EXPECT_LT(n[i], n[k]);
    most = std::max(most, std::abs(n[i] - formula::other_units(y[i], top<Code>, label)));
  }
  return most;
}

template <class Defense>
void expect_close(const Defense& defense, const row& q, const parameters& given, formula::gate gate) {
  const auto y = formula::answer(q, given, gate);
  ASSERT_LE(furthest<std::int8_t>(defense, q, y), 1);
  ASSERT_LE(furthest<std::uint8_t>(defense, q, y), 1);
  ASSERT_LE(furthest<std::int16_t>(defense, q, y), 1);
}

const parameters settings[] = {
    {.input_scale = 0.1f},
    {.input_scale = 0.02f, .beta = 1.2f},
    {.input_scale = 0.05f, .beta = 1.5f, .gamma = 0.1f, .rule = odds::exact},
    {.input_scale = 0.3f, .beta = 0.8f, .gamma = 1, .nu = 3, .tau = 0.6f, .rule = odds::exact},
    {.input_scale = 1e-6f, .beta = 10, .gamma = 10, .nu = 10000, .tau = 0.4f},
    {.input_scale = 30, .beta = 10, .gamma = 0.01f, .nu = 1, .tau = 10, .rule = odds::exact},
    {.input_scale = 0.5f, .beta = 0},
};

std::string describe(const parameters& given) {
  return "scale " + std::to_string(given.input_scale) + ", beta " + std::to_string(given.beta) + ", gamma " +
         std::to_string(given.gamma) + ", nu " + std::to_string(given.nu) + ", tau " + std::to_string(given.tau) +
         (given.rule == odds::exact ? ", exact" : ", clamped");
}

TEST(Int8Answers, EveryPairOfLogits) {
  for (const parameters& given : settings) {
    SCOPED_TRACE(describe(given));
    const dcp defense(given);
    const reverse_sigmoid open(given);
    const softmax plain(given.input_scale);
    for (unsigned pair = 0; pair < 1u << 16; pair += is_exhaustive ? 1 : 7) {
      const row q{static_cast<std::int8_t>(pair & 255), static_cast<std::int8_t>(pair >> 8)};
      expect_close(defense, q, given, formula::gate::confidence);
      expect_close(open, q, given, formula::gate::open);
      expect_close(plain, q, given, formula::gate::closed);
      if (HasFatalFailure()) return;
    }
  }
}

/// Every triple's answer is that of its three distances, of which one is 0: the formula is worked out for each pair of
/// distances once, and all 2^24 triples are compared with it.
TEST(Int8Answers, EveryTripleOfLogits) {
  for (const parameters& given : {settings[0], settings[2], settings[3]}) {
    SCOPED_TRACE(describe(given));
    const dcp defense(given);
    std::vector<long> expected(256 * 256 * 3);
    for (int a = 0; a < 256; ++a) {
      for (int b = 0; b < 256; ++b) {
        // a row (127, 127 - a, 127 - b): the label first, which is where ties put it
        const auto y = formula::answer({127, static_cast<std::int8_t>(127 - a), static_cast<std::int8_t>(127 - b)},
                                       given, formula::gate::confidence);
        long* const codes = &expected[static_cast<std::size_t>(a * 256 + b) * 3];
        codes[0] = formula::label_units(y[0], 65535);
        codes[1] = formula::other_units(y[1], 65535, codes[0]);
        codes[2] = formula::other_units(y[2], 65535, codes[0]);
      }
    }
    std::size_t wrong = 0;
    for (unsigned triple = 0; triple < 1u << 24; triple += exhaustive_stride) {
      const std::int8_t q[3] = {static_cast<std::int8_t>(triple & 255), static_cast<std::int8_t>(triple >> 8 & 255),
                                static_cast<std::int8_t>(triple >> 16)};
      std::int16_t y[3];
      defense(q, std::span<std::int16_t>(y));
      const int k = q[0] >= q[1] && q[0] >= q[2] ? 0 : q[1] >= q[2] ? 1 : 2;
      const int i = k == 0 ? 1 : 0, j = k == 2 ? 1 : 2;
      const long* const codes = &expected[static_cast<std::size_t>((q[k] - q[i]) * 256 + q[k] - q[j]) * 3];
      const auto off = [&](int at, long code) { return std::abs(y[at] + 32768 - code) > 1; };
      wrong += off(k, codes[0]) || off(i, codes[1]) || off(j, codes[2]) || y[i] >= y[k] || y[j] >= y[k];
    }
    EXPECT_EQ(wrong, 0u);
  }
}

TEST(Int8Answers, RandomRowsOfAnyLengthAndParameters) {
  std::mt19937 random(17);
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
  };
  for (int trial = 0; trial < (is_exhaustive ? 4000 : 400); ++trial) {
    parameters given{.input_scale = std::pow(10.0f, uniform(-3, 1)),
                     .beta = uniform(0, 3),
                     .gamma = uniform(0, 2),
                     .nu = trial % 2 ? 1000 : uniform(1, 3000)};
    given.tau = trial % 3 ? given.beta : uniform(0, 1.2);
    given.rule = trial % 4 < 2 ? odds::clamped : odds::exact;
    const std::size_t classes = trial % 500 == 0 ? 65535 : trial % 20 == 0 ? 2 + random() % 5000 : 2 + random() % 40;
    row q(classes);
    std::normal_distribution<double> draw(0, static_cast<double>(1 + random() % 60));
    for (std::int8_t& each : q) {
      each = trial % 3 == 0   ? static_cast<std::int8_t>(random() & 255)
             : trial % 3 == 1 ? static_cast<std::int8_t>(std::clamp(draw(random), -128.0, 127.0))
                              : static_cast<std::int8_t>(random() % 2);
    }
    SCOPED_TRACE("K " + std::to_string(classes) + ", trial " + std::to_string(trial) + ", " + describe(given));
    expect_close(dcp(given), q, given, formula::gate::confidence);
    expect_close(reverse_sigmoid(given), q, given, formula::gate::open);
    expect_close(softmax(given.input_scale), q, given, formula::gate::closed);
    if (HasFatalFailure()) return;
  }
}

TEST(Int8Answers, FlatRowsOfAnyLength) {
  for (const std::size_t classes : {2u, 3u, 255u, 256u, 257u, 512u, 1000u, 65535u}) {
    for (std::size_t i = 0; i < std::size(settings); i += setting_stride(classes)) {
      const parameters& given = settings[i];
      for (const int level : {-128, 0, 127}) {
        SCOPED_TRACE("K " + std::to_string(classes) + ", " + describe(given));
        const row q(classes, static_cast<std::int8_t>(level));
        expect_close(dcp(given), q, given, formula::gate::confidence);
        expect_close(softmax(given.input_scale), q, given, formula::gate::closed);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Int8Answers, ExtremesOfLengthAndSpread) {
  // one class far ahead of all, and two levels of many
  for (std::size_t i = 0; i < std::size(settings); i += setting_stride(65535)) {
    const parameters& given = settings[i];
    SCOPED_TRACE(describe(given));
    row q(65535, -128);
    q[40000] = 127;
    expect_close(dcp(given), q, given, formula::gate::confidence);
    expect_close(reverse_sigmoid(given), q, given, formula::gate::open);
    for (std::size_t c = 1; c < q.size(); c += 2) q[c] = 126;
    expect_close(dcp(given), q, given, formula::gate::confidence);
    expect_close(reverse_sigmoid(given), q, given, formula::gate::open);
    if (HasFatalFailure()) return;
  }
}

TEST(Int8Answers, OneClassAnswersTheTopCode) {
  for (const parameters& given : settings) {
    const dcp defense(given);
    for (const int q : {-128, 0, 127}) {
      EXPECT_EQ(units<std::int8_t>(defense, {static_cast<std::int8_t>(q)}), std::vector<long>{255});
      EXPECT_EQ(units<std::uint8_t>(defense, {static_cast<std::int8_t>(q)}), std::vector<long>{255});
      EXPECT_EQ(units<std::int16_t>(defense, {static_cast<std::int8_t>(q)}), std::vector<long>{65535});
    }
  }
}

TEST(Int8Answers, ARowTooLongForTheSumsIsAnsweredByItsLabel) {
  row q(70000, 3);
  q[69000] = 4;
  const auto n = units<std::int16_t>(dcp(settings[0]), q);
  EXPECT_EQ(n[69000], 65535);
  EXPECT_EQ(std::count(n.begin(), n.end(), 0), 69999);
}

TEST(Int8Answers, NoRowHasNoAnswer) {
  const dcp defense(settings[0]);
  defense(std::span<const std::int8_t>(), std::span<std::int8_t>());
}

TEST(Int8Answers, InPlaceAndInRowsAsAlone) {
  std::mt19937 random(3);
  const dcp defense(settings[0]);
  row q(7 * 30);
  for (std::int8_t& each : q) each = static_cast<std::int8_t>(random() & 255);
  row expected(q.size()), together(q.size()), in_place = q;
  for (std::size_t first = 0; first < q.size(); first += 7) {
    defense(std::span<const std::int8_t>(q).subspan(first, 7), std::span<std::int8_t>(expected).subspan(first, 7));
  }
  defense.rows(q, 7, std::span<std::int8_t>(together));
  defense.rows(in_place, 7, std::span<std::int8_t>(in_place));
  EXPECT_EQ(together, expected);
  EXPECT_EQ(in_place, expected);
}

TEST(Int8Answers, PlainSoftmaxWouldLoseTheLabel) {
  // without the guarantee: rounded to the same codes, the formula ties the label with others in most rows
  std::mt19937 random(5);
  std::normal_distribution<double> draw(0, 1.5 / 0.02);
  int tied = 0;
  for (int trial = 0; trial < 200; ++trial) {
    row q(1000);
    for (std::int8_t& each : q) each = static_cast<std::int8_t>(std::clamp(std::round(draw(random)), -128.0, 127.0));
    const auto y = formula::answer(q, {.input_scale = 0.02f}, formula::gate::closed);
    const std::size_t k = formula::label(q);
    for (std::size_t i = 0; i < q.size(); ++i) {
      if (i != k && std::lround(y[i] * 256) == std::lround(y[k] * 256)) {
        ++tied;
        break;
      }
    }
    ASSERT_LE(furthest<std::int8_t>(softmax(0.02f), q, y), 1);
  }
  EXPECT_GT(tied, 100);
}

TEST(Int8Answers, HaveTheDigestThatEveryMachineHas) {
  EXPECT_EQ(digest_of(digest_rows), expected_digest) << std::hex << digest_of(digest_rows);
}

TEST(Int8Parameters, AreCheckedWhenADefenseIsMade) {
  const auto expect_refused = [](const parameters& given, const std::string& message) {
    try {
      const dcp defense(given);
      FAIL() << message;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()), message);
    }
  };
  expect_refused({.input_scale = 0}, "chaff: input_scale is 0, allowed is [1e-06, 30]");
  expect_refused({.input_scale = 31}, "chaff: input_scale is 31, allowed is [1e-06, 30]");
  expect_refused({.input_scale = std::nanf("")}, "chaff: input_scale is nan, allowed is [1e-06, 30]");
  expect_refused({.input_scale = 1, .beta = -1, .tau = 1}, "chaff: beta is -1, allowed is [0, 10]");
  expect_refused({.input_scale = 1, .gamma = 11}, "chaff: gamma is 11, allowed is [0, 10]");
  expect_refused({.input_scale = 1, .nu = 0.5f}, "chaff: nu is 0.5, allowed is [1, 10000]");
  expect_refused({.input_scale = 1, .tau = 10.5f}, "chaff: tau is 10.5, allowed is [0, 10]");
}

constexpr int label_code_at_compile_time() {
  constexpr dcp defense({.input_scale = 0.1f, .beta = 1.2f});
  const std::int8_t q[] = {10, 20, 15};
  std::int8_t y[3] = {};
  defense(q, std::span<std::int8_t>(y));
  return y[1];
}
static_assert(label_code_at_compile_time() > 127 - 256 / 3 * 2 && label_code_at_compile_time() < 127);

}  // namespace
