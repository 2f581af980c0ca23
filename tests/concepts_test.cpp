// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <chaff/chaff.hpp>
#include <cmath>
#include <list>
#include <string>

namespace {

using namespace chaff;

static_assert(Gate<confidence_gate> && Gate<energy_gate, double> && Gate<always>);
static_assert(Gate<decltype([](const row<float>&) { return 0.5; })>, "a plain callable is a gate");
static_assert(!Gate<reverse_sigmoid> && !Gate<int> && !Gate<decltype([](const row<float>&) { return "open"; })>);

static_assert(Perturbation<reverse_sigmoid> && Perturbation<reverse_sigmoid, double>);
static_assert(!Perturbation<confidence_gate> && !Perturbation<int>);

static_assert(Defense<dcp> && Defense<dcp, double> && Defense<none> && Defense<reverse_sigmoid>);
static_assert(Defense<gated<energy_gate, reverse_sigmoid>>);
static_assert(!Defense<confidence_gate> && !Defense<int> && !Defense<gated<reverse_sigmoid, reverse_sigmoid>>);

static_assert(Perturbation<random_vertex> && Perturbation<modelguard_w> && Perturbation<codebook> &&
              Perturbation<misdirect, double> && !Perturbation<top_k>);

using callable = std::vector<float> (*)(int);
static_assert(QueryPerturbation<decoy<callable>> && QueryPerturbation<mad<last_layer<callable>>> &&
              QueryPerturbation<gradient_redirection<redirection<callable>>>);
static_assert(!QueryPerturbation<reverse_sigmoid> && !QueryPerturbation<int>);
static_assert(!Defense<decoy<callable>> && !Defense<gated<always, mad<last_layer<callable>>>>,
              "bare logits are not enough");

static_assert(Reduction<top_k> && Reduction<rounded, double> && Reduction<label_only> && Reduction<gaussian_noise> &&
              Reduction<high_confidence>);
static_assert(Reduction<decltype([](std::span<float>, kept_label) {})>, "a plain callable is a reduction");
using of_floats = decltype([](std::span<float>, kept_label) {});
static_assert(Defense<decltype(dcp{} | of_floats{})> && !Defense<decltype(dcp{} | of_floats{}), double>);
static_assert(!Reduction<dcp> && !Reduction<confidence_gate> && !Reduction<decltype([](std::span<float>) {})>);
static_assert(Defense<decltype(dcp{} | top_k{} | rounded{}), double> && !Defense<top_k>);

template <class A, class B>
concept composes = requires(A a, B b) {
  a | b;
};
static_assert(composes<dcp, top_k> && composes<gated<energy_gate, misdirect>, label_only> &&
              composes<decoy<callable>, top_k>);
static_assert(!composes<top_k, dcp> && !composes<top_k, rounded> && !composes<dcp, dcp> && !composes<int, top_k>);
static_assert(!composes<confidence_gate, reverse_sigmoid> &&
                  !composes<dcp, decltype([](std::span<int>, kept_label) {})>,
              "what has a sentence of its own is refused all the same");

using mutable_model = decltype(defend([calls = 0.0f]() mutable { return std::vector<float>{++calls}; }, dcp{}));
static_assert(std::invocable<mutable_model&> && !std::invocable<const mutable_model&>);
static_assert(!std::is_default_constructible_v<key> && !std::is_default_constructible_v<misdirect>);

static_assert(ContiguousRange<std::vector<float>> && ContiguousRange<const std::array<double, 3>>);
static_assert(ContiguousRange<std::span<const float>> && ContiguousRange<float[4]>);
static_assert(!ContiguousRange<std::vector<int>> && !ContiguousRange<std::list<float>> && !ContiguousRange<float>);
static_assert(!ContiguousRange<Eigen::VectorXf>, "Eigen has an adapter");

static_assert(detail::OwningRange<std::vector<float>> && detail::OwningRange<std::array<double, 2>>);
static_assert(!detail::OwningRange<std::span<float>> && !detail::OwningRange<std::span<const float>>);

static_assert(EigenValues<Eigen::VectorXf> && EigenValues<const Eigen::MatrixXd&>);
static_assert(!EigenValues<Eigen::VectorXi> && !EigenValues<std::vector<float>>);
static_assert(Adapted<Eigen::VectorXf> && Adapted<Eigen::MatrixXd> && !Adapted<Eigen::VectorXi>);
static_assert(!Adapted<std::vector<float>> && !Adapted<int>);
static_assert(Logits<Eigen::VectorXf> && Logits<std::vector<float>&> && !Logits<Eigen::VectorXi> && !Logits<int>);

using model = std::vector<float> (*)(int);
static_assert(LogitsModel<model, int>);
static_assert(LogitsModel<decltype([](Eigen::VectorXf x) { return 2 * x; }), Eigen::VectorXf>);
static_assert(!LogitsModel<model, std::string>, "not with these arguments");
static_assert(!LogitsModel<int (*)(int), int>, "an int is no row of logits");
static_assert(!LogitsModel<Eigen::VectorXi (*)(), int>);

/// A perturbation of the user: half of the label's weight goes to all classes alike.
struct flatten {
  template <class T>
  struct weights_of_row {
    T label, share;
    simd::vec<T> operator()(const block<T>& block) const { return block.p + share; }
  };
  template <class T>
  weights_of_row<T> weights(const row<T>& row) const {
    const double half = row.confidence() / 2;
    return {static_cast<T>(half), static_cast<T>(half / static_cast<double>(row.classes()))};
  }
};
static_assert(Perturbation<flatten> && Defense<flatten, double>);

TEST(Concepts, PartsOfTheUserWorkUnderTheSameGuarantees) {
  const std::vector<double> z{2, 0, 0, 0};
  std::vector<double> y(4), p(4);
  chaff::apply(none{}, z, p);
  chaff::apply(gated{[](const auto& row) { return row.confidence() < 0.9 ? 1.0 : 0.0; }, flatten{}}, z, y);
  EXPECT_GT(y[0], y[1]);
  EXPECT_LT(y[0], p[0]);
  EXPECT_NEAR(y[0] / y[1], (p[0] / 2) / (p[1] + p[0] / 8), 1e-12);
}

/// A perturbation of the user that takes more from the other classes than they have.
struct negative_weights {
  template <class T>
  struct weights_of_row {
    T label;
    simd::vec<T> operator()(const block<T>& block) const { return block.p - T(0.5); }
  };
  template <class T>
  weights_of_row<T> weights(const row<T>& row) const {
    return {static_cast<T>(row.confidence())};
  }
};

TEST(Concepts, NegativeWeightsCountAsZero) {
  const std::vector<double> z{2, 1, 0, 0};
  std::vector<double> y(4);
  chaff::apply(negative_weights{}, z, y);
  EXPECT_NEAR(y[0], 1, 1e-15);
  for (std::size_t i = 1; i < y.size(); ++i) EXPECT_EQ(y[i], 0);
}

TEST(Concepts, AlphaBelowEpsilonIsZero) {
  const std::vector<double> z{2, 0, 1, 0};
  std::vector<double> y(4), p(4);
  chaff::apply(none{}, z, p);
  chaff::apply(gated{[](const auto&) { return 2e-16; }, flatten{}}, z, y);
  EXPECT_EQ(y, p);
  chaff::apply(gated{[](const auto&) { return 1e-12; }, flatten{}}, z, y);
  EXPECT_NE(y, p);
}

TEST(Concepts, AlphaThatIsNanOrAboveOneIsOne) {
  const std::vector<double> z{2, 0, 0, 0};
  std::vector<double> y(4), open(4);
  chaff::apply(flatten{}, z, open);
  for (const double alpha : {std::nan(""), 7.0}) {
    chaff::apply(gated{[alpha](const auto&) { return alpha; }, flatten{}}, z, y);
    EXPECT_EQ(y, open);
  }
}

}  // namespace
