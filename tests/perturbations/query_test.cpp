// SPDX-License-Identifier: MIT
/// Defenses that need the query: what they are asked, when, and in which shapes.
#include <gtest/gtest.h>

#include <chaff/chaff.hpp>
#include <string>

namespace {

using chaff::adaptive_misinformation;
using chaff::defend;
using vector = std::vector<float>;

const vector z{1, 2, 3};
const vector decoy_z{3, 0, 0};

vector softmax(const vector& logits) {
  vector p(logits.size());
  chaff::softmax<float>(logits, p);
  return p;
}

void expect_near(const vector& y, const vector& expected) {
  ASSERT_EQ(y.size(), expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-6) << "class " << i;
}

TEST(decoy, alone_answers_with_its_posterior) {
  const auto served = defend([](int) { return z; }, chaff::decoy{[](int) { return decoy_z; }}, {.keep_label = false});
  expect_near(served(1), softmax(decoy_z));
}

TEST(decoy, is_given_the_model_s_arguments) {
  const auto model = [](int a, const std::string& b) { return vector{static_cast<float>(a), float(b.size()), 0}; };
  const auto decoy = [](int a, const std::string& b) { return vector{float(b.size()), static_cast<float>(a), 0}; };
  const auto served = defend(model, chaff::decoy{decoy}, {.keep_label = false});
  expect_near(served(1, "four"), softmax({4, 1, 0}));
}

TEST(decoy, may_return_any_container_of_logits) {
  const auto check = [](auto decoy) {
    expect_near(defend([] { return z; }, chaff::decoy{decoy}, {.keep_label = false})(), softmax(decoy_z));
  };
  check([] { return std::array<double, 3>{3, 0, 0}; });
  check([] { return Eigen::Vector3f(3, 0, 0); });
  check([] { return Eigen::RowVector3d(3, 0, 0); });
  check([] { return Eigen::MatrixXd(Eigen::RowVector3d(3, 0, 0)); });
  static float memory[] = {3, 0, 0};
  check([] { return std::span<const float>(memory); });
}

TEST(decoy, of_a_batch_answers_row_by_row_in_either_storage_order) {
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  rows logits(2, 3), decoys(2, 3);
  logits << 1, 2, 3, 3, 2, 1;
  decoys << 3, 0, 0, 0, 3, 0;
  const auto check = [&](auto model, auto decoy) {
    const auto y = defend(model, chaff::decoy{decoy}, {.keep_label = false})();
    expect_near({y(0, 0), y(0, 1), y(0, 2)}, softmax({3, 0, 0}));
    expect_near({y(1, 0), y(1, 1), y(1, 2)}, softmax({0, 3, 0}));
  };
  check([&] { return logits; }, [&] { return decoys; });
  check([&] { return Eigen::MatrixXf(logits); }, [&] { return Eigen::MatrixXf(decoys); });
  check([&] { return logits; }, [&] { return decoys * 1.0f; });
}

TEST(decoy, of_a_batch_returns_a_whole_number_of_rows) {
  const auto served = defend([] { return Eigen::MatrixXf(Eigen::MatrixXf::Zero(2, 3)); },
                             chaff::decoy{[] { return vector(7); }}, {.keep_label = false});
  EXPECT_THROW(served(), std::invalid_argument);
}

TEST(decoy, is_asked_once_and_only_where_a_gate_is_open) {
  int asked = 0;
  const auto count = [&](const Eigen::MatrixXf& x) {
    ++asked;
    return Eigen::MatrixXf(-x);
  };
  const auto served =
      defend([](const Eigen::MatrixXf& x) { return x; }, adaptive_misinformation(std::ref(count), {.tau = 0.9}));
  Eigen::MatrixXf sure(2, 3), mixed(3, 3);
  sure << 20, 0, 0, 0, 20, 0;
  mixed << 1, 2, 3, 0, 20, 0, 3, 2, 1;
  served(sure);
  EXPECT_EQ(asked, 0);
  served(mixed);
  EXPECT_EQ(asked, 1);
}

TEST(decoy, is_neither_copied_nor_called_by_the_binding) {
  struct only_moved {
    std::unique_ptr<int> held = std::make_unique<int>(3);
    vector operator()() const { return {static_cast<float>(*held), 0, 0}; }
  };
  const auto served =
      defend([] { return z; }, adaptive_misinformation(only_moved{}, {.tau = 10}), {.keep_label = false});
  expect_near(served(), softmax(decoy_z));
}

TEST(decoy, of_a_single_sigmoid_is_a_single_sigmoid) {
  const auto served = defend([](double x) { return std::array{x}; },
                             chaff::decoy{[](double x) { return std::array{-x / 2}; }}, {.keep_label = false});
  EXPECT_NEAR(served(2.0)[0], 1 / (1 + std::exp(1.0)), 1e-15);
}

TEST(decoy, whose_label_differs_does_not_change_the_label_that_is_kept) {
  const auto served = defend([] { return z; }, chaff::decoy{[] { return decoy_z; }});
  EXPECT_EQ(chaff::label<float>(served()), 2u);
}

/// Raised, its message, and an answer in place that is left zeroed.
template <class Error, class Defense>
void expect_error(const Defense& defense, const std::string& message) {
  vector held = z;
  const auto served = defend([&] { return z; }, defense);
  try {
    served();
    FAIL() << "no error: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), message);
  }
  // the same on memory that the caller can look at
  try {
    chaff::apply(chaff::on_query_of(defense), held, held);
    FAIL();
  } catch (const Error&) {
    EXPECT_EQ(held, vector(3));
  }
}

TEST(decoy, with_all_its_mass_on_a_class_that_cannot_occur_leaves_the_label_alone) {
  const vector unlikely{0, -std::numeric_limits<float>::infinity()};
  for (const bool keep_label : {false, true}) {
    const chaff::decoy sure{[] { return vector{-200, 0}; }};
    EXPECT_EQ(defend([&] { return unlikely; }, sure, {.keep_label = keep_label})(), (vector{1, 0}));
  }
}

TEST(decoy, that_fails_leaves_no_answer) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  expect_error<std::invalid_argument>(chaff::decoy{[] {
                                        return vector{1, 2};
                                      }},
                                      "chaff: the decoy returned 2 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(chaff::decoy{[] { return vector{}; }},
                                      "chaff: the decoy returned 0 numbers for 1 rows of 3 classes");
  const std::string not_finite = "chaff: the decoy's row 0 has NaN or +inf, or is -inf alone";
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector{1, nan, 2}; }}, not_finite);
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector{1, infinity, 2}; }}, not_finite);
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector(3, -infinity); }}, not_finite);
  struct broken {
    vector operator()() const { throw std::runtime_error("no decoy today"); }
  };
  expect_error<std::runtime_error>(chaff::decoy{broken{}}, "no decoy today");
}

