// SPDX-License-Identifier: MIT
/// Checks the guarantees that hold for every output: for every pair of a defense and a reduction, and for chains of two
/// reductions.
#include <gtest/gtest.h>

#include <cstring>

#include "support/guarantees.hpp"
#include "support/shared_defenses.hpp"

namespace {

constexpr chaff::policy policies[] = {
    {}, {.keep_label = false}, {.label_margin = 0.1}, {.label_margin = 1}, {.label_margin = 0.02, .max_l1 = 0.3}};

template <class T>
struct ReducedGuarantees : testing::Test {};
using types = testing::Types<CHAFF_ELEMENT_TYPE>;
TYPED_TEST_SUITE(ReducedGuarantees, types);

/// Calls visit(defense) for every pair of a defense and a reduction. All reductions are of one type, so that one
/// pipeline is compiled for each defense.
template <class T, class Visit>
void for_each_pair(Visit visit) {
  for_each_reduction([&](const auto& reduction, const char* name) {
    const auto all = every_defense_behind(any_reduction<T>(reduction), name);
    for (const auto& defense : all.keep_label + all.change_label + all.need_query) visit(*defense);
  });
}

TYPED_TEST(ReducedGuarantees, HoldForEveryPairOfDefenseAndReduction) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 3u, 17u, 300u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      const auto p = reference::softmax(z);
      for_each_pair<T>([&, row_name = name, row = z, &p = p](const tested_defense<T>& defense) {
        for (const chaff::policy& policy : policies) {
          if (!defense.accepts(policy)) continue;
          SCOPED_TRACE(defense.name + ", K " + std::to_string(classes) + ", " + row_name + ", " + describe(policy));
          expect_guarantees(defense, row, p, policy, true);
          if (testing::Test::HasFatalFailure()) return;
        }
      });
    }
  }
}

TYPED_TEST(ReducedGuarantees, HoldForEveryChainOfTwoReductions) {
  using T = TypeParam;
  for (const std::size_t classes : {2u, 17u, 4099u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      const auto p = reference::softmax(z);
      for_each_reduction([&, row_name = name, row = z, &p = p](const auto& first, const char* first_name) {
        for_each_reduction([&](const auto& second, const char* second_name) {
          for (const chaff::policy& policy : {policies[0], policies[2]}) {
            const tested_defense_of<T, decltype(chaff::dcp{} | any_reduction<T>(first) | any_reduction<T>(second))>
                chain(chaff::dcp{.beta = 1.2} | any_reduction<T>(first) | any_reduction<T>(second),
                      std::string(first_name) + " | " + second_name);
            SCOPED_TRACE(chain.name + ", K " + std::to_string(classes) + ", " + row_name + ", " + describe(policy));
            expect_guarantees(chain, row, p, policy, true);
            if (testing::Test::HasFatalFailure()) return;
          }
        });
      });
    }
  }
}

TYPED_TEST(ReducedGuarantees, RowHasSameBitsAloneInBatchInPlaceAndShifted) {
  using T = TypeParam;
  const auto have_same_bits = [](const T* a, const T* b, std::size_t n) {
    return std::memcmp(a, b, n * sizeof(T)) == 0;
  };
  for (const std::size_t classes : {1u, 2u, 17u, 129u, 1000u, 4099u}) {
    const auto rows = edge_case_rows<T>(classes);
    std::vector<T> batch;
    for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
    for_each_reduction([&](const auto& reduction, const char* name) {
      for (const chaff::policy& policy : {chaff::policy{}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}}) {
        SCOPED_TRACE(std::string(name) + ", K " + std::to_string(classes) + ", " + describe(policy));
        const auto defense = chaff::dcp{} | any_reduction<T>(reduction);
        std::vector<T> output(batch.size()), in_place = batch;
        chaff::apply_rows(defense, batch, classes, output, policy);
        chaff::apply_rows(defense, in_place, classes, in_place, policy);
        ASSERT_TRUE(have_same_bits(in_place.data(), output.data(), batch.size())) << "in place";
        for (std::size_t shift = 0; shift < 8; ++shift) {
          for (std::size_t i = 0; i < rows.size(); ++i) {
            std::vector<T> alone(classes + 16, T(-7));
            chaff::apply(defense, rows[i].logits, std::span<T>(alone).subspan(shift, classes), policy);
            ASSERT_TRUE(have_same_bits(alone.data() + shift, output.data() + i * classes, classes)) << rows[i].name;
            ASSERT_EQ(alone[shift + classes], T(-7)) << "written past the output";
          }
        }
      }
    });
  }
}

TYPED_TEST(ReducedGuarantees, ReductionAppliedTwiceEqualsReductionAppliedOnce) {
  using T = TypeParam;
  const T tolerance = 16 * std::numeric_limits<T>::epsilon();
  for (const std::size_t classes : {2u, 17u, 300u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      for_each_reduction([&, row_name = name, row = z](const auto& reduction, const char* reduction_name) {
        if constexpr (requires { reduction.sigma; }) return;  // noise is added twice
        SCOPED_TRACE(std::string(reduction_name) + ", K " + std::to_string(classes) + ", " + row_name);
        std::vector<T> once(classes), twice(classes);
        chaff::apply(chaff::none{} | any_reduction<T>(reduction), row, once);
        chaff::apply(chaff::none{} | any_reduction<T>(reduction) | any_reduction<T>(reduction), row, twice);
        for (std::size_t i = 0; i < classes; ++i) ASSERT_NEAR(once[i], twice[i], tolerance);
      });
    }
  }
}

/// After noise, every other entry is at most 63/64 of the label's, as in a perturbed row.
TYPED_TEST(ReducedGuarantees, NoiseKeepsTheLeadOfAPerturbedRow) {
  using T = TypeParam;
  constexpr auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const std::size_t classes : {2u, 17u, 300u, 4099u}) {
    for (const auto& [name, z] : edge_case_rows<T>(classes)) {
      for (const double sigma : {0.01, 0.2, 10.0}) {
        std::vector<T> y(classes);
        chaff::apply(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = test_key}, z, y);
        const std::size_t k = argmax_by_scan(z);
        ASSERT_LE(static_cast<double>(reference::max_other(y, k)), static_cast<double>(y[k]) * 63 / 64 * (1 + 4 * eps))
            << name << ", K " << classes << ", sigma " << sigma;
      }
    }
  }
}

}  // namespace
