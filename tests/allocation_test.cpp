// SPDX-License-Identifier: MIT
/// Counts the allocations of apply and apply_rows: there are none.
#include <gtest/gtest.h>

#include <chaff/any_defense.hpp>
#include <chaff/apply.hpp>
#include <chaff/calibration/codebook_of.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/energy_dcp.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/noise/key.hpp>
#include <chaff/perturbations/misdirect.hpp>
#include <chaff/perturbations/modelguard_w.hpp>
#include <chaff/perturbations/random_vertex.hpp>
#include <chaff/policy.hpp>
#include <chaff/reductions/gaussian_noise.hpp>
#include <chaff/reductions/high_confidence.hpp>
#include <chaff/reductions/label_only.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>
#include <vector>

#include "support/allocations.hpp"
#include "support/shared_text.hpp"

namespace {

const chaff::key key("000102030405060708090a0b0c0d0e0f");

template <class T>
void expect_no_allocations() {
  const chaff::any_defense chosen_at_run_time =
      chaff::parse_defense("gated(confidence_gate, random_vertex(key=000102030405060708090a0b0c0d0e0f)) | top_k(k=3)");
  for (const std::size_t classes : {1u, 10u, 33u, 1000u, 2000u}) {
    std::vector<T> z(classes * 8), y(classes * 8);
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<T>(i % 7);
    const chaff::codebook book = chaff::codebook_of(z, classes);
    for (const chaff::policy& policy :
         {chaff::policy{}, chaff::policy{.label_margin = 0.2, .max_l1 = 0.1},
          chaff::policy{.answer = chaff::form::log_probabilities}, chaff::policy{.constant_time_gate = true}}) {
      const std::size_t before = allocations;
      chaff::apply_rows(chaff::dcp{.beta = 1.2}, z, classes, y, policy);
      chaff::apply_rows(chaff::energy_dcp{.tau = 5.0}, z, classes, y, policy);
      chaff::apply(chaff::dcp{}, std::span<const T>(z).first(classes), std::span<T>(y).first(classes), policy);
      chaff::apply_rows(chaff::dcp{} | chaff::top_k{.k = 3} | chaff::rounded{.decimals = 2}, z, classes, y, policy);
      chaff::apply_rows(chaff::random_vertex{.key = key} | chaff::gaussian_noise{.key = key}, z, classes, y, policy);
      chaff::apply_rows(chaff::modelguard_w{}, z, classes, y, policy);
      chaff::apply_rows(book, z, classes, y, policy);
      chaff::apply_rows(chaff::none{} | chaff::high_confidence{} | chaff::label_only{}, z, classes, y, policy);
      chaff::apply_rows(chosen_at_run_time, z, classes, y, policy);
      chaff::apply_rows(chaff::misdirect{.key = key}, z, classes, y, {.keep_label = false});
      EXPECT_EQ(allocations, before);
    }
  }
}

TEST(Allocation, ApplyAndApplyRowsAllocateNothing) {
  expect_no_allocations<float>();
  expect_no_allocations<double>();
}

TEST(Allocation, OfAVectorIsCounted) {
  const std::size_t before = allocations;
  const std::vector<float> vector(10);
  asm volatile("" : : "r"(vector.data()) : "memory");  // a compiler may leave out memory that nobody reads
  EXPECT_EQ(allocations, before + 1);
}

}  // namespace
