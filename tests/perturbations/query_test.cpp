// SPDX-License-Identifier: MIT
/// Defenses that need the query: with which arguments their models are called, when, and what these may return.
#include <gtest/gtest.h>

#include <chaff/adapters/eigen.hpp>
#include <chaff/apply.hpp>
#include <chaff/defend.hpp>
#include <chaff/defenses/adaptive_misinformation.hpp>
#include <chaff/defenses/gated.hpp>
#include <chaff/gates/energy_gate.hpp>
#include <chaff/perturbations/decoy.hpp>
#include <chaff/perturbations/gradient_redirection.hpp>
#include <chaff/perturbations/mad.hpp>
#include <chaff/perturbations/reverse_sigmoid.hpp>
#include <chaff/perturbations/surrogate.hpp>
#include <chaff/posterior/argmax.hpp>
#include <chaff/posterior/softmax.hpp>
#include <chaff/reductions/rounded.hpp>
#include <chaff/reductions/top_k.hpp>
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

TEST(Decoy, AloneAnswersWithItsPosterior) {
  const auto defended = defend([](int) { return z; }, chaff::decoy{[](int) { return decoy_z; }}, {.keep_label = false});
  expect_near(defended(1), softmax(decoy_z));
}

TEST(Decoy, IsCalledWithTheArgumentsOfTheModel) {
  const auto model = [](int a, const std::string& b) {
    return vector{static_cast<float>(a), static_cast<float>(b.size()), 0};
  };
  const auto decoy = [](int a, const std::string& b) {
    return vector{static_cast<float>(b.size()), static_cast<float>(a), 0};
  };
  const auto defended = defend(model, chaff::decoy{decoy}, {.keep_label = false});
  expect_near(defended(1, "four"), softmax({4, 1, 0}));
}

TEST(Decoy, MayReturnAnyContainerOfLogits) {
  const auto expect_decoy = [](auto decoy) {
    expect_near(defend([] { return z; }, chaff::decoy{decoy}, {.keep_label = false})(), softmax(decoy_z));
  };
  expect_decoy([] { return std::array<double, 3>{3, 0, 0}; });
  expect_decoy([] { return Eigen::Vector3f(3, 0, 0); });
  expect_decoy([] { return Eigen::RowVector3d(3, 0, 0); });
  expect_decoy([] { return Eigen::MatrixXd(Eigen::RowVector3d(3, 0, 0)); });
  static float memory[] = {3, 0, 0};
  expect_decoy([] { return std::span<const float>(memory); });
}

TEST(Decoy, OfABatchAnswersRowByRowInEitherStorageOrder) {
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  rows logits(2, 3), decoys(2, 3);
  logits << 1, 2, 3, 3, 2, 1;
  decoys << 3, 0, 0, 0, 3, 0;
  const auto expect_decoys = [&](auto model, auto decoy) {
    const auto y = defend(model, chaff::decoy{decoy}, {.keep_label = false})();
    expect_near({y(0, 0), y(0, 1), y(0, 2)}, softmax({3, 0, 0}));
    expect_near({y(1, 0), y(1, 1), y(1, 2)}, softmax({0, 3, 0}));
  };
  expect_decoys([&] { return logits; }, [&] { return decoys; });
  expect_decoys([&] { return Eigen::MatrixXf(logits); }, [&] { return Eigen::MatrixXf(decoys); });
  expect_decoys([&] { return logits; }, [&] { return decoys * 1.0f; });
}

TEST(Decoy, OfABatchMustReturnAWholeNumberOfRows) {
  const auto defended = defend([] { return Eigen::MatrixXf(Eigen::MatrixXf::Zero(2, 3)); },
                               chaff::decoy{[] { return vector(7); }}, {.keep_label = false});
  EXPECT_THROW(defended(), std::invalid_argument);
}

TEST(Decoy, IsCalledOnceAndOnlyWhereAGateIsOpen) {
  int calls = 0;
  const auto count = [&](const Eigen::MatrixXf& x) {
    ++calls;
    return Eigen::MatrixXf(-x);
  };
  const auto defended =
      defend([](const Eigen::MatrixXf& x) { return x; }, adaptive_misinformation(std::ref(count), {.tau = 0.9}));
  Eigen::MatrixXf confident(2, 3), mixed(3, 3);
  confident << 20, 0, 0, 0, 20, 0;
  mixed << 1, 2, 3, 0, 20, 0, 3, 2, 1;
  defended(confident);
  EXPECT_EQ(calls, 0);
  defended(mixed);
  EXPECT_EQ(calls, 1);
}

TEST(Decoy, IsNeitherCopiedNorCalledByDefend) {
  struct move_only_model {
    std::unique_ptr<int> held = std::make_unique<int>(3);
    vector operator()() const { return {static_cast<float>(*held), 0, 0}; }
  };
  const auto defended =
      defend([] { return z; }, adaptive_misinformation(move_only_model{}, {.tau = 10}), {.keep_label = false});
  expect_near(defended(), softmax(decoy_z));
}

