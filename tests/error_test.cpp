// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/error.hpp>
#include <string>

TEST(fail, raises_the_named_exception_with_the_formatted_message) {
  try {
    chaff::fail<std::domain_error>("logit %d of %s", 3, "a row");
  } catch (const std::domain_error& error) {
    EXPECT_STREQ(error.what(), "logit 3 of a row");
  }
}

TEST(fail, cuts_a_long_message) {
  try {
    chaff::fail<std::invalid_argument>("%s", std::string(1000, 'x').c_str());
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).size(), 255u);
  }
}

TEST(check_range, lets_both_ends_pass) {
  EXPECT_NO_THROW(chaff::check_range("x", 0, 0, 1));
  EXPECT_NO_THROW(chaff::check_range("x", 1, 0, 1));
  EXPECT_THROW(chaff::check_range("x", 1.0000001, 0, 1), std::invalid_argument);
  EXPECT_THROW(chaff::check_range("x", -1e-9, 0, 1), std::invalid_argument);
}
