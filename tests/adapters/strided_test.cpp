// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <chaff/adapters/strided.hpp>
#include <set>
#include <vector>

namespace {

using chaff::detail::strided_rows;

/// The places in memory of all entries, one after another.
template <class T>
std::vector<const T*> entries_of(const strided_rows<T>& rows) {
  std::vector<const T*> entries;
  for (std::size_t r = 0; r < rows.rows; ++r) {
    for (std::size_t c = 0; c < rows.classes; ++c) {
      entries.push_back(rows.data + static_cast<std::ptrdiff_t>(r) * rows.row_stride +
                        static_cast<std::ptrdiff_t>(c) * rows.class_stride);
    }
  }
  return entries;
}

TEST(Strided, OutputsThatShareMemoryInPartAreFoundAsByComparingAllEntries) {
  std::vector<float> memory(400);
  std::size_t allowed = 0, refused = 0, strict = 0;
  const std::ptrdiff_t strides[][2] = {{4, 1}, {1, 4}, {9, 1}, {1, 9}, {9, 2}, {2, 9}, {12, 3}, {3, 1}, {2, 1}, {0, 1}};
  for (std::size_t rows = 1; rows <= 4; ++rows) {
    for (std::size_t classes = 1; classes <= 4; ++classes) {
      for (const auto& from_strides : strides) {
        for (const auto& to_strides : strides) {
          for (std::ptrdiff_t distance = -40; distance <= 40; ++distance) {
            float* const middle = memory.data() + 150;
            const strided_rows<const float> from{middle, rows, classes, from_strides[0], from_strides[1]};
            const strided_rows<float> to{middle + distance, rows, classes, to_strides[0], to_strides[1]};
            const std::vector<const float*> in = entries_of(strided_rows<const float>(from));
            const std::vector<const float*> out = entries_of(to);
            const std::set<const float*> in_set(in.begin(), in.end()), out_set(out.begin(), out.end());
            bool shares = false;
            for (const float* entry : out_set) shares |= in_set.contains(entry);
            const bool is_one_each = out_set.size() == out.size();
            const bool is_right = is_one_each && (in == out || !shares);
            const bool found = chaff::detail::is_apart_or_same(from, to);
            ASSERT_TRUE(is_right || !found)
                << rows << " x " << classes << ", strides " << from_strides[0] << ' ' << from_strides[1] << " and "
                << to_strides[0] << ' ' << to_strides[1] << ", distance " << distance;
            // where the strides are those of one matrix, nothing that could be answered is refused
            if (is_right && &from_strides == &to_strides && (from_strides[0] >= 9 || from_strides[1] >= 9)) {
              ASSERT_TRUE(found) << rows << " x " << classes << ", strides " << from_strides[0] << ' '
                                 << from_strides[1] << ", distance " << distance;
            }
            allowed += found;
            refused += !found;
            strict += is_right && !found;
          }
        }
      }
    }
  }
  EXPECT_GT(allowed, 10000u);
  EXPECT_GT(refused, 10000u);
  EXPECT_LT(strict, allowed / 2);
}

TEST(Strided, RowsThatFollowOneAnotherAreContiguous) {
  float memory[64];
  const auto is_contiguous = [&](std::size_t rows, std::size_t classes, std::ptrdiff_t row, std::ptrdiff_t class_) {
    return strided_rows<float>{memory, rows, classes, row, class_}.is_contiguous();
  };
  EXPECT_TRUE(is_contiguous(3, 5, 5, 1));
  EXPECT_TRUE(is_contiguous(1, 5, 99, 1));
  EXPECT_TRUE(is_contiguous(5, 1, 1, 99));
  EXPECT_TRUE(is_contiguous(0, 5, 9, 9));
  EXPECT_FALSE(is_contiguous(3, 5, 6, 1));
  EXPECT_FALSE(is_contiguous(3, 5, 1, 3));
  EXPECT_FALSE(is_contiguous(1, 5, 5, 2));
  EXPECT_FALSE(is_contiguous(5, 1, 2, 1));
}

}  // namespace
