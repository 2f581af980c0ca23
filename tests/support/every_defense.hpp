// SPDX-License-Identifier: MIT
/// Every defense and every reduction of the library, with parameters that make it weak, strong and partly open.
#ifndef CHAFF_TESTS_SUPPORT_EVERY_DEFENSE_HPP
#define CHAFF_TESTS_SUPPORT_EVERY_DEFENSE_HPP

#include <algorithm>
#include <chaff/core.hpp>
#include <cmath>
#include <concepts>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

inline const chaff::key test_key("5d2f8c1e9b7a4630f1e2d3c4b5a69788");

/// `per_class` numbers for each class of a row or of a batch: f(logit, class, j) for j < per_class.
/// The rows are a std::vector, which is one row, or a row-major matrix. A single sigmoid logit counts as two classes.
template <class Rows, class F>
auto numbers_for(const Rows& rows, std::size_t per_class, F f) {
  using T = std::remove_cvref_t<decltype(*rows.data())>;
  auto classes = static_cast<std::size_t>(rows.size());
  if constexpr (requires { rows.cols(); }) classes = static_cast<std::size_t>(rows.cols());
  const std::size_t outcomes = classes == 1 ? 2 : classes;
  std::vector<T> numbers;
  for (std::size_t first = 0; first < static_cast<std::size_t>(rows.size()); first += classes) {
    for (std::size_t i = 0; i < outcomes; ++i) {
      const T value = i < classes ? rows.data()[first + i] : T(0);
      const T finite = std::abs(value) < T(1e30) ? value : T(0);
      for (std::size_t j = 0; j < per_class; ++j) numbers.push_back(f(finite, i, j));
    }
  }
  return numbers;
}

/// A decoy or surrogate whose logits are made of the query.
struct other_logits {
  auto operator()(const auto& query) const {
    auto other = query;
    for (decltype(other.size()) i = 0; i < other.size(); ++i) {
      auto& value = other.data()[i];
      value = std::abs(value) < 1e30 ? value / -2 : 0;
    }
    return other;
  }
};

/// A surrogate's Jacobian of three columns, made of the query.
struct some_jacobian {
  auto operator()(const auto& query) const {
    return numbers_for(query, 3, [](auto value, std::size_t i, std::size_t j) {
      return std::sin(value * static_cast<decltype(value)>(j + 1) + static_cast<decltype(value)>(i));
    });
  }
};

/// A surrogate's gradient, made of the query.
struct some_gradient {
  auto operator()(const auto& query) const {
    return numbers_for(
        query, 1, [](auto value, std::size_t i, std::size_t) { return value - static_cast<decltype(value)>(i % 3); });
  }
};

/// A codebook for rows of any number of classes, made where a row first needs it: three labels have centroids, a flat
/// one and a steep one.
class codebook_of_any_size {
 public:
  explicit codebook_of_any_size(double epsilon) : books_(std::make_shared<books>()) { books_->epsilon = epsilon; }

  template <class T>
  auto weights(const chaff::row<T>& row) const {
    return books_->of(row.classes()).weights(row);
  }

 private:
  struct books {
    double epsilon = 1;
    std::mutex mutex;
    std::map<std::size_t, chaff::codebook> of_size;

    const chaff::codebook& of(std::size_t classes) {
      const std::lock_guard lock(mutex);
      const auto found = of_size.find(classes);
      if (found != of_size.end()) return found->second;
      std::vector<float> centroids;
      for (const std::size_t label : {std::size_t{0}, classes / 2, classes - 1}) {
        for (const double p : {0.6, 0.99}) {
          centroids.insert(centroids.end(), classes, static_cast<float>((1 - p) / static_cast<double>(classes - 1)));
          centroids[centroids.size() - classes + label] = static_cast<float>(p);
        }
      }
      return of_size.emplace(classes, chaff::codebook(std::move(centroids), classes, epsilon)).first->second;
    }
  };
  std::shared_ptr<books> books_;
};

/// Calls visit(defense, name) for every defense that needs nothing but logits and keeps the label.
template <class Visit>
void for_each_row_defense(Visit visit) {
  using chaff::odds;
  visit(chaff::none{}, "none");
  visit(chaff::dcp{}, "dcp");
  visit(chaff::dcp{.beta = 1.2}, "dcp, open");
  visit(chaff::dcp{.beta = 1.5, .gamma = 0.1, .rule = odds::exact}, "dcp, exact odds");
  visit(chaff::dcp{.beta = 1000, .gamma = 1000, .tau = 10, .rule = odds::exact}, "dcp, at its limits");
  visit(chaff::dcp{.beta = 1, .gamma = 0.2, .nu = 1e-6, .tau = 0.5}, "dcp, half open");
  visit(chaff::energy_dcp{.nu = 1, .tau = 5.0}, "energy_dcp");
  visit(chaff::reverse_sigmoid{.beta = 1.28}, "reverse_sigmoid");
  visit(chaff::reverse_sigmoid{.beta = 4, .rule = odds::exact}, "reverse_sigmoid, exact odds");
  visit(chaff::gated{chaff::energy_gate{.tau = 5, .nu = 1}, chaff::reverse_sigmoid{.beta = 1}},
        "reverse_sigmoid behind an energy gate");
  visit(chaff::gated{chaff::always{}, chaff::reverse_sigmoid{.beta = 0}}, "reverse_sigmoid, beta 0");
  visit(chaff::random_vertex{.epsilon = 1.5, .key = test_key}, "random_vertex");
  visit(chaff::modelguard_w{.epsilon = 0.5}, "modelguard_w");
  visit(chaff::modelguard_w{.epsilon = 2}, "modelguard_w, at its limit");
  visit(codebook_of_any_size(0.5), "codebook");
  visit(codebook_of_any_size(2), "codebook, at its limit");
}

