// SPDX-License-Identifier: MIT
/// MAD, maximising angular deviation: it moves the posterior to where it turns the clone's gradient most.
#ifndef CHAFF_PERTURBATIONS_MAD_HPP
#define CHAFF_PERTURBATIONS_MAD_HPP

#include <bit>

#include "chaff/perturbations/query_output.hpp"
#include "chaff/perturbations/surrogate.hpp"
#include "chaff/perturbations/surrogate_gradient.hpp"
#include "chaff/policy.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// How far a gradient a is turned from that of the posterior, b: |a/|a| - b/|b||^2, in [0, 4]. A zero has no direction
/// and counts as 0.
template <class Gradient>
double turn(const Gradient& gradient) {
  const double square = gradient.square();
  const double length = gradient.length_of_posterior();
  // below rounding, a difference of equal vectors
  if (!(square > 1e-30) || !(length > 1e-15)) return (square > 1e-30) + (length > 1e-15);
  return 2 - 2 * gradient.with_posterior() / (std::sqrt(square) * length);
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// MAD, maximising angular deviation: it moves the posterior to where it turns the clone's gradient most.
/// Formula: w = (1 - a) p + a v, a = min(1, epsilon / |p - v|_1), v the vertex of the simplex, of the classes that are
/// not masked, that maximises |G'v/|G'v| - G'p/|G'p||^2, G the surrogate's Jacobian. Of equal ones the lowest index.
/// With `keep_argmax` (MAD-argmax), v is a vertex of the part of the simplex where the label is at least as probable as
/// any other class: the even spread over the label and a set of other classes. The best set is found among all
/// 2^(K - 1) up to K = 12; above, it is grown from the label by the class that helps most, until none does.
/// The surrogate is jacobian{...} or last_layer{...}. The defense is bound to a model by chaff::defend.
/// Range: epsilon in [0, 2].
/// Throws: std::invalid_argument for any other value, when bound; at a call, what the surrogate raises.
/// Allocates: at each call, the surrogate's output and what the search needs.
/// Cost: last_layer O(K), jacobian O(K P), besides the surrogate's own; with keep_argmax 2^(K - 1) or K |set| times
/// O(1) or O(P). Source: Orekondy, Schiele & Fritz 2020, "Prediction poisoning: towards defenses against DNN model
/// stealing attacks", ICLR 2020, arXiv 1906.10908. The closed form of the last layer is this library's.
template <class Surrogate>
struct mad {
  Surrogate surrogate;
  double epsilon = 1;
  bool keep_argmax = false;

  static_assert(
      requires(const Surrogate& of) { of.of_query; },
      "chaff: a surrogate of mad is chaff::last_layer{callable} or chaff::jacobian{callable}");
  static constexpr bool needs_query = true;
  static constexpr std::size_t max_enumerated = 12;

  [[gnu::always_inline]] constexpr parameter_error check(const policy&) const {
    return check_ranges(parameter_range{"epsilon", epsilon, 0, 2});
  }

  template <class... Arguments>
  auto bind(Arguments&... query) const {
    using Callable = std::remove_cvref_t<decltype(surrogate.of_query)>;
    return detail::bound_to_query([this, output = detail::query_output<Callable, Arguments...>(
                                             "surrogate", surrogate.of_query, query...)]<class T>(
                                      const row<T>& row, const detail::row_position& position, std::span<T> w) {
      const std::vector<double> p(w.begin(), w.end());
      if constexpr (std::is_same_v<Surrogate, last_layer<Callable>>) {
        std::vector<double> s(p.size());
        output.posterior_of_row(position, std::span<double>(s));
        this->spend(row, p, detail::last_layer_gradient(s, p), w);
      } else {
        static_assert(std::is_same_v<Surrogate, jacobian<Callable>>,
                      "a surrogate is chaff::jacobian{callable} or chaff::last_layer{callable}");
        const auto g = output.of_row(position, [&](std::size_t count) { return count > 0 && count % p.size() == 0; });
        this->spend(row, p, detail::jacobian_gradient(g, p), w);
      }
    });
  }

 private:
  template <class T, class Gradient>
  void spend(const row<T>& row, const std::vector<double>& p, Gradient gradient, std::span<T> w) const {
    std::vector<char> in(p.size());  // the set that v is spread over
    double members = 1;
    if (keep_argmax) {
      std::vector<std::size_t> others;
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (i != row.label && !row.is_masked(i)) others.push_back(i);
      }
      gradient.change(row.label, 1);
      in[row.label] = 1;
      members = p.size() <= max_enumerated ? best_of_all(others, gradient, in) : grow_set(others, gradient, in);
    } else {
      double max_turn = -1;
      std::size_t vertex = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (row.is_masked(i)) continue;
        gradient.change(i, 1);
        if (const double here = detail::turn(gradient); here > max_turn) {
          max_turn = here;
          vertex = i;
        }
        gradient.change(i, -1);
      }
      for (std::size_t i = 0; i < in.size(); ++i) in[i] = i == vertex;
    }
    double distance = 0;
    for (std::size_t i = 0; i < p.size(); ++i) distance += (std::abs)(p[i] - (in[i] ? 1 / members : 0));
    const double a = distance > epsilon ? epsilon / distance : 1;
    for (std::size_t i = 0; i < p.size(); ++i) {
      w[i] = static_cast<T>((1 - a) * p[i] + (in[i] ? a / members : 0));
    }
  }

  /// Walks all subsets in Gray code, one class in or out at a step.
  template <class Gradient>
  static double best_of_all(const std::vector<std::size_t>& others, Gradient& gradient, std::vector<char>& in) {
    double max_turn = detail::turn(gradient);
    std::uint32_t best = 0, members = 0;
    for (std::uint32_t step = 1; step < std::uint32_t{1} << others.size(); ++step) {
      const int flipped = std::countr_zero(step);
      members ^= std::uint32_t{1} << flipped;
      gradient.change(others[static_cast<std::size_t>(flipped)], members >> flipped & 1 ? 1 : -1);
      if (const double here = detail::turn(gradient); here > max_turn) {
        max_turn = here;
        best = members;
      }
    }
    for (std::size_t bit = 0; bit < others.size(); ++bit) in[others[bit]] = best >> bit & 1;
    return 1 + std::popcount(best);
  }

  template <class Gradient>
  static double grow_set(const std::vector<std::size_t>& others, Gradient& gradient, std::vector<char>& in) {
    double max_turn = detail::turn(gradient);
    while (true) {
      std::size_t best = 0;
      bool found = false;
      for (const std::size_t i : others) {
        if (in[i]) continue;
        gradient.change(i, 1);
        if (const double here = detail::turn(gradient); here > max_turn) {
          max_turn = here;
          best = i;
          found = true;
        }
        gradient.change(i, -1);
      }
      if (!found) return gradient.size();
      gradient.change(best, 1);
      in[best] = 1;
    }
  }
};
template <class Surrogate>
mad(Surrogate, double = 1, bool = false) -> mad<Surrogate>;

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