TEST(Decoy, OfASingleSigmoidIsASingleSigmoid) {
  const auto defended = defend([](double x) { return std::array{x}; },
                               chaff::decoy{[](double x) { return std::array{-x / 2}; }}, {.keep_label = false});
  EXPECT_NEAR(defended(2.0)[0], 1 / (1 + std::exp(1.0)), 1e-15);
}

TEST(Decoy, WithAnotherLabelDoesNotChangeAKeptLabel) {
  const auto defended = defend([] { return z; }, chaff::decoy{[] { return decoy_z; }});
  EXPECT_EQ(chaff::argmax<float>(defended()), 2u);
}

/// Fails unless a call of the defended model raises an error with this message, and zeroes its output.
template <class Error, class Defense>
void expect_error(const Defense& defense, const std::string& message) {
  const auto defended = defend([] { return z; }, defense);
  try {
    defended();
    FAIL() << "no error: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), message);
  }
  // defend() returns no output here: bound to a query without arguments, the defense writes to memory of the test
  vector in_place = z;
  EXPECT_THROW(chaff::apply(defense.bind(), in_place, in_place), Error);
  EXPECT_EQ(in_place, vector(3));
}

TEST(Decoy, WithAllItsMassOnAMaskedClassLeavesTheLabelAlone) {
  const vector single{0, -std::numeric_limits<float>::infinity()};
  for (const bool keep_label : {false, true}) {
    const chaff::decoy confident{[] { return vector{-200, 0}; }};
    EXPECT_EQ(defend([&] { return single; }, confident, {.keep_label = keep_label})(), (vector{1, 0}));
  }
}

TEST(Decoy, ThatFailsLeavesAZeroedOutput) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  expect_error<std::invalid_argument>(chaff::decoy{[] {
                                        return vector{1, 2};
                                      }},
                                      "chaff: the decoy returned 2 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(chaff::decoy{[] { return vector{}; }},
                                      "chaff: the decoy returned 0 numbers for 1 rows of 3 classes");
  const std::string not_finite = "chaff: row 0 of the decoy has NaN or +inf, or is only -inf";
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector{1, nan, 2}; }}, not_finite);
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector{1, infinity, 2}; }}, not_finite);
  expect_error<std::domain_error>(chaff::decoy{[=] { return vector(3, -infinity); }}, not_finite);
  struct failing_model {
    vector operator()() const { throw std::runtime_error("the decoy failed"); }
  };
  expect_error<std::runtime_error>(chaff::decoy{failing_model{}}, "the decoy failed");
}

TEST(Surrogate, ThatFailsLeavesAZeroedOutput) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_error<std::invalid_argument>(chaff::mad{chaff::jacobian{[] { return vector(7); }}},
                                      "chaff: the surrogate returned 7 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(chaff::mad{chaff::last_layer{[] { return vector(6); }}},
                                      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::domain_error>(chaff::mad{chaff::last_layer{[=] { return vector(3, nan); }}},
                                  "chaff: row 0 of the surrogate has NaN or +inf, or is only -inf");
  expect_error<std::invalid_argument>(chaff::gradient_redirection{chaff::redirection{[] { return vector(6); }}},
                                      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::invalid_argument>(
      chaff::gradient_redirection{chaff::jacobian{[] { return vector(6); }}, 1, std::vector<double>(3)},
      "chaff: the surrogate returned 6 numbers for 1 rows of 3 classes");
  expect_error<std::domain_error>(chaff::gradient_redirection{chaff::redirection{[=] { return vector(3, nan); }}},
                                  "chaff: the surrogate's gradient for row 0 has NaN");
}

TEST(Gate, OfAUserThatThrowsLeavesAZeroedOutput) {
  vector y(3);
  const chaff::gated defense{[](const auto&) -> double { throw std::runtime_error("gate"); }, chaff::reverse_sigmoid{}};
  EXPECT_THROW(chaff::apply(defense, z, y), std::runtime_error);
  EXPECT_EQ(y, vector(3));
}

TEST(QueryPerturbation, ChecksItsParametersWhenBoundToAModel) {
  const auto model = [] { return z; };
  EXPECT_THROW(static_cast<void>(defend(model, chaff::mad{chaff::last_layer{model}, 2.5})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(defend(model, chaff::gradient_redirection{chaff::redirection{model}, -1})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(defend(model, adaptive_misinformation(model, {.tau = -1}))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(defend(model, chaff::decoy{model} | chaff::top_k{.k = 0})), std::invalid_argument);
}

TEST(QueryPerturbation, ComposesWithGatesAndReductions) {
  const chaff::gated defense{chaff::energy_gate{.tau = 1e6},
                             chaff::mad{chaff::last_layer{[] { return decoy_z; }}, 0.5}};
  const auto y = defend([] { return z; }, defense | chaff::top_k{.k = 2} | chaff::rounded{.decimals = 1})();
  EXPECT_EQ(std::count(y.begin(), y.end(), 0.0f), 1);
}

}  // namespace
