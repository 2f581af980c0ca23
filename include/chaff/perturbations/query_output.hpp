// SPDX-License-Identifier: MIT
/// What a decoy or a surrogate returns for a query, and the weights that are made of it.
#ifndef CHAFF_PERTURBATIONS_QUERY_OUTPUT_HPP
#define CHAFF_PERTURBATIONS_QUERY_OUTPUT_HPP

#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "chaff/adapter.hpp"
#include "chaff/perturbations/query.hpp"
#include "chaff/posterior/softmax.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// What a callable returns for a query. It is called once for a call of the model, when a row first needs it; so where
/// every gate is closed, it is not called at all. It may return what a model may: an adapted container, or a contiguous
/// range, of float or double.
template <class Callable, class... Arguments>
class query_output {
 public:
  query_output(const char* name, const Callable& callable, Arguments&... query)
      : name_(name), callable_(callable), query_(query...) {
    static_assert(std::invocable<const Callable&, Arguments&...>,
                  "a decoy, surrogate or gradient takes the model's own arguments, by value or const reference, and is "
                  "const when it is called; std::ref makes any callable so");
  }

  /// What it returned for one row: numbers for which `fits(count)` holds.
  /// Throws: std::invalid_argument for any other number of them.
  template <class Fits>
  std::span<const double> of_row(const row_position& position, Fits fits) const {
    if (!values_) {
      values_.emplace();
      std::apply([&](Arguments&... query) { copy(std::invoke(callable_, query...)); }, query_);
    }
    const std::size_t each = values_->size() / position.rows;
    if (each * position.rows != values_->size() || !fits(each)) {
      fail<std::invalid_argument>("chaff: the %s returned %zu numbers for %zu rows of %zu classes", name_,
                                  values_->size(), position.rows, position.classes);
    }
    return std::span<const double>(*values_).subspan(position.row * each, each);
  }

  /// The posterior p of the logits that it returned for one row; of a single sigmoid logit, the two outcomes.
  /// Throws: std::invalid_argument where their number is not that of the classes; std::domain_error for NaN, +inf, or a
  /// row of only -inf.
  template <class T>
  void posterior_of_row(const row_position& position, std::span<T> p) const {
    const std::span<const double> z = of_row(position, [&](std::size_t count) { return count == position.classes; });
    bool is_valid = false;
    for (const double value : z) is_valid |= value > -std::numeric_limits<double>::infinity();
    for (const double value : z) is_valid &= value < std::numeric_limits<double>::infinity();
    if (!is_valid) {
      fail<std::domain_error>("chaff: row %zu of the %s has NaN or +inf, or is only -inf", position.row, name_);
    }
    for (std::size_t i = 0; i < z.size(); ++i) p[i] = static_cast<T>(z[i]);
    if (position.classes == 1) p[1] = 0;
    softmax<T>(p, p);
  }

 private:
  template <class R>
  void copy(const R& returned) const {
    if constexpr (Adapted<R>) {
      adapter<R>::copy(returned, *values_);
    } else {
      values_->assign(std::data(returned), std::data(returned) + std::size(returned));
    }
  }

  const char* name_;
  const Callable& callable_;
  std::tuple<Arguments&...> query_;
  mutable std::optional<std::vector<double>> values_;
};

/// The weights of a row's classes, computed all at once.
template <class T>
struct stored_weights {
  T label;
  std::vector<T> w;  ///< whole blocks

  [[gnu::always_inline]] simd::vec<T> operator()(const block<T>& block) const {
    return simd::load<T>(w.data() + block.first);
  }
};

/// A perturbation that is bound to a query. `weigh(row, position, w)` turns w, which holds the posterior of a row, into
/// its weights.
/// Allocates: the weights of a row, where its gate is open.
template <class Weigh>
class bound_to_query {
 public:
  explicit bound_to_query(Weigh weigh) : weigh_(std::move(weigh)) {}

  struct at_row {
    const Weigh& weigh;
    row_position position;

    template <class T>
    stored_weights<T> weights(const row<T>& row) const {
      std::vector<T> w((row.classes() + simd::width<T> - 1) / simd::width<T> * simd::width<T>);
      const std::span<T> classes(w.data(), row.classes());
      for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = row.posterior(i);
      weigh(row, position, classes);
      return {w[row.label], std::move(w)};
    }
  };

  at_row at(const row_position& position) const { return {weigh_, position}; }

 private:
  Weigh weigh_;
};
template <class Weigh>
bound_to_query(Weigh) -> bound_to_query<Weigh>;

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
