// SPDX-License-Identifier: MIT
/// What is promised of every answer, for every pair of a defense and a reduction, and for chains of two.
#include <gtest/gtest.h>

#include <cstring>

#include "support/every_defense.hpp"
#include "support/lawful.hpp"

namespace {

constexpr chaff::policy policies[] = {
    {}, {.keep_label = false}, {.label_margin = 0.1}, {.label_margin = 1}, {.label_margin = 0.02, .max_l1 = 0.3}};

template <class T>
struct reduced_laws : testing::Test {};
using types = testing::Types<CHAFF_LAW_TYPE>;
TYPED_TEST_SUITE(reduced_laws, types);

/// Every defense behind one type of reduction, so that the compiler sees one pipeline for each defense.
template <class T, class Use>
void for_each_pair(Use use) {
  for_each_reduction([&](const auto& reduction, const char* reduction_name) {
    const any_reduction<T> erased(reduction);
    const auto pair = [&](const auto& defense, const char* name) {
      use(defense | erased, std::string(name) + " | " + reduction_name);
    };
    for_each_defense_of_logits(pair);
    for_each_defense_of_labels(pair);
    for_each_defense_of_queries(pair);
  });
}

TYPED_TEST(reduced_laws, every_pair_of_a_defense_and_a_reduction_is_lawful) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 3u, 17u, 300u}) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      const auto p = reference::softmax(z);
      for_each_pair<T>([&, row_name = name, row = z, &p = p](const auto& defense, const std::string& defense_name) {
        for (const chaff::policy& promised : policies) {
          if (!serves(defense, promised)) continue;
          SCOPED_TRACE(defense_name + ", K " + std::to_string(classes) + ", " + row_name + ", " + describe(promised));
          answer_lawfully(defense, row, p, promised, true);
          if (testing::Test::HasFatalFailure()) return;
        }
      });
    }
  }
}

TYPED_TEST(reduced_laws, every_chain_of_two_reductions_is_lawful) {
  using T = TypeParam;
  for (const std::size_t classes : {2u, 17u, 4099u}) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
      const auto p = reference::softmax(z);
      for_each_reduction([&, row_name = name, row = z, &p = p](const auto& first, const char* first_name) {
        for_each_reduction([&](const auto& second, const char* second_name) {
          for (const chaff::policy& promised : {policies[0], policies[2]}) {
            SCOPED_TRACE(std::string(first_name) + " | " + second_name + ", K " + std::to_string(classes) + ", " +
                         row_name + ", " + describe(promised));
            answer_lawfully(chaff::dcp{.beta = 1.2} | any_reduction<T>(first) | any_reduction<T>(second), row, p,
                            promised, true);
            if (testing::Test::HasFatalFailure()) return;
          }
        });
      });
    }
  }
}

TYPED_TEST(reduced_laws, a_row_has_the_same_bits_alone_in_a_batch_in_place_and_shifted) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 17u, 1000u}) {
    const auto rows = hostile_rows<T>(classes);
    std::vector<T> batch;
    for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
    for_each_reduction([&](const auto& reduction, const char* name) {
      SCOPED_TRACE(std::string(name) + ", K " + std::to_string(classes));
      const auto defense = chaff::dcp{} | any_reduction<T>(reduction);
      const auto same = [](const T* a, const T* b, std::size_t n) { return std::memcmp(a, b, n * sizeof(T)) == 0; };
      std::vector<T> together(batch.size()), in_place = batch;
      chaff::apply_rows(defense, batch, classes, together);
      chaff::apply_rows(defense, in_place, classes, in_place);
      ASSERT_TRUE(same(in_place.data(), together.data(), batch.size())) << "in place";
      for (std::size_t shift = 0; shift < 8; ++shift) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          std::vector<T> alone(classes + 16, T(-7));
          chaff::apply(defense, rows[i].logits, std::span<T>(alone).subspan(shift, classes));
          ASSERT_TRUE(same(alone.data() + shift, together.data() + i * classes, classes)) << rows[i].name;
          ASSERT_EQ(alone[shift + classes], T(-7)) << "written past the answer";
        }
      }
    });
  }
}

TYPED_TEST(reduced_laws, a_reduction_done_twice_is_done_once) {
  using T = TypeParam;
  const T tolerance = 16 * std::numeric_limits<T>::epsilon();
  for (const std::size_t classes : {2u, 17u, 300u}) {
    for (const auto& [name, z] : hostile_rows<T>(classes)) {
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

}  // namespace