TEST(surrogate, that_fails_leaves_no_answer) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_error<std::invalid_argument>(chaff::mad{chaff::jacobian{[] { return vector(7); }}},
                                      "chaff: the surrogate returned 7 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(chaff::mad{chaff::last_layer{[] { return vector(6); }}},
                                      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::domain_error>(chaff::mad{chaff::last_layer{[=] { return vector(3, nan); }}},
                                  "chaff: the surrogate's row 0 has NaN or +inf, or is -inf alone");
  expect_error<std::invalid_argument>(chaff::gradient_redirection{chaff::redirection{[] { return vector(6); }}},
                                      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(
      chaff::gradient_redirection{chaff::jacobian{[] { return vector(6); }}, 1, std::vector<double>(3)},
      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::domain_error>(chaff::gradient_redirection{chaff::redirection{[=] { return vector(3, nan); }}},
                                  "chaff: the surrogate's gradient for row 0 has NaN");
}

TEST(gate, of_a_user_that_throws_leaves_no_clean_posterior) {
  vector y(3);
  const chaff::gated defense{[](const auto&) -> double { throw std::runtime_error("gate"); }, chaff::reverse_sigmoid{}};
  EXPECT_THROW(chaff::apply(defense, z, y), std::runtime_error);
  EXPECT_EQ(y, vector(3));
}

TEST(query, parts_check_their_parameters_when_they_are_bound) {
  const auto model = [] { return z; };
  EXPECT_THROW(defend(model, chaff::mad{chaff::last_layer{model}, 2.5}), std::invalid_argument);
  EXPECT_THROW(defend(model, chaff::gradient_redirection{chaff::redirection{model}, -1}), std::invalid_argument);
  EXPECT_THROW(defend(model, adaptive_misinformation(model, {.tau = -1})), std::invalid_argument);
  EXPECT_THROW(defend(model, chaff::decoy{model} | chaff::top_k{.k = 0}), std::invalid_argument);
}

TEST(query, parts_compose_with_gates_and_reductions) {
  const chaff::gated gated{chaff::energy_gate{.tau = 1e6}, chaff::mad{chaff::last_layer{[] { return decoy_z; }}, 0.5}};
  const auto y = defend([] { return z; }, gated | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 1})();
  EXPECT_EQ(std::count(y.begin(), y.end(), 0.0f), 1);
}

}  // namespace
