// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/chaff.hpp>
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

struct tensor {  // a user's own container
  std::vector<float> values;
  float* data() { return values.data(); }
  const float* data() const { return values.data(); }
  std::size_t size() const { return values.size(); }
};

TEST(defend, answers_in_the_model_s_own_container) {
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

TEST(defend, leaves_the_model_s_memory_alone) {
  std::vector<float> mine = z;
  const auto by_reference = chaff::defend([&]() -> const std::vector<float>& { return mine; }, defense);
  EXPECT_EQ(by_reference(), expected());
  const auto by_view = chaff::defend([&] { return std::span<float>(mine); }, defense);
  static_assert(std::same_as<decltype(by_view()), std::vector<float>>);
  EXPECT_EQ(by_view(), expected());
  const auto by_constant_view = chaff::defend([&] { return std::span<const float>(mine); }, defense);
  EXPECT_EQ(by_constant_view(), expected());
  EXPECT_EQ(mine, z);
}

TEST(defend, evaluates_what_would_dangle) {
  const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(4, 3);
  const auto model = chaff::defend([&](const Eigen::Vector3f& x) { return weights * x; }, defense);
  const Eigen::Vector3f x(1, 2, 3);
  EXPECT_EQ(model(x), chaff::apply(defense, Eigen::VectorXf(weights * x)));
}

TEST(defend, passes_several_arguments_as_they_are) {
  const auto model = chaff::defend(
      [](std::unique_ptr<int> moved, int& changed, float scale) {
        changed = *moved;
        return std::vector<float>{scale, 0};
      },
      defense);
  int seen = 0;
  EXPECT_EQ(model(std::make_unique<int>(3), seen, 2.0f).size(), 2u);
  EXPECT_EQ(seen, 3);
}

TEST(defend, takes_move_only_models) {
  auto model = chaff::defend([held = std::make_unique<float>(2)] { return std::vector<float>{*held, 0}; }, defense);
  const auto moved = std::move(model);
  EXPECT_EQ(moved().size(), 2u);
}

struct counting {
  int calls = 0;
  std::vector<float> operator()() { return ++calls, z; }
};

TEST(defend, copies_a_model_and_keeps_a_reference_to_std_ref) {
  counting model;
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

TEST(defend, takes_pointers_to_members) {
  const auto model = chaff::defend(&network::classify, defense);
  EXPECT_EQ(model(network{0.5f}, 1.0f).size(), 2u);
}

TEST(defend, checks_parameters_at_once_and_rows_at_each_call) {
  EXPECT_THROW(chaff::defend(free_function, chaff::dcp{.beta = -1}), std::invalid_argument);
  EXPECT_THROW(chaff::defend(free_function, defense, {.max_l1 = 3}), std::invalid_argument);
  const auto model = chaff::defend([](float x) { return std::vector<float>{x, 0}; }, defense);
  EXPECT_THROW(model(std::numeric_limits<float>::quiet_NaN()), std::domain_error);
}

TEST(defend, follows_its_policy) {
  const auto model = chaff::defend(free_function, defense, {.answer = chaff::form::log_probabilities});
  EXPECT_LT(model(1)[0], 0);
}

}  // namespace
