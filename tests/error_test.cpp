// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/error.hpp>
#include <cmath>
#include <string>

namespace {

TEST(Fail, RaisesTheExceptionWithTheFormattedMessage) {
  try {
    chaff::detail::fail<std::domain_error>("logit %d of %s", 3, "a row");
  } catch (const std::domain_error& error) {
    EXPECT_STREQ(error.what(), "logit 3 of a row");
    return;
  }
  ADD_FAILURE() << "no std::domain_error";
}

TEST(Fail, CutsALongMessage) {
  try {
    chaff::detail::fail<std::invalid_argument>("%s", std::string(1000, 'x').c_str());
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).size(), 255u);
    return;
  }
  ADD_FAILURE() << "no std::invalid_argument";
}

TEST(CheckRanges, AcceptsBothEndsAndNothingBeyond) {
  const auto check = [](double value) { return chaff::check_ranges(chaff::parameter_range{"x", value, 0, 1}); };
  EXPECT_FALSE(check(0));
  EXPECT_FALSE(check(1));
  EXPECT_TRUE(check(1.0000001));
  EXPECT_TRUE(check(-1e-9));
  EXPECT_TRUE(check(std::nan("")));
}

TEST(CheckRanges, ReturnsTheFirstParameterOutOfItsRange) {
  const chaff::parameter_error error =
      chaff::check_ranges(chaff::parameter_range{"a", 1, 0, 2}, chaff::parameter_range{"b", 7, -1, 3},
                          chaff::parameter_range{"c", 8, 0, 2});
  ASSERT_TRUE(error);
  EXPECT_STREQ(error.name, "b");
  EXPECT_EQ(error.value, 7);
  EXPECT_EQ(error.low, -1);
  EXPECT_EQ(error.high, 3);
  EXPECT_EQ(error.sentence, nullptr);
}

TEST(ParameterError, IsRaisedAsInvalidArgumentWithNameValueAndRange) {
  const auto message = [](const chaff::parameter_error& error) -> std::string {
    try {
      chaff::detail::raise(error);
    } catch (const std::invalid_argument& raised) {
      return raised.what();
    }
    return "";
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.name = "beta", .value = -0.5, .low = 0, .high = 1000}),
            "chaff: beta is -0.5, allowed is [0, 1000]");
  EXPECT_EQ(message({.sentence = "k is missing"}), "chaff: k is missing");
}

}  // namespace
