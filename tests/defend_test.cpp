// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <chaff/adapters/eigen.hpp>
#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/dcp.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/defenses/none.hpp>
#include <chaff/form.hpp>
#include <chaff/gates/always.hpp>
#include <chaff/perturbations/decoy.hpp>
#include <chaff/policy.hpp>
#include <memory>

namespace {

constexpr chaff::dcp defense{.beta = 1.2};
const std::vector<float> z{1, 2.5f, 2, -1};

std::vector<float> expected() {
  std::vector<float> y(z.size());
  chaff::apply(defense, z, y);
  return y;
}

std::vector<float> free_function(int) {
  return z;
}

/// A container of the user.
struct tensor {
  std::vector<float> values;
  float* data() { return values.data(); }
  const float* data() const { return values.data(); }
  std::size_t size() const { return values.size(); }
};

TEST(Defend, OutputIsInTheModelsContainer) {
  EXPECT_EQ(chaff::defend([] { return z; }, defense)(), expected());
  EXPECT_EQ(chaff::defend(free_function, defense)(1), expected());
  const auto array = chaff::defend([] { return std::array<float, 4>{1, 2.5f, 2, -1}; }, defense)();
  EXPECT_TRUE(std::equal(array.begin(), array.end(), expected().begin()));
  EXPECT_EQ(chaff::defend([] { return tensor{z}; }, defense)().values, expected());
  const auto eigen = chaff::defend([] { return Eigen::Vector4f(1, 2.5f, 2, -1); }, defense)();
  static_assert(std::same_as<std::remove_const_t<decltype(eigen)>, Eigen::Vector4f>);
  EXPECT_EQ(eigen, Eigen::Vector4f(Eigen::Map<const Eigen::Vector4f>(expected().data())));
  const auto batch = chaff::defend([](const Eigen::MatrixXd& x) -> Eigen::MatrixXd { return x; }, defense);
  EXPECT_EQ(batch(Eigen::MatrixXd::Random(5, 4)).rows(), 5);
}

TEST(Defend, MemoryOfTheModelIsUnchanged) {
  std::vector<float> own = z;
  const auto by_reference = chaff::defend([&]() -> const std::vector<float>& { return own; }, defense);
  EXPECT_EQ(by_reference(), expected());
  const auto by_view = chaff::defend([&] { return std::span<float>(own); }, defense);
  static_assert(std::same_as<decltype(by_view()), std::vector<float>>);
  EXPECT_EQ(by_view(), expected());
  const auto by_constant_view = chaff::defend([&] { return std::span<const float>(own); }, defense);
  EXPECT_EQ(by_constant_view(), expected());
  EXPECT_EQ(own, z);
}

TEST(Defend, ExpressionOfTemporariesIsEvaluatedInTime) {
  const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(4, 3);
  const auto model = chaff::defend([&](const Eigen::Vector3f& x) { return weights * x; }, defense);
  const Eigen::Vector3f x(1, 2, 3);
  EXPECT_EQ(model(x), chaff::apply(defense, Eigen::VectorXf(weights * x)));
}

TEST(Defend, ArgumentsArePassedWithTheirValueCategories) {
  const auto model = chaff::defend(
      [](std::unique_ptr<int> moved, int& output, float scale) {
        output = *moved;
        return std::vector<float>{scale, 0};
      },
      defense);
  int value = 0;
  EXPECT_EQ(model(std::make_unique<int>(3), value, 2.0f).size(), 2u);
  EXPECT_EQ(value, 3);
}

TEST(Defend, TakesMoveOnlyModels) {
  auto model = chaff::defend([held = std::make_unique<float>(2)] { return std::vector<float>{*held, 0}; }, defense);
  const auto moved = std::move(model);
  EXPECT_EQ(moved().size(), 2u);
}

struct counting_model {
  int calls = 0;
  std::vector<float> operator()() { return ++calls, z; }
};

TEST(Defend, CopiesTheModelButNotBehindStdRef) {
  counting_model model;
  auto copy = chaff::defend(model, defense);
  copy();
  EXPECT_EQ(model.calls, 0);
  const auto reference = chaff::defend(std::ref(model), defense);
  reference();
  EXPECT_EQ(model.calls, 1);
  static_assert(std::invocable<decltype(copy)&>);
  static_assert(!std::invocable<const decltype(copy)&>, "a model that changes has no const call");
}

struct network {
  float bias;
  std::vector<float> classify(float x) const { return {x, bias}; }
};

TEST(Defend, TakesPointersToMembers) {
  const auto model = chaff::defend(&network::classify, defense);
  EXPECT_EQ(model(network{0.5f}, 1.0f).size(), 2u);
}

TEST(Defend, ChecksParametersAtOnceAndRowsAtEachCall) {
  EXPECT_THROW(static_cast<void>(chaff::defend(free_function, chaff::dcp{.beta = -1})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(chaff::defend(free_function, defense, {.max_l1 = 3})), std::invalid_argument);
  const auto model = chaff::defend([](float x) { return std::vector<float>{x, 0}; }, defense);
  EXPECT_THROW(model(std::numeric_limits<float>::quiet_NaN()), std::domain_error);
}

TEST(Defend, FollowsThePolicy) {
  const auto model = chaff::defend(free_function, defense, {.answer = chaff::form::log_probabilities});
  EXPECT_LT(model(1)[0], 0);
}

TEST(Defend, FlatRangeIsABatchWhereThePolicySaysHowManyClassesARowHas) {
  std::vector<float> batch;
  for (int i = 0; i < 3; ++i) batch.insert(batch.end(), z.begin(), z.end());
  std::vector<float> rows(batch.size());
  chaff::apply_rows(defense, batch, z.size(), rows);
  const chaff::policy policy{.classes = z.size()};
  EXPECT_EQ(chaff::defend([&] { return batch; }, defense, policy)(), rows);
  EXPECT_EQ(chaff::defend([&] { return std::span<const float>(batch); }, defense, policy)(), rows);
  const auto one_row = chaff::defend([&] { return batch; }, defense)();
  EXPECT_NE(one_row, rows);
  EXPECT_THROW(chaff::defend([&] { return batch; }, defense, {.classes = 5})(), std::invalid_argument);
}

TEST(Defend, DecoyIsCalledOncePerBatchOfAFlatRange) {
  const std::vector<float> logits{1, 2, 3, 3, 2, 1};
  int calls = 0;
  const auto decoy = [&calls](const std::vector<float>& query) {
    ++calls;
    return std::vector<float>(query.rbegin(), query.rend());
  };
  const auto model = chaff::defend([](const std::vector<float>& query) { return query; }, chaff::decoy{decoy},
                                   {.keep_label = false, .classes = 3});
  const std::vector<float> output = model(logits);
  EXPECT_EQ(calls, 1);
  std::vector<float> expected(6);
  chaff::apply_rows(chaff::none{}, std::vector<float>(logits.rbegin(), logits.rend()), 3, expected);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(output[i], expected[i], 1e-6) << i;
}

TEST(Defend, LongRowHasTheSameBitsAsThroughApply) {
  for (const std::size_t classes : {33u, 129u, 1000u, 4099u}) {
    std::vector<float> logits(classes), expected_output(classes);
    for (std::size_t i = 0; i < classes; ++i) logits[i] = static_cast<float>(i * 7919 % 101) / 16;
    for (const chaff::policy& policy : {chaff::policy{}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}}) {
      chaff::apply(defense, logits, expected_output, policy);
      EXPECT_EQ(chaff::defend([&] { return logits; }, defense, policy)(), expected_output);
    }
  }
}

/// A composition of a user whose parts are made anew at each call, and whose perturbation needs the query.
struct decoy_by_value {
  auto parts() const {
    return chaff::gated{chaff::always{}, chaff::decoy{[](float x) { return std::vector<float>{x, 1 - x, 0.5f}; }}};
  }
};

TEST(Defend, ServesCompositionOfUserThatNeedsTheQuery) {
  const auto model = [](float x) { return std::vector<float>{2 * x, 0.1f, -x}; };
  const std::vector<float> expected = chaff::defend(model, chaff::decoy{[](float x) {
                                                      return std::vector<float>{x, 1 - x, 0.5f};
                                                    }})(0.4f);
  EXPECT_EQ(chaff::defend(model, decoy_by_value{})(0.4f), expected);
}

}  // namespace
