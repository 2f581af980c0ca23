// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <array>
#include <chaff/chaff.hpp>
#include <list>

namespace {

using namespace chaff;

static_assert(gate<confidence_gate> && gate<energy_gate, double> && gate<always>);
static_assert(gate<decltype([](const row<float>&) { return 0.5; })>, "a plain callable is a gate");
static_assert(!gate<reverse_sigmoid> && !gate<int> && !gate<decltype([](const row<float>&) { return "open"; })>);

static_assert(perturbation<reverse_sigmoid> && perturbation<reverse_sigmoid, double>);
static_assert(!perturbation<confidence_gate> && !perturbation<int>);

static_assert(defense<dcp> && defense<dcp, double> && defense<none> && defense<reverse_sigmoid>);
static_assert(defense<gated<energy_gate, reverse_sigmoid>>);
static_assert(!defense<confidence_gate> && !defense<int> && !defense<gated<reverse_sigmoid, reverse_sigmoid>>);

static_assert(perturbation<random_vertex> && perturbation<misdirect, double> && !perturbation<top_k>);

using asks = std::vector<float> (*)(int);
static_assert(query_perturbation<decoy<asks>> && query_perturbation<mad<last_layer<asks>>> &&
              query_perturbation<gradient_redirection<redirection<asks>>>);
static_assert(!query_perturbation<reverse_sigmoid> && !query_perturbation<int>);
static_assert(!defense<decoy<asks>> && !defense<gated<always, mad<last_layer<asks>>>>, "bare logits are not enough");

static_assert(reduction<top_k> && reduction<rounded, double> && reduction<label_only> && reduction<gaussian_noise> &&
              reduction<high_confidence>);
static_assert(reduction<decltype([](std::span<float>, kept_label) {})>, "a plain callable is a reduction");
using of_floats = decltype([](std::span<float>, kept_label) {});
static_assert(defense<decltype(dcp{} | of_floats{})> && !defense<decltype(dcp{} | of_floats{}), double>);
static_assert(!reduction<dcp> && !reduction<confidence_gate> && !reduction<decltype([](std::span<float>) {})>);
static_assert(defense<decltype(dcp{} | top_k{} | rounded{}), double> && !defense<top_k>);

template <class A, class B>
concept composes = requires(A a, B b) {
  a | b;
};
static_assert(composes<dcp, top_k> && composes<gated<energy_gate, misdirect>, label_only> &&
              composes<decoy<asks>, top_k>);
static_assert(!composes<top_k, dcp> && !composes<top_k, rounded> && !composes<dcp, dcp> && !composes<int, top_k>);

static_assert(contiguous_values<std::vector<float>> && contiguous_values<const std::array<double, 3>>);
static_assert(contiguous_values<std::span<const float>> && contiguous_values<float[4]>);
static_assert(!contiguous_values<std::vector<int>> && !contiguous_values<std::list<float>> &&
              !contiguous_values<float>);
static_assert(!contiguous_values<Eigen::VectorXf>, "Eigen has an apply of its own");

static_assert(owning_values<std::vector<float>> && owning_values<std::array<double, 2>>);
static_assert(!owning_values<std::span<float>> && !owning_values<std::span<const float>>);

static_assert(eigen_values<Eigen::VectorXf> && eigen_values<const Eigen::MatrixXd&>);
static_assert(!eigen_values<Eigen::VectorXi> && !eigen_values<std::vector<float>>);

using model = std::vector<float> (*)(int);
static_assert(logits_model<model, int>);
static_assert(logits_model<decltype([](Eigen::VectorXf x) { return 2 * x; }), Eigen::VectorXf>);
static_assert(!logits_model<model, std::string>, "not with these arguments");
static_assert(!logits_model<int (*)(int), int>, "an int is no row of logits");
static_assert(!logits_model<Eigen::VectorXi (*)(), int>);

/// A user's own perturbation: half of the label's weight goes to all classes alike.
struct flatten {
  template <class T>
  struct weights_of_row {
    T label, share;
    lanes<T> operator()(const block<T>& at) const { return at.p + share; }
  };
  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    const double half = seen.confidence() / 2;
    return {static_cast<T>(half), static_cast<T>(half / static_cast<double>(seen.classes()))};
  }
};
static_assert(perturbation<flatten> && defense<flatten, double>);

TEST(concepts, a_user_s_own_parts_work_under_the_same_promises) {
  const std::vector<double> z{2, 0, 0, 0};
  std::vector<double> y(4), p(4);
  chaff::apply(none{}, z, p);
  chaff::apply(gated{[](const auto& seen) { return seen.confidence() < 0.9 ? 1.0 : 0.0; }, flatten{}}, z, y);
  EXPECT_GT(y[0], y[1]);
  EXPECT_LT(y[0], p[0]);
  EXPECT_NEAR(y[0] / y[1], (p[0] / 2) / (p[1] + p[0] / 8), 1e-12);
}

/// More is taken from the others than they have.
struct robs_the_others {
  template <class T>
  struct weights_of_row {
    T label;
    lanes<T> operator()(const block<T>& at) const { return at.p - T(0.5); }
  };
  template <class T>
  weights_of_row<T> weights(const row<T>& seen) const {
    return {static_cast<T>(seen.confidence())};
  }
};

TEST(concepts, a_part_that_gives_less_than_nothing_gives_nothing) {
  const std::vector<double> z{2, 1, 0, 0};
  std::vector<double> y(4);
  chaff::apply(robs_the_others{}, z, y);
  EXPECT_NEAR(y[0], 1, 1e-15);
  for (std::size_t i = 1; i < y.size(); ++i) EXPECT_EQ(y[i], 0);
}

TEST(concepts, a_gate_that_is_all_but_closed_is_closed) {
  const std::vector<double> z{2, 0, 1, 0};
  std::vector<double> y(4), p(4);
  chaff::apply(none{}, z, p);
  chaff::apply(gated{[](const auto&) { return 2e-16; }, flatten{}}, z, y);
  EXPECT_EQ(y, p);
  chaff::apply(gated{[](const auto&) { return 1e-12; }, flatten{}}, z, y);
  EXPECT_NE(y, p);
}

TEST(concepts, a_gate_that_fails_leaves_the_defense_on) {
  const std::vector<double> z{2, 0, 0, 0};
  std::vector<double> y(4), open(4);
  chaff::apply(flatten{}, z, open);
  for (const double alpha : {std::nan(""), 7.0}) {
    chaff::apply(gated{[alpha](const auto&) { return alpha; }, flatten{}}, z, y);
    EXPECT_EQ(y, open);
  }
}

}  // namespace
