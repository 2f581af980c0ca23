// SPDX-License-Identifier: MIT
/// MAD, maximising angular deviation: moves the posterior to where it turns a copy's gradient most.
#ifndef CHAFF_PERTURBATIONS_MAD_HPP
#define CHAFF_PERTURBATIONS_MAD_HPP

#include <bit>

#include "chaff/perturbations/surrogate.hpp"

namespace chaff {

/// How far a gradient is turned from that of the posterior: |a/|a| - b/|b||^2, in [0, 4]; a zero has no direction and
/// counts as 0.
template <class Gradient>
double turn(const Gradient& gradient) {
  const double square = gradient.square();
  const double length = gradient.length_of_posterior();
  // below rounding, a difference of equal vectors
  if (!(square > 1e-30) || !(length > 1e-15)) return (square > 1e-30) + (length > 1e-15);
  return 2 - 2 * gradient.with_posterior() / (std::sqrt(square) * length);
}

/// w = (1 - a) p + a v, a = min(1, epsilon / |p - v|_1), v the vertex of the simplex, of those that can occur, that
/// maximises |G'v/|G'v| - G'p/|G'p||^2, G a surrogate's Jacobian: jacobian{...} or last_layer{...}. Of equal ones the
/// lowest index. With `keep_argmax` (MAD-argmax) v is a vertex of the part of the simplex where the label is at least
/// as probable as any other: the even spread over the label and a set of other classes. The best set is found among all
/// 2^(K - 1) up to K = 12; above, it is grown from the label alone by the class that helps most, until none does.
///
/// epsilon in [0, 2]. Raises std::invalid_argument for any other; at each call, what the surrogate raises.
/// Bound to a model by chaff::defend. Cost: last_layer O(K), jacobian O(K P), besides the surrogate's own; with
/// keep_argmax 2^(K - 1) or K |set| times O(1) or O(P). Allocation: at each call.
/// Source: Orekondy, Schiele & Fritz 2020, "Prediction poisoning: towards defenses against DNN model stealing attacks",
/// ICLR 2020, arXiv 1906.10908. The closed form of the last layer is this library's.
template <class Surrogate>
struct mad {
  Surrogate surrogate;
  double epsilon = 1;
  bool keep_argmax = false;

  static constexpr bool needs_query = true;
  static constexpr std::size_t most_enumerated = 12;

  void check(const policy&) const { check_range("epsilon", epsilon, 0, 2); }

  template <class... Arguments>
  auto on(Arguments&... query) const {
    using Callable = std::remove_cvref_t<decltype(surrogate.of_query)>;
    return on_query([this, said = asked<Callable, Arguments...>("surrogate", surrogate.of_query, query...)]<class T>(
                        const row<T>& seen, const place& at, std::span<T> w) {
      const std::vector<double> p(w.begin(), w.end());
      if constexpr (std::is_same_v<Surrogate, last_layer<Callable>>) {
        std::vector<double> s(p.size());
        said.posterior_of(at, std::span<double>(s));
        this->spend(seen, p, last_layer_gradient(s, p), w);
      } else {
        static_assert(std::is_same_v<Surrogate, jacobian<Callable>>,
                      "a surrogate is chaff::jacobian{callable} or chaff::last_layer{callable}");
        const auto g = said.of(at, [&](std::size_t count) { return count > 0 && count % p.size() == 0; });
        this->spend(seen, p, jacobian_gradient(g, p), w);
      }
    });
  }

 private:
  template <class T, class Gradient>
  void spend(const row<T>& seen, const std::vector<double>& p, Gradient gradient, std::span<T> w) const {
    std::vector<char> in(p.size());  // the set that v is spread over
    double members = 1;
    if (keep_argmax) {
      std::vector<std::size_t> others;
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (i != seen.label && seen.possible(i)) others.push_back(i);
      }
      gradient.change(seen.label, 1);
      in[seen.label] = 1;
      members = p.size() <= most_enumerated ? best_of_all(others, gradient, in) : grown(others, gradient, in);
    } else {
      double most = -1;
      std::size_t vertex = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (!seen.possible(i)) continue;
        gradient.change(i, 1);
        if (const double here = turn(gradient); here > most) {
          most = here;
          vertex = i;
        }
        gradient.change(i, -1);
      }
      in[vertex] = 1;
    }
    double distance = 0;
    for (std::size_t i = 0; i < p.size(); ++i) distance += std::abs(p[i] - (in[i] ? 1 / members : 0));
    const double a = distance > epsilon ? epsilon / distance : 1;
    for (std::size_t i = 0; i < p.size(); ++i) {
      w[i] = static_cast<T>((1 - a) * p[i] + (in[i] ? a / members : 0));
    }
  }

  /// Walks all subsets in Gray code, one class in or out at a step.
  template <class Gradient>
  static double best_of_all(const std::vector<std::size_t>& others, Gradient& gradient, std::vector<char>& in) {
    double most = turn(gradient);
    std::uint32_t best = 0, members = 0;
    for (std::uint32_t step = 1; step < std::uint32_t{1} << others.size(); ++step) {
      const int flipped = std::countr_zero(step);
      members ^= std::uint32_t{1} << flipped;
      gradient.change(others[static_cast<std::size_t>(flipped)], members >> flipped & 1 ? 1 : -1);
      if (const double here = turn(gradient); here > most) {
        most = here;
        best = members;
      }
    }
    for (std::size_t bit = 0; bit < others.size(); ++bit) in[others[bit]] = best >> bit & 1;
    return 1 + std::popcount(best);
  }

  template <class Gradient>
  static double grown(const std::vector<std::size_t>& others, Gradient& gradient, std::vector<char>& in) {
    double most = turn(gradient);
    while (true) {
      std::size_t best = 0;
      bool found = false;
      for (const std::size_t i : others) {
        if (in[i]) continue;
        gradient.change(i, 1);
        if (const double here = turn(gradient); here > most) {
          most = here;
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

}  // namespace chaff

#endif
