// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/pipeline/passage.hpp>
#include <random>
#include <vector>

namespace {

template <class T, chaff::held e_is>
chaff::fault observed(const std::vector<T>& z, chaff::passage<T, e_is>& way, std::vector<T>& answer,
                      chaff::form input) {
  static chaff::held_blocks<T, e_is> blocks;
  answer.assign(z.size(), T(-1));
  way.answer = answer.data();
  return way.observe(z, input, blocks);
}

template <class T>
struct passage : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(passage, types);

TYPED_TEST(passage, finds_the_same_facts_to_the_bit_wherever_e_is_held) {
  using T = TypeParam;
  std::mt19937_64 random(31);
  std::normal_distribution<double> draw(0, 4);
  for (std::size_t classes = 2; classes <= chaff::held_blocks<T, chaff::held::in_blocks>::size; ++classes) {
    std::vector<T> z(classes);
    for (T& value : z) value = static_cast<T>(draw(random));
    const auto any = [&]() -> T& { return z[static_cast<std::size_t>(random() % classes)]; };
    any() = -std::numeric_limits<T>::infinity();
    any() = any() = T(9);
    std::vector<T> of_blocks, of_answer, of_nowhere;
    chaff::passage<T, chaff::held::in_blocks> in_blocks{};
    chaff::passage<T, chaff::held::in_answer> in_answer{};
    chaff::passage<T, chaff::held::nowhere> nowhere{};
    ASSERT_EQ(observed(z, in_blocks, of_blocks, chaff::form::logits), chaff::fault::none);
    ASSERT_EQ(observed(z, in_answer, of_answer, chaff::form::logits), chaff::fault::none);
    ASSERT_EQ(observed(z, nowhere, of_nowhere, chaff::form::logits), chaff::fault::none);
    ASSERT_EQ(in_blocks.seen.label, static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin()));
    ASSERT_EQ(in_blocks.seen.label, in_answer.seen.label);
    ASSERT_EQ(in_blocks.seen.label, nowhere.seen.label);
    ASSERT_EQ(in_blocks.seen.other_mass, in_answer.seen.other_mass) << classes;
    ASSERT_EQ(in_blocks.seen.other_mass, nowhere.seen.other_mass) << classes;
    ASSERT_EQ(in_answer.may_be_impossible, std::find(z.begin(), z.end(), nowhere.impossible()) != z.end()) << classes;
    for (std::size_t i = 0; i < classes; ++i) {
      const T e = nowhere.seen.e(chaff::broadcast(z[i]))[0];
      ASSERT_EQ(in_blocks.work[i], e);
      ASSERT_EQ(of_answer[i], e);
      ASSERT_EQ(of_blocks[i], T(-1)) << "nothing is in the answer before it is written";
    }
  }
}

TYPED_TEST(passage, refuses_the_same_rows_wherever_e_is_held) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto refused = [](const std::vector<T>& z, chaff::form input, chaff::fault why) {
    std::vector<T> answer;
    chaff::passage<T, chaff::held::in_blocks> in_blocks{};
    chaff::passage<T, chaff::held::in_answer> in_answer{};
    chaff::passage<T, chaff::held::nowhere> nowhere{};
    EXPECT_EQ(observed(z, in_blocks, answer, input), why);
    EXPECT_EQ(observed(z, in_answer, answer, input), why);
    EXPECT_EQ(observed(z, nowhere, answer, input), why);
  };
  for (const std::size_t classes : {std::size_t{2}, std::size_t{9}, 5 * chaff::lanes_of<T> + 1}) {
    for (std::size_t at = 0; at < classes; ++at) {
      std::vector<T> z(classes);
      z[at] = nan;
      refused(z, chaff::form::logits, chaff::fault::nan);
      z[(at + 1) % classes] = infinity;
      refused(z, chaff::form::logits, chaff::fault::nan);
      z[at] = -infinity;
      refused(z, chaff::form::logits, chaff::fault::infinite);
    }
    refused(std::vector<T>(classes, -infinity), chaff::form::logits, chaff::fault::empty);
    refused(std::vector<T>(classes, T(0)), chaff::form::log_probabilities, chaff::fault::not_a_distribution);
  }
  // huge numbers of both signs overflow the sum that looks for NaN, and are none
  const T most = std::numeric_limits<T>::max();
  std::vector<T> huge(8 * chaff::lanes_of<T>, -most);
  for (std::size_t i = 0; i < huge.size(); i += 2) huge[i] = most;
  refused(huge, chaff::form::logits, chaff::fault::none);
}

}  // namespace
