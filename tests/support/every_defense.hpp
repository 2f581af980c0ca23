// SPDX-License-Identifier: MIT
/// Every defense and every reduction of the library, at settings that are weak, strong and partly open.
#ifndef CHAFF_TESTS_SUPPORT_EVERY_DEFENSE_HPP
#define CHAFF_TESTS_SUPPORT_EVERY_DEFENSE_HPP

#include <chaff/chaff.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

inline const chaff::key law_key("5d2f8c1e9b7a4630f1e2d3c4b5a69788");

/// Numbers of one row or many, from a std::vector or a row-major matrix: f(value, class) for each, `per_class` of them.
template <class Rows, class F>
auto numbers_for(const Rows& z, std::size_t per_class, F f) {
  using T = std::remove_cvref_t<decltype(*z.data())>;
  auto classes = static_cast<std::size_t>(z.size());
  if constexpr (requires { z.cols(); }) classes = static_cast<std::size_t>(z.cols());
  const std::size_t outcomes = classes == 1 ? 2 : classes;
  std::vector<T> numbers;
  for (std::size_t first = 0; first < static_cast<std::size_t>(z.size()); first += classes) {
    for (std::size_t i = 0; i < outcomes; ++i) {
      const T value = i < classes ? z.data()[first + i] : T(0);
      const T tame = std::abs(value) < T(1e30) ? value : T(0);
      for (std::size_t j = 0; j < per_class; ++j) numbers.push_back(f(tame, i, j));
    }
  }
  return numbers;
}

/// A decoy or surrogate: other logits, made of the query.
struct other_logits {
  auto operator()(const auto& z) const {
    auto other = z;
    for (decltype(other.size()) i = 0; i < other.size(); ++i) {
      auto& value = other.data()[i];
      value = std::abs(value) < 1e30 ? value / -2 : 0;
    }
    return other;
  }
};
struct some_jacobian {
  auto operator()(const auto& z) const {
    return numbers_for(z, 3, [](auto value, std::size_t i, std::size_t j) {
      return std::sin(value * static_cast<decltype(value)>(j + 1) + static_cast<decltype(value)>(i));
    });
  }
};
struct some_gradient {
  auto operator()(const auto& z) const {
    return numbers_for(
        z, 1, [](auto value, std::size_t i, std::size_t) { return value - static_cast<decltype(value)>(i % 3); });
  }
};

/// Calls use(defense, name) for every defense that needs nothing but logits and keeps labels.
template <class Use>
void for_each_defense_of_logits(Use use) {
  using chaff::odds;
  use(chaff::none{}, "none");
  use(chaff::dcp{}, "dcp");
  use(chaff::dcp{.beta = 1.2}, "dcp, open");
  use(chaff::dcp{.beta = 1.5, .gamma = 0.1, .rule = odds::exact}, "dcp, exact odds");
  use(chaff::dcp{.beta = 1000, .gamma = 1000, .tau = 10, .rule = odds::exact}, "dcp, at its limits");
  use(chaff::dcp{.beta = 1, .gamma = 0.2, .nu = 1e-6, .tau = 0.5}, "dcp, half open");
  use(chaff::reverse_sigmoid{.beta = 1.28}, "reverse sigmoid");
  use(chaff::reverse_sigmoid{.beta = 4, .rule = odds::exact}, "reverse sigmoid, exact odds");
  use(chaff::gated{chaff::energy_gate{.tau = 5, .nu = 1}, chaff::reverse_sigmoid{.beta = 1}}, "behind an energy gate");
  use(chaff::gated{chaff::always{}, chaff::reverse_sigmoid{.beta = 0}}, "always, beta 0");
  use(chaff::random_vertex{.epsilon = 1.5, .key = law_key}, "random vertex");
}

/// The same for every defense that needs the query.
template <class Use>
void for_each_defense_of_queries(Use use) {
  use(chaff::decoy{other_logits{}}, "decoy");
  use(chaff::adaptive_misinformation(other_logits{}, {.tau = 0.6, .nu = 5}), "adaptive misinformation");
  use(chaff::mad{chaff::last_layer{other_logits{}}, 1.0}, "mad, last layer");
  use(chaff::mad{chaff::last_layer{other_logits{}}, 2.0, true}, "mad, last layer, argmax kept");
  use(chaff::mad{chaff::jacobian{some_jacobian{}}, 0.5}, "mad, jacobian");
  use(chaff::mad{chaff::jacobian{some_jacobian{}}, 1.5, true}, "mad, jacobian, argmax kept");
  use(chaff::gradient_redirection{chaff::redirection{some_gradient{}}, 1.0}, "gradient redirection");
  use(chaff::gradient_redirection{chaff::jacobian{some_jacobian{}}, 2.0}, "gradient redirection, jacobian");
}

/// The same for every defense that changes labels on purpose.
template <class Use>
void for_each_defense_of_labels(Use use) {
  use(chaff::misdirect{.key = law_key}, "misdirect");
  use(chaff::gated{chaff::energy_gate{.tau = 5, .nu = 1}, chaff::misdirect{.key = law_key}},
      "misdirect, behind a gate");
}

/// Whether the policy is one that the defense can serve.
template <class Defense>
bool serves(const Defense& defense, const chaff::policy& promised) {
  try {
    chaff::check(defense, promised);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// Calls use(reduction, name) for every reduction, and for chains of them.
template <class Use>
void for_each_reduction(Use use) {
  use(chaff::top_k{.k = 1}, "top 1");
  use(chaff::top_k{.k = 5}, "top 5");
  use(chaff::rounded{.decimals = 0}, "rounded to 0");
  use(chaff::rounded{.decimals = 2}, "rounded to 2");
  use(chaff::rounded{.decimals = 7}, "rounded to 7");
  use(chaff::label_only{}, "label only");
  use(chaff::high_confidence{.cutoff = 0.25}, "high confidence");
  use(chaff::high_confidence{.cutoff = 1}, "high confidence of 1");
  use(chaff::gaussian_noise{.sigma = 0.2, .key = law_key}, "noise");
  use(chaff::gaussian_noise{.sigma = 10, .key = law_key}, "much noise");
}

/// Any reduction of rows of T, so that the laws compile one pipeline for a defense, not one for each pair.
template <class T>
class any_reduction {
 public:
  using on_answer = std::function<void(std::span<T>, chaff::kept_label)>;

  template <class Reduction>
  explicit any_reduction(Reduction part)
      : of_row_([part](const chaff::row<T>& seen) { return on_answer(chaff::of_row(part, seen)); }) {}

  on_answer of_row(const chaff::row<T>& seen) const { return of_row_(seen); }

 private:
  std::function<on_answer(const chaff::row<T>&)> of_row_;
};

/// Answers through apply, or through defend where the defense needs the query: here the model's logits are the query.
template <class T, class Defense>
void defended_answer(const Defense& defense, const std::vector<T>& z, std::span<T> y,
                     const chaff::policy& promised = {}) {
  if constexpr (chaff::defense<Defense, T>) {
    chaff::apply(defense, z, y, promised);
  } else {
    const auto answer = chaff::defend([](const std::vector<T>& x) { return x; }, defense, promised)(z);
    std::copy(answer.begin(), answer.end(), y.begin());
  }
}

#endif
