// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chaff/adapters/shape.hpp>
#include <string>
#include <vector>

namespace {

using chaff::row_shape;
using sizes = std::vector<std::int64_t>;

/// A shape, what policy.classes says, and the rows that it has.
struct clear_case {
  sizes shape;
  std::size_t classes;
  row_shape expected;
};

/// A shape whose rows nothing tells, and a part of the message.
struct refused_case {
  sizes shape;
  std::size_t classes;
  std::string message;
};

row_shape rows_of(const sizes& shape, std::size_t classes) {
  return chaff::rows_of(std::span<const std::int64_t>(shape), classes);
}

std::string text_of(const sizes& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += std::to_string(size) + ' ';
  return text;
}

TEST(Shape, LastDimensionHoldsTheClassesWhereNothingIsSaid) {
  const clear_case cases[] = {
      {{}, 0, {1, 1}},
      {{5}, 0, {1, 5}},
      {{1}, 0, {1, 1}},
      {{3, 5}, 0, {3, 5}},
      {{1, 5}, 0, {1, 5}},
      {{1, 1}, 0, {1, 1}},
      {{1, 1, 1, 1}, 0, {1, 1}},
      {{0, 5}, 0, {0, 5}},
      {{0, 5, 1, 1}, 0, {0, 5}},
      {{3, 5, 1}, 0, {3, 5}},
      {{3, 1, 5}, 0, {3, 5}},
      {{1, 5, 1}, 0, {1, 5}},
      {{1, 1, 5}, 0, {1, 5}},
      {{3, 5, 1, 1}, 0, {3, 5}},
      {{1, 5, 1, 1}, 0, {1, 5}},
      {{3, 1, 1, 5}, 0, {3, 5}},
      {{3, 1, 5, 1}, 0, {3, 5}},
      {{3, 5, 1, 1, 1, 1}, 0, {3, 5}},
      {{3, 1, 1, 1, 1, 5}, 0, {3, 5}},
      {{2, 100000}, 0, {2, 100000}},
  };
  for (const clear_case& each : cases) {
    EXPECT_EQ(rows_of(each.shape, each.classes), each.expected) << text_of(each.shape);
  }
}

TEST(Shape, PolicyClassesSettlesWhatIsARow) {
  const clear_case cases[] = {
      {{}, 1, {1, 1}},           {{5}, 5, {1, 5}},           {{5}, 1, {5, 1}},
      {{15}, 5, {3, 5}},         {{0}, 5, {0, 5}},           {{5, 1}, 5, {1, 5}},
      {{5, 1}, 1, {5, 1}},       {{15, 1}, 5, {3, 5}},       {{15, 1, 1}, 5, {3, 5}},
      {{0, 1}, 1, {0, 1}},       {{0, 5}, 5, {0, 5}},        {{3, 5}, 5, {3, 5}},
      {{3, 5}, 1, {15, 1}},      {{3, 5}, 15, {1, 15}},      {{1, 1}, 1, {1, 1}},
      {{3, 5, 1, 1}, 5, {3, 5}}, {{3, 4, 5}, 5, {12, 5}},    {{1, 4, 5}, 5, {4, 5}},
      {{3, 4, 5}, 20, {3, 20}},  {{2, 3, 4, 5}, 5, {24, 5}}, {{2, 3, 4, 5}, 60, {2, 60}},
      {{1, 3, 1, 3}, 3, {3, 3}}, {{2, 0, 5}, 5, {0, 5}},
  };
  for (const clear_case& each : cases) {
    EXPECT_EQ(rows_of(each.shape, each.classes), each.expected) << text_of(each.shape) << "with " << each.classes;
  }
}

TEST(Shape, WhatNothingTellsIsRefusedWithWhatToWrite) {
  const std::string column = "set policy.classes to 5 if it is one row, or to 1 if each value is a row";
  const std::string last = "set policy.classes to 5 if the last dimension holds the classes";
  const refused_case cases[] = {
      {{5, 1}, 0, "logits are a column of 5 x 1; " + column},
      {{5, 1, 1, 1}, 0, "logits are a column of 5 x 1 x 1 x 1; " + column},
      {{3, 4, 5}, 0, "logits are 3 x 4 x 5; " + last},
      {{1, 4, 5}, 0, "logits are 1 x 4 x 5; " + last},
      {{1, 4, 5, 1}, 0, "logits are 1 x 4 x 5 x 1; " + last},
      {{2, 3, 4, 5}, 0, "logits are 2 x 3 x 4 x 5; " + last},
      {{1, 3, 1, 5}, 0, last},
      {{2, 0, 5}, 0, last},
      {{0}, 0, "logits are 0, and a row has 0 classes"},
      {{0, 1}, 0, "a row has 0 classes"},
      {{3, 0}, 0, "logits are 3 x 0, and a row has 0 classes"},
      {{3, 0, 1}, 0, "a row has 0 classes"},
      {{}, 2, "logits are a single value, but policy.classes is 2"},
      {{5}, 2, "logits are 5, but policy.classes is 2"},
      {{5}, 10, "policy.classes is 10"},
      {{5, 1}, 2, "logits are 5 x 1, but policy.classes is 2"},
      {{1, 6}, 3, "logits are 1 x 6, but policy.classes is 3"},
      {{2, 3}, 2, "logits are 2 x 3, but policy.classes is 2"},
      {{0, 3}, 5, "policy.classes is 5"},
      {{3, 0}, 3, "policy.classes is 3"},
      {{1, 5, 4, 4}, 5, "the classes of a row must be the last dimension"},
      {{-1, 5}, 0, "-1 x 5"},
  };
  for (const refused_case& each : cases) {
    try {
      const row_shape found = rows_of(each.shape, each.classes);
      ADD_FAILURE() << text_of(each.shape) << "with " << each.classes << ": " << found.rows << " rows of "
                    << found.classes;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(each.message), std::string::npos) << error.what();
    }
  }
}

