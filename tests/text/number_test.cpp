// SPDX-License-Identifier: MIT
/// Decimal numbers are read as by strtod, and written as the shortest text that reads as the same number.
#include <gtest/gtest.h>

#include <bit>
#include <chaff/text/number.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <random>

namespace {

using chaff::detail::decimal_value;

std::string text_of(double value) {
  std::string text;
  chaff::detail::append_number(text, value);
  return text;
}

TEST(DecimalValue, IsThatOfStrtod) {
  std::mt19937_64 random(20260405);
  for (int i = 0; i < 100000; ++i) {
    char text[64];
    const double any = std::bit_cast<double>(random());
    if (!std::isfinite(any)) continue;
    std::snprintf(text, sizeof text, "%.*e", static_cast<int>(random() % 25), any);
    const double expected = std::strtod(text, nullptr);
    if (std::isinf(expected)) continue;
    ASSERT_EQ(decimal_value(text), expected) << text;
  }
}

TEST(DecimalValue, IsThatOfStrtodAtTheEnds) {
  for (const char* text :
       {"0", "-0", "0.0", "00012", "1.", ".5", "-.5e-3", "1e22", "1E+5", "0e999999", "1.7976931348623157e308",
        "4.9406564584124654e-324", "2.2250738585072011e-308", "9007199254740993",
        "0.1000000000000000055511151231257827", "123456789012345678901234567890"}) {
    const double expected = std::strtod(text, nullptr);
    ASSERT_TRUE(decimal_value(text)) << text;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*decimal_value(text)), std::bit_cast<std::uint64_t>(expected)) << text;
  }
}

TEST(DecimalValue, IsMissingForOtherText) {
  for (const char* text :
       {"",     "-",   "+1",     ".",  "e5",    "1e", "1e+", "1.2.3", "1,5",   "0x10",   "1p3",    "inf",
        "-inf", "nan", "NaN(1)", "1f", "1_000", " 1", "1 ",  "--1",   "1e400", "-1e309", "1e-400", "٣"}) {
    EXPECT_FALSE(decimal_value(text)) << text;
  }
  EXPECT_FALSE(decimal_value(std::string_view("1\0", 2)));
}

struct comma final : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(DecimalValue, IgnoresTheLocale) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new comma));
  EXPECT_EQ(decimal_value("1234.5"), 1234.5);
  EXPECT_EQ(decimal_value("1,5"), std::nullopt);
  EXPECT_EQ(text_of(1234.5), "1234.5");
  std::locale::global(before);
}

TEST(AppendNumber, WritesTheShortestTextThatReadsAsTheSame) {
  std::mt19937_64 random(20260406);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = text_of(value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    int digits = 0;
    for (const char c : text.substr(0, text.find('e'))) digits += c >= '0' && c <= '9';
    for (int fewer = 1; fewer < digits; ++fewer) {
      char shorter[64];
      std::snprintf(shorter, sizeof shorter, "%.*e", fewer - 1, value);
      // an integer may be written in full, with zeros at its end, where that is as short
      if (std::strtod(shorter, nullptr) != value) continue;
      ASSERT_LE(text.size(), std::string(shorter).size()) << text;
    }
  }
}

TEST(AppendNumber, WritesPlainNumbersPlainly) {
  EXPECT_EQ(text_of(0.0), "0");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(1000), "1000");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(1e9), "1e+09");
  EXPECT_EQ(text_of(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(text_of(5e-324), "5e-324");
}

}  // namespace
