// SPDX-License-Identifier: MIT
/// How a perturbation that needs the query itself comes by it: the model's own arguments, through defend.
#ifndef CHAFF_PERTURBATIONS_QUERY_HPP
#define CHAFF_PERTURBATIONS_QUERY_HPP

#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "chaff/posterior/softmax.hpp"

namespace chaff {

/// Where a row stands in what the model returned: `rows` rows of `classes` classes.
struct place {
  std::size_t row;
  std::size_t rows;
  std::size_t classes;

  /// The number of outcomes that the row is about: a single sigmoid logit is about two, "yes" first.
  std::size_t outcomes() const { return classes == 1 ? 2 : classes; }
};

/// A perturbation that needs the query: `on(arguments...)` returns what it becomes there, an on_query.
/// Satisfied by decoy, mad and gradient_redirection. chaff::apply, which sees logits alone, refuses them.
template <class P>
concept query_perturbation = requires {
  requires P::needs_query;
};

/// What a callable says of a query: asked when it is first needed, and once for a call of the model, so that where
/// every gate is closed it is not asked at all. It may return what a model may: an Eigen vector or matrix, or a
/// contiguous range, of float or double.
template <class Callable, class... Arguments>
class asked {
 public:
  asked(const char* name, const Callable& callable, Arguments&... query)
      : name_(name), callable_(callable), query_(query...) {
    static_assert(std::invocable<const Callable&, Arguments&...>,
                  "a decoy, surrogate or gradient takes the model's own arguments, by value or const reference, and is "
                  "const when it is called; std::ref makes any callable so");
  }

  /// What it said of one row: numbers of which `fits(count)` holds.
  /// Raises std::invalid_argument for any other number of them.
  template <class Fits>
  std::span<const double> of(const place& at, Fits fits) const {
    if (!said_) {
      said_.emplace();
      std::apply([&](Arguments&... query) { keep(std::invoke(callable_, query...)); }, query_);
    }
    const std::size_t each = said_->size() / at.rows;
    if (each * at.rows != said_->size() || !fits(each)) {
      fail<std::invalid_argument>("chaff: the %s returned %zu numbers for %zu rows of %zu classes", name_,
                                  said_->size(), at.rows, at.classes);
    }
    return std::span<const double>(*said_).subspan(at.row * each, each);
  }

  /// The posterior p of the logits that it said of one row, of a single sigmoid logit the two outcomes.
  /// Raises std::invalid_argument where their number is not that of the classes, std::domain_error for NaN, +inf, or
  /// -inf alone.
  template <class T>
  void posterior_of(const place& at, std::span<T> p) const {
    const std::span<const double> z = of(at, [&](std::size_t count) { return count == at.classes; });
    bool good = false;
    for (const double value : z) good |= value > -std::numeric_limits<double>::infinity();
    for (const double value : z) good &= value < std::numeric_limits<double>::infinity();
    if (!good) fail<std::domain_error>("chaff: the %s's row %zu has NaN or +inf, or is -inf alone", name_, at.row);
    for (std::size_t i = 0; i < z.size(); ++i) p[i] = static_cast<T>(z[i]);
    if (at.classes == 1) p[1] = 0;
    softmax<T>(p, p);
  }

 private:
  /// Copies it, row by row whatever the storage order.
  template <class R>
  void keep(const R& returned) const {
    if constexpr (requires { returned.derived().eval(); }) {
      const auto& values = returned.derived().eval();
      said_->reserve(static_cast<std::size_t>(values.size()));
      for (decltype(values.rows()) i = 0; i < values.rows(); ++i) {
        for (decltype(values.cols()) j = 0; j < values.cols(); ++j) {
          said_->push_back(static_cast<double>(values.coeff(i, j)));
        }
      }
    } else {
      said_->assign(std::data(returned), std::data(returned) + std::size(returned));
    }
  }

  const char* name_;
  const Callable& callable_;
  std::tuple<Arguments&...> query_;
  mutable std::optional<std::vector<double>> said_;
};

/// The weights of a row's classes, worked out all at once.
template <class T>
struct stored_weights {
  T label;
  std::vector<T> w;  ///< whole blocks

  [[gnu::always_inline]] lanes<T> operator()(const block<T>& at) const { return load<T>(w.data() + at.first); }
};

/// Any part on its query, of one row, known by a call alone: all of them then share the code of a row's way.
template <class T>
struct any_on_row {
  static constexpr bool is_dear = true;

  const void* part;
  stored_weights<T> (*weigh)(const void* part, const row<T>& seen);

  stored_weights<T> weights(const row<T>& seen) const { return weigh(part, seen); }
};

/// A perturbation on its query: at(place) is the perturbation of one row. Weigh is called with a row, its place and
/// its posterior, and turns that into weights, in place.
/// Allocation: a row's weights, where the gate is open.
template <class Weigh>
class on_query {
 public:
  explicit on_query(Weigh weigh) : weigh_(std::move(weigh)) {}

  struct of_row {
    const Weigh& weigh;
    place at;

    template <class T>
    stored_weights<T> weights(const row<T>& seen) const {
      std::vector<T> w((seen.classes() + lanes_of<T> - 1) / lanes_of<T> * lanes_of<T>);
      const std::span<T> classes(w.data(), seen.classes());
      seen.posterior(classes);
      weigh(seen, at, classes);
      return {w[seen.label], std::move(w)};
    }

    /// The same, to be used while this lives.
    template <class T>
    any_on_row<T> known_by_call() const {
      return {this, [](const void* part, const row<T>& seen) {
                return static_cast<const of_row*>(part)->template weights<T>(seen);
              }};
    }
  };

  of_row at(const place& where) const { return {weigh_, where}; }

 private:
  Weigh weigh_;
};

}  // namespace chaff

#endif