TEST(Shape, RowsAndClassesMultiplyToTheNumberOfValuesForEveryShapeThatIsAnswered) {
  std::size_t answered = 0;
  for (int code = 0; code < 5 * 5 * 5 * 5; ++code) {
    const sizes shape{code % 5, code / 5 % 5, code / 25 % 5, code / 125};
    const std::size_t values = static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]);
    for (std::size_t classes = 0; classes < 9; ++classes) {
      try {
        const row_shape found = rows_of(shape, classes);
        ++answered;
        ASSERT_EQ(found.rows * found.classes, values) << text_of(shape) << "with " << classes;
        ASSERT_TRUE(classes == 0 || found.classes == classes) << text_of(shape);
      } catch (const std::invalid_argument&) {
      }
    }
  }
  EXPECT_GT(answered, 1000u);
}

TEST(Shape, BatchOfOneIsReadAsALongerBatchIs) {
  for (int code = 0; code < 4 * 4 * 4; ++code) {
    const sizes tail{code % 4 + 1, code / 4 % 4 + 1, code / 16 + 1};
    if (tail == sizes{1, 1, 1}) continue;  // N x 1 x 1 x 1 may be one row of N, and a single value may not
    const auto classes_of = [&](std::int64_t batch) -> std::size_t {
      try {
        return rows_of({batch, tail[0], tail[1], tail[2]}, 0).classes;
      } catch (const std::invalid_argument&) {
        return 0;
      }
    };
    EXPECT_EQ(classes_of(1), classes_of(7)) << text_of(tail);
  }
}

TEST(Shape, MessageOfAShapeOfManyDimensionsIsCut) {
  const sizes shape(60, 123456);
  try {
    rows_of(shape, 0);
    ADD_FAILURE();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("123456 x 123456"), std::string::npos);
  }
}

}  // namespace
