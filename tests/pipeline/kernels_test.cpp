// SPDX-License-Identifier: MIT
/// Whichever kernel takes a row, the bits are the same.
#include <gtest/gtest.h>

#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/always.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/policy.hpp>
#include <cstring>
#include <random>

namespace {

/// Rows of which some have a masked class, ties, or a class that is far ahead.
template <class T>
std::vector<T> random_rows(std::size_t rows, std::size_t classes, double deviation, std::mt19937_64& random) {
  std::normal_distribution<double> draw(0, deviation);
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

template <class T>
bool have_same_bits(const std::vector<T>& a, const T* b) {
  return std::memcmp(a.data(), b, a.size() * sizeof(T)) == 0;
}

template <class T>
struct Kernels : testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Kernels, Types);

/// Each row alone, then in batches that begin at each of the first rows, out of place and in place.
template <class T, class Defense>
void expect_same_bits_in_batch(const Defense& defense, const chaff::policy& policy, const char* name) {
  std::mt19937_64 random(21);
  for (std::size_t classes = 2; classes <= chaff::detail::max_classes_across + 3; ++classes) {
    for (const double deviation : {0.1, 1.0, 4.0, 30.0}) {
      const std::size_t rows = 3 * chaff::simd::width<T> + 2;
      const std::vector<T> z = random_rows<T>(rows, classes, deviation, random);
      std::vector<T> alone(z.size());
      for (std::size_t r = 0; r < rows; ++r) {
        chaff::apply(defense, std::span<const T>(z).subspan(r * classes, classes),
                     std::span<T>(alone).subspan(r * classes, classes), policy);
      }
      for (std::size_t first = 0; first < 3; ++first) {
        std::vector<T> batch(z.begin() + static_cast<std::ptrdiff_t>(first * classes), z.end());
        std::vector<T> output(batch.size());
        chaff::apply_rows(defense, batch, classes, output, policy);
        ASSERT_TRUE(have_same_bits(output, alone.data() + first * classes))
            << name << ", " << classes << " classes, deviation " << deviation << ", from row " << first;
        chaff::apply_rows(defense, batch, classes, batch, policy);
        ASSERT_TRUE(have_same_bits(batch, output.data())) << name << " in place";
      }
    }
  }
}

TYPED_TEST(Kernels, RowHasSameBitsInBatchOfShortRows) {
  using T = TypeParam;
  const auto by_label = [](const auto& row) { return row.label % 3 == 0 ? 0.0 : row.label % 3 == 1 ? 0.3 : 1.0; };
  for (const bool keep : {true, false}) {
    for (const bool constant_time : {true, false}) {
      const chaff::policy policy{.keep_label = keep, .constant_time_gate = constant_time};
      expect_same_bits_in_batch<T>(chaff::none{}, policy, "none");
      expect_same_bits_in_batch<T>(chaff::dcp{}, policy, "dcp");
      expect_same_bits_in_batch<T>(chaff::dcp{.beta = 0.5, .nu = 5}, policy, "dcp, half open");
      expect_same_bits_in_batch<T>(chaff::reverse_sigmoid{.beta = 1.5, .rule = chaff::odds::exact}, policy,
                                   "exact odds");
      expect_same_bits_in_batch<T>(chaff::reverse_sigmoid{.beta = 100, .rule = chaff::odds::exact}, policy,
                                   "label without weight");
      expect_same_bits_in_batch<T>(chaff::reverse_sigmoid{.beta = 1000, .gamma = 1000}, policy, "strongest");
      expect_same_bits_in_batch<T>(chaff::reverse_sigmoid{.beta = 0, .gamma = 0}, policy, "weakest");
      expect_same_bits_in_batch<T>(chaff::gated{by_label, chaff::reverse_sigmoid{}}, policy, "gate of a user");
    }
  }
}

TYPED_TEST(Kernels, ShortRowHasSameBitsFromKernelForAnyRow) {
  using T = TypeParam;
  std::mt19937_64 random(31);
  const auto defense =
      chaff::gated{[](const auto& row) { return row.label % 2 == 0 ? 0.0 : 0.7; }, chaff::reverse_sigmoid{.beta = 1.1}};
  const auto call = chaff::detail::defense_call<T>{
      chaff::detail::gate_call_of<T>(defense.gate),
      chaff::detail::perturbation_call_of<T, chaff::reverse_sigmoid>(defense.perturbation),
      {}};
  for (std::size_t classes = 2; classes <= chaff::detail::stretch_classes<T>; ++classes) {
    for (const chaff::policy& policy :
         {chaff::policy{}, chaff::policy{.label_margin = 0.2}, chaff::policy{.constant_time_gate = true},
          chaff::policy{.answer = chaff::form::log_probabilities}}) {
      const std::vector<T> z = random_rows<T>(1, classes, 3, random);
      std::vector<T> from_short(classes, T(-1)), from_any(classes, T(-1));
      chaff::detail::answer_row_as<T, true>(call, policy, z.data(), from_short.data(), classes, {0, 1, classes});
      chaff::detail::answer_row_as<T, false>(call, policy, z.data(), from_any.data(), classes, {0, 1, classes});
      ASSERT_TRUE(have_same_bits(from_short, from_any.data())) << classes << " classes";
    }
  }
}

TYPED_TEST(Kernels, LongRowHasSameBitsInPlace) {
  using T = TypeParam;
  std::mt19937_64 random(41);
  const std::size_t stretch = chaff::detail::stretch_classes<T>;
  for (const std::size_t classes : {stretch + 1, 2 * stretch, 2 * stretch + 3, 5 * stretch + stretch / 2}) {
    for (const chaff::policy& policy :
         {chaff::policy{}, chaff::policy{.label_margin = 0.3}, chaff::policy{.max_l1 = 0.2},
          chaff::policy{.label_margin = 0.1, .max_l1 = 0.4}, chaff::policy{.constant_time_gate = true}}) {
      for (const double tau : {0.0, 0.5, 10.0}) {
        const std::vector<T> z = random_rows<T>(1, classes, 3, random);
        std::vector<T> apart(classes), in_place = z;
        chaff::apply(chaff::dcp{.beta = 1, .nu = 3, .tau = tau}, z, apart, policy);
        chaff::apply(chaff::dcp{.beta = 1, .nu = 3, .tau = tau}, in_place, in_place, policy);
        ASSERT_TRUE(have_same_bits(in_place, apart.data())) << classes << " classes, tau " << tau;
      }
    }
  }
}

TYPED_TEST(Kernels, ShortRowsAreTakenAcrossLanesUnderPlainPolicyOnly) {
  using T = TypeParam;
  const chaff::reverse_sigmoid perturbation;
  const chaff::always gate;
  chaff::detail::defense_call<T> call{chaff::detail::gate_call_of<T>(gate),
                                      chaff::detail::perturbation_call_of<T, chaff::reverse_sigmoid>(perturbation),
                                      {}};
  const auto fits = [&](std::size_t classes, const chaff::policy& policy) {
    return chaff::detail::fits_across<T>(classes, policy, call);
  };
  EXPECT_FALSE(fits(1, {}));
  EXPECT_TRUE(fits(2, {}));
  EXPECT_TRUE(fits(chaff::detail::max_classes_across, {.keep_label = false}));
  EXPECT_FALSE(fits(chaff::detail::max_classes_across + 1, {}));
  EXPECT_FALSE(fits(10, {.label_margin = 0.1}));
  EXPECT_FALSE(fits(10, {.max_l1 = 1}));
  EXPECT_FALSE(fits(10, {.input = chaff::form::probabilities}));
  EXPECT_FALSE(fits(10, {.input = chaff::form::log_probabilities}));
  EXPECT_FALSE(fits(10, {.answer = chaff::form::log_probabilities}));
  // so that the sum over a row is one stretch, whose order the kernel repeats
  EXPECT_LE(chaff::detail::max_classes_across, chaff::detail::stretch_classes<T>);
}

TYPED_TEST(Kernels, InvalidRowOfBatchIsNamedAndOutputZeroed) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  const std::size_t rows = 4 * chaff::simd::width<T>;
  std::mt19937_64 random(22);
  for (const std::size_t classes : {std::size_t{5}, std::size_t{40}, 5 * chaff::detail::stretch_classes<T> + 1}) {
    for (const std::size_t bad_row : {std::size_t{0}, chaff::simd::width<T> + 1, rows - 1}) {
      for (const T bad : {std::numeric_limits<T>::quiet_NaN(), infinity, -infinity}) {
        for (std::size_t at = 0; at < classes; at += 1 + classes / 7) {
          std::vector<T> z = random_rows<T>(rows, classes, 3, random), y(z.size(), T(7));
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
          ASSERT_EQ(y, std::vector<T>(z.size(), T(0)));
        }
      }
    }
  }
}

TYPED_TEST(Kernels, HugeLogitsOfBothSignsAreValid) {
  using T = TypeParam;
  // they overflow the sum that looks for NaN
  for (const std::size_t classes : {8 * chaff::simd::width<T>, 3 * chaff::detail::stretch_classes<T>}) {
    std::vector<T> huge(classes, std::numeric_limits<T>::lowest()), y(classes);
    for (std::size_t i = 0; i < huge.size(); i += 2) huge[i] = std::numeric_limits<T>::max();
    EXPECT_NO_THROW(chaff::apply(chaff::dcp{}, huge, y));
  }
}

}  // namespace
