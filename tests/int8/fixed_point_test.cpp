// SPDX-License-Identifier: MIT
/// Each function on integers against the same function in double.
#include <gtest/gtest.h>

#include <chaff/int8/fixed_point.hpp>
#include <chaff/int8/parameters.hpp>
#include <cmath>

namespace {

using namespace chaff::int8;
constexpr chaff_int8_table table = make_table({.input_scale = 1}, 1);

TEST(Exp2Minus, IsWithin12e7Relative) {
  for (std::uint64_t wide_x = 0; wide_x < std::uint64_t{1} << 32; wide_x += 1013) {
    const auto x = static_cast<std::uint32_t>(wide_x);
    const double exact = std::exp2(-std::ldexp(x, -26));
    ASSERT_NEAR(std::ldexp(static_cast<double>(exp2_minus_once_q46(table, x)), -46), exact, 1.2e-7 * exact + 0x1p-46);
    if (x >> 31 == 0) {
      ASSERT_NEAR(std::ldexp(exp2_minus_q30(table, x), -30), exact, 1.2e-7 * exact + 0x1p-30) << x;
    }
  }
}

TEST(Times, IsTheShiftedProduct) {
  for (const std::uint64_t a : {0x123456789abcull, 0xffffffffull, 0x7fffffffffffull, 1ull}) {
    for (const std::uint32_t b : {1u, 0x80000000u, 0xffffffffu, 12345u}) {
      for (const int shift : {28, 30, 31, 32}) {
        // by b's halves, as a b has 79 bits
        const std::uint64_t exact = (a * (b >> 16) + (a * (b & 0xffff) >> 16)) >> (shift - 16);
        ASSERT_LE(exact - times(a, b, shift), 1u);
      }
    }
  }
}

TEST(MinusLog1mQ30, IsWithin5e8) {
  for (std::uint32_t p = 0; p <= 1u << 30; p += 509) {
    ASSERT_NEAR(std::ldexp(minus_log1m_q30(table, p), -30), -std::log1p(-std::ldexp(p, -31)), 5e-8) << p;
  }
}

TEST(LogQ26, IsWithin2e7) {
  for (int zeros = 0; zeros <= 19; ++zeros) {
    for (std::uint64_t step = 0; step < 4096; ++step) {
      const std::uint64_t s = (std::uint64_t{0x8000000000000000u} | step << 51 | step * 12345) >> zeros;
      ASSERT_NEAR(std::ldexp(log_q26(table, s), -26), std::log(std::ldexp(static_cast<double>(s), -44)), 2e-7) << s;
    }
  }
}

TEST(RiseQ30, IsWithin8e8) {
  for (std::uint32_t u = 0; u <= 1u << 30; u += 251) {
    const double t = std::ldexp(u, -30);
    ASSERT_NEAR(std::ldexp(rise_q30(table, u), -30), (1 - t) / (1 + t), 8e-8) << u;
    ASSERT_EQ(rise_q30(table, u), rise_once_q30(table, u));
  }
  EXPECT_NEAR(rise_q30(table, 1u << 30), 0, 100);
  EXPECT_LT(rise_q30(table, 0), 1 << 30) << "or alpha could be 1, which has no room";
}

TEST(Reciprocal, IsWithin1e9OfIt) {
  for (int zeros = 0; zeros < 63; ++zeros) {
    for (std::uint64_t step = 0; step < 512; ++step) {
      const std::uint64_t s = (std::uint64_t{0x8000000000000000u} | step << 54 | step * 98765) >> zeros;
      const reciprocal r(table, s);
      ASSERT_NEAR(std::ldexp(static_cast<double>(r.mantissa), r.zeros - 95) * static_cast<double>(s), 1, 1e-9) << s;
    }
  }
}

TEST(ExpMinus, IsWithin1e13Times1AndX) {
  for (double x = 0; x < 700; x += 0.37) ASSERT_NEAR(exp_minus(x) / std::exp(-x), 1, 1e-13 * (1 + x)) << x;
  EXPECT_EQ(exp_minus(0), 1);
  EXPECT_EQ(exp_minus(1e6), 0);
}

TEST(ScaleOf, UndoesWhatPrepareDoesWithAScale) {
  for (const double scale : {0.00390625, 0.05, 0.1234, 0.75, 3.5}) {
    int shift = 0;
    const double fraction = std::frexp(scale * 0x1p26, &shift);  // fraction 2^shift, fraction in [1/2, 1)
    const auto mult = static_cast<std::int32_t>(std::lround(fraction * 0x1p31 - 0.25));
    EXPECT_NEAR(static_cast<double>(scale_of(mult, shift)), scale, 1e-7 * scale);
  }
}

}  // namespace
