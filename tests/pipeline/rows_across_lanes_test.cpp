// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>
#include <cstring>
#include <random>

namespace {

/// Rows of which some have a class that cannot occur, ties, or nothing but one class.
template <class T>
std::vector<T> rows_of(std::size_t rows, std::size_t classes, double spread, std::mt19937_64& random) {
  std::normal_distribution<double> draw(0, spread);
  std::vector<T> z(rows * classes);
  for (T& value : z) {
    value = static_cast<T>(draw(random));
    if (random() % 40 == 0) value = -std::numeric_limits<T>::infinity();
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const auto any = [&]() -> T& { return z[r * classes + static_cast<std::size_t>(random() % classes)]; };
    any() = static_cast<T>(draw(random));
    if (random() % 8 == 0) any() = z[r * classes];
    if (random() % 8 == 0) any() = T(40);
    if (z[r * classes] == -std::numeric_limits<T>::infinity()) z[r * classes] = T(0);
  }
  return z;
}

/// Each row alone, then in batches that begin at each of the first rows, out of place and in place.
template <class T, class Defense>
void same_bits_alone_and_in_a_batch(const Defense& defense, const chaff::policy& promised, const char* what) {
  std::mt19937_64 random(21);
  for (std::size_t classes = 2; classes <= chaff::most_classes_across + 3; ++classes) {
    for (const double spread : {0.1, 1.0, 4.0, 30.0}) {
      const std::size_t rows = 3 * chaff::lanes_of<T> + 2;
      const std::vector<T> z = rows_of<T>(rows, classes, spread, random);
      std::vector<T> alone(z.size());
      for (std::size_t r = 0; r < rows; ++r) {
        chaff::apply(defense, std::span<const T>(z).subspan(r * classes, classes),
                     std::span<T>(alone).subspan(r * classes, classes), promised);
      }
      for (std::size_t first = 0; first < 3; ++first) {
        std::vector<T> batch(z.begin() + static_cast<std::ptrdiff_t>(first * classes), z.end());
        std::vector<T> answer(batch.size());
        chaff::apply_rows(defense, batch, classes, answer, promised);
        ASSERT_EQ(std::memcmp(answer.data(), alone.data() + first * classes, answer.size() * sizeof(T)), 0)
            << what << ", " << classes << " classes, spread " << spread << ", from row " << first;
        chaff::apply_rows(defense, batch, classes, batch, promised);
        ASSERT_EQ(std::memcmp(batch.data(), answer.data(), answer.size() * sizeof(T)), 0) << what << " in place";
      }
    }
  }
}

template <class T>
struct rows_across_lanes : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(rows_across_lanes, types);

TYPED_TEST(rows_across_lanes, same_bits_as_alone) {
  using T = TypeParam;
  const auto half_open = [](const auto& seen) { return seen.label % 3 == 0 ? 0.0 : seen.label % 3 == 1 ? 0.3 : 1.0; };
  for (const bool keep : {true, false}) {
    const chaff::policy promised{.keep_label = keep};
    same_bits_alone_and_in_a_batch<T>(chaff::none{}, promised, "none");
    same_bits_alone_and_in_a_batch<T>(chaff::dcp{}, promised, "dcp");
    same_bits_alone_and_in_a_batch<T>(chaff::dcp{.beta = 0.5, .nu = 5}, promised, "dcp, half open");
    same_bits_alone_and_in_a_batch<T>(chaff::reverse_sigmoid{.beta = 1.5, .rule = chaff::odds::exact}, promised,
                                      "exact odds");
    same_bits_alone_and_in_a_batch<T>(chaff::reverse_sigmoid{.beta = 100, .rule = chaff::odds::exact}, promised,
                                      "a label of nothing");
    same_bits_alone_and_in_a_batch<T>(chaff::reverse_sigmoid{.beta = 1000, .gamma = 1000}, promised, "strongest");
    same_bits_alone_and_in_a_batch<T>(chaff::reverse_sigmoid{.beta = 0, .gamma = 0}, promised, "weakest");
    same_bits_alone_and_in_a_batch<T>(chaff::gated{half_open, chaff::reverse_sigmoid{}}, promised, "a user's gate");
  }
}

TYPED_TEST(rows_across_lanes, are_taken_up_to_their_limit_and_under_no_other_policy) {
  EXPECT_FALSE(chaff::fits_across(1, {}));
  EXPECT_TRUE(chaff::fits_across(2, {}));
  EXPECT_TRUE(chaff::fits_across(chaff::most_classes_across, {.keep_label = false}));
  EXPECT_FALSE(chaff::fits_across(chaff::most_classes_across + 1, {}));
  EXPECT_FALSE(chaff::fits_across(10, {.label_margin = 0.1}));
  EXPECT_FALSE(chaff::fits_across(10, {.max_l1 = 1}));
  EXPECT_FALSE(chaff::fits_across(10, {.input = chaff::form::probabilities}));
  EXPECT_FALSE(chaff::fits_across(10, {.input = chaff::form::log_probabilities}));
  EXPECT_FALSE(chaff::fits_across(10, {.answer = chaff::form::log_probabilities}));
  // so that a row_sum of a row is one stretch, whose order sum_across repeats
  EXPECT_LE(chaff::most_classes_across,
            static_cast<std::size_t>(chaff::row_sum<TypeParam>::most_blocks) * chaff::lanes_of<TypeParam>);
}

TYPED_TEST(rows_across_lanes, a_row_without_an_answer_is_named_and_the_batch_cleared) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  const std::size_t classes = 5, rows = 4 * chaff::lanes_of<T>;
  std::mt19937_64 random(22);
  for (const std::size_t bad_row : {std::size_t{0}, chaff::lanes_of<T> + 1, rows - 1}) {
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), infinity, -infinity}) {
      for (std::size_t at = 0; at < classes; ++at) {
        std::vector<T> z = rows_of<T>(rows, classes, 3, random), y(z.size(), T(7));
        if (bad == -infinity) {
          std::fill_n(z.begin() + static_cast<std::ptrdiff_t>(bad_row * classes), classes, bad);
        } else {
          z[bad_row * classes + at] = bad;
        }
        try {
          chaff::apply_rows(chaff::dcp{}, z, classes, y);
          FAIL() << "row " << bad_row << " was answered";
        } catch (const std::domain_error& error) {
          EXPECT_NE(std::string(error.what()).find("row " + std::to_string(bad_row)), std::string::npos)
              << error.what();
        }
        EXPECT_EQ(y, std::vector<T>(z.size(), T(0)));
      }
    }
  }
}

}  // namespace