/// Calls visit(defense, name) for every defense that needs the query.
template <class Visit>
void for_each_query_defense(Visit visit) {
  visit(chaff::decoy{other_logits{}}, "decoy");
  visit(chaff::adaptive_misinformation(other_logits{}, {.tau = 0.6, .nu = 5}), "adaptive_misinformation");
  visit(chaff::mad{chaff::last_layer{other_logits{}}, 1.0}, "mad, last layer");
  visit(chaff::mad{chaff::last_layer{other_logits{}}, 2.0, true}, "mad, last layer, argmax kept");
  visit(chaff::mad{chaff::jacobian{some_jacobian{}}, 0.5}, "mad, jacobian");
  visit(chaff::mad{chaff::jacobian{some_jacobian{}}, 1.5, true}, "mad, jacobian, argmax kept");
  visit(chaff::gradient_redirection{chaff::redirection{some_gradient{}}, 1.0}, "gradient_redirection");
  visit(chaff::gradient_redirection{chaff::jacobian{some_jacobian{}}, 2.0}, "gradient_redirection, jacobian");
}

/// Calls visit(defense, name) for every defense that changes labels on purpose.
template <class Visit>
void for_each_label_changing_defense(Visit visit) {
  visit(chaff::misdirect{.key = test_key}, "misdirect");
  visit(chaff::gated{chaff::energy_gate{.tau = 5, .nu = 1}, chaff::misdirect{.key = test_key}},
        "misdirect behind an energy gate");
}

#if defined(__cpp_exceptions)
/// Whether a defense accepts a policy.
template <class Defense>
bool accepts(const Defense& defense, const chaff::policy& policy) {
  try {
    chaff::check(defense, policy);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}
#endif

/// Calls visit(reduction, name) for every reduction.
template <class Visit>
void for_each_reduction(Visit visit) {
  visit(chaff::top_k{.k = 1}, "top 1");
  visit(chaff::top_k{.k = 5}, "top 5");
  visit(chaff::rounded{.decimals = 0}, "rounded to 0");
  visit(chaff::rounded{.decimals = 2}, "rounded to 2");
  visit(chaff::rounded{.decimals = 7}, "rounded to 7");
  visit(chaff::label_only{}, "label only");
  visit(chaff::high_confidence{.cutoff = 0.25}, "high confidence");
  visit(chaff::high_confidence{.cutoff = 1}, "high confidence of 1");
  visit(chaff::gaussian_noise{.sigma = 0.2, .key = test_key}, "noise");
  visit(chaff::gaussian_noise{.sigma = 10, .key = test_key}, "strong noise");
}

/// A reduction of any type, for outputs of T: the tests then compile one pipeline per defense, not one per pair.
template <class T>
class any_reduction {
  struct reduction_of_some_type {
    virtual ~reduction_of_some_type() = default;
    virtual void prepare(const chaff::row<T>& row, void* memory) const = 0;
    virtual void reduce(const void* memory, std::span<T> output, chaff::kept_label kept) const = 0;
  };

  template <class R>
  struct reduction_of final : reduction_of_some_type {
    using prepared = std::remove_cvref_t<decltype(chaff::detail::reduction_for_row(
        std::declval<const R&>(), std::declval<const chaff::row<T>&>()))>;

    R reduction;

    explicit reduction_of(R value) : reduction(std::move(value)) {}
    void prepare(const chaff::row<T>& row, void* memory) const override {
      ::new (memory) prepared(chaff::detail::reduction_for_row(reduction, row));
    }
    void reduce(const void* memory, std::span<T> output, chaff::kept_label kept) const override {
      (*static_cast<const prepared*>(memory))(output, kept);
    }
  };

 public:
  struct for_one_row {
    const reduction_of_some_type* reduction;
    alignas(16) unsigned char memory[64];

    void operator()(std::span<T> output, chaff::kept_label kept) const { reduction->reduce(memory, output, kept); }
  };

  template <class R>
  requires(!std::same_as<R, any_reduction>) explicit any_reduction(R reduction)
      : reduction_(std::make_shared<reduction_of<R>>(std::move(reduction))) {
    static_assert(sizeof(typename reduction_of<R>::prepared) <= sizeof(for_one_row::memory));
  }

  for_one_row for_row(const chaff::row<T>& row) const {
    for_one_row prepared{reduction_.get(), {}};
    reduction_->prepare(row, prepared.memory);
    return prepared;
  }

 private:
  std::shared_ptr<const reduction_of_some_type> reduction_;
};

/// Answers one row through apply or, where the defense needs the query, through defend with the logits as the query.
template <class T, class Defense>
void answer_row(const Defense& defense, std::span<const T> logits, std::span<T> output,
                const chaff::policy& policy = {}) {
  if constexpr (chaff::Defense<Defense, T>) {
    chaff::apply(defense, logits, output, policy);
  } else {
    const auto answer = chaff::defend([](const std::vector<T>& query) { return query; }, defense,
                                      policy)(std::vector<T>(logits.begin(), logits.end()));
    std::copy(answer.begin(), answer.end(), output.begin());
  }
}

#endif
