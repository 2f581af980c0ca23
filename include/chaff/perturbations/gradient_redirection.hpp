// SPDX-License-Identifier: MIT
/// GRAD^2: it moves mass so that the clone's gradient points where the defender wants it.
#ifndef CHAFF_PERTURBATIONS_GRADIENT_REDIRECTION_HPP
#define CHAFF_PERTURBATIONS_GRADIENT_REDIRECTION_HPP

#include <algorithm>

#include "chaff/exact.hpp"
#include "chaff/perturbations/query_output.hpp"
#include "chaff/perturbations/surrogate.hpp"
#include "chaff/perturbations/surrogate_gradient.hpp"
#include "chaff/policy.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A surrogate given by the derivative g = d/dy <G'y, t> itself, as a double backward pass computes it.
/// Shapes: `of_query(arguments...)` returns K numbers, for a batch N x K. A single sigmoid logit has two outcomes,
/// "yes" first. Throws: at a call, std::invalid_argument for another shape.
template <class Callable>
struct redirection {
  Callable of_query;
};
template <class Callable>
redirection(Callable) -> redirection<Callable>;

/// GRAD^2, gradient redirection: it moves mass so that the clone's gradient points where the defender wants it.
/// Formula: among the outputs within epsilon of p in L1, w is the one with the smallest <G'w, t>. G'w is the clone's
/// step for w, so its loss grows along t. With g = d/dy <G'y, t> = G t, the class with the smallest g receives
/// min(1 - p, epsilon / 2), taken from the others, the largest g first; of equal g, the lowest index comes first. A
/// masked class receives nothing.
/// |w - p|_1 = epsilon exactly, unless one class has everything.
/// The surrogate is jacobian{...}, with `target` the direction t of P numbers, all ones where it is empty; or
/// redirection{...}. With a Jacobian of the last linear layer and no bias, g is 0 for the target of all ones: set
/// another one. The defense is bound to a model by chaff::defend.
/// Range: epsilon in [0, 2].
/// Throws: std::invalid_argument for any other value, when bound; at a call std::invalid_argument for another shape,
/// std::domain_error where g is NaN.
/// Cost: O(K log K), with a Jacobian O(K P), besides the surrogate's own.
/// Source: Mazeika, Li & Forsyth 2022, "How to steer your adversary: targeted and efficient model stealing defenses
/// with gradient redirection", ICML 2022, arXiv 2206.14157.
template <class Surrogate>
struct gradient_redirection {
  Surrogate surrogate;
  double epsilon = 1;
  std::vector<double> target = {};

  static_assert(
      requires(const Surrogate& of) { of.of_query; },
      "chaff: a surrogate of gradient_redirection is chaff::redirection{callable} or chaff::jacobian{callable}");
  static constexpr bool needs_query = true;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"epsilon", epsilon, 0, 2});
  }

  template <class... Arguments>
  auto bind(Arguments&... query) const {
    using Callable = std::remove_cvref_t<decltype(surrogate.of_query)>;
    return detail::bound_to_query([this, output = detail::query_output<Callable, Arguments...>(
                                             "surrogate", surrogate.of_query, query...)]<class T>(
                                      const row<T>& row, const detail::row_position& position, std::span<T> w) {
      std::vector<double> g;
      if constexpr (std::is_same_v<Surrogate, redirection<Callable>>) {
        const auto given = output.of_row(position, [&](std::size_t count) { return count == w.size(); });
        g.assign(given.begin(), given.end());
      } else {
        static_assert(std::is_same_v<Surrogate, jacobian<Callable>>,
                      "a surrogate is chaff::jacobian{callable} or chaff::redirection{callable}");
        const auto rows = output.of_row(position, [&](std::size_t count) {
          return count > 0 && count % w.size() == 0 && (target.empty() || count == w.size() * target.size());
        });
        const std::size_t columns = rows.size() / w.size();
        const std::vector<double> ones(target.empty() ? columns : 0, 1.0);
        const std::span<const double> t(target.empty() ? ones : target);
        for (std::size_t i = 0; i < w.size(); ++i) {
          g.push_back(detail::inner_product(rows.subspan(i * columns, columns), t));
        }
      }
      for (const double value : g) {
        if (simd::is_nan(value))
          detail::fail<std::domain_error>("chaff: the surrogate's gradient for row %zu has NaN", position.row);
      }
      this->spend(row, g, w);
    });
  }

 private:
  template <class T>
  void spend(const row<T>& row, const std::vector<double>& g, std::span<T> w) const {
    std::size_t receiver = row.label;
    std::vector<std::size_t> givers;
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (row.is_masked(i)) continue;
      givers.push_back(i);
      if (g[i] < g[receiver] || (g[i] <= g[receiver] && i < receiver)) receiver = i;
    }
    std::sort(givers.begin(), givers.end(),
              [&](std::size_t a, std::size_t b) { return g[a] > g[b] || (g[a] >= g[b] && a < b); });
    double left = epsilon / 2;
    double moved = 0;
    for (const std::size_t i : givers) {
      if (i == receiver) continue;
      const double had = static_cast<double>(w[i]);
      const double given = (std::min)(had, left);
      w[i] = static_cast<T>(had - given);
      left -= given;
      moved += given;
    }
    w[receiver] = static_cast<T>(static_cast<double>(w[receiver]) + moved);
  }
};
template <class Surrogate>
gradient_redirection(Surrogate, double = 1, std::vector<double> = {}) -> gradient_redirection<Surrogate>;

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
