// SPDX-License-Identifier: MIT
/// Wraps a model: whoever calls it gets defended answers.
#ifndef CHAFF_DEFEND_HPP
#define CHAFF_DEFEND_HPP

#include <functional>
#include <utility>
#include <vector>

#include "chaff/defenses/reduced.hpp"
#include "chaff/eigen.hpp"

namespace chaff {

/// What a model may return: an Eigen vector or matrix, or a contiguous range, of float or double.
template <class R>
concept logits = eigen_values<R> || contiguous_values<std::remove_reference_t<R>>;

/// A callable that takes the arguments and returns logits.
/// Satisfied by functions, lambdas and other function objects, and std::reference_wrapper of them.
template <class Model, class... Arguments>
concept logits_model = std::invocable<Model, Arguments...> && logits<std::invoke_result_t<Model, Arguments...>>;

/// A range that owns its values: constness reaches them. A view's does not.
template <class R>
concept owning_values = contiguous_values<R> && requires(R& range, const R& constant) {
  { std::data(range) } -> std::same_as<value_of<R>*>;
  { std::data(constant) } -> std::same_as<const value_of<R>*>;
};

/// Answers what a model returned: Eigen in Eigen, a range that owns its values in a range of its own kind, and a view
/// in a std::vector, since an answer is never the model's own memory.
template <class Defense, class R>
auto answer_to(const Defense& used, R&& returned, const policy& promised) {
  using Returned = std::remove_cvref_t<R>;
  if constexpr (eigen_values<Returned>) {
    return apply(used, returned, promised);
  } else if constexpr (owning_values<Returned>) {
    if (better_apart<value_of<Returned>>(static_cast<std::size_t>(std::size(returned)))) {
      Returned answer = std::as_const(returned);
      apply(used, std::as_const(returned), answer, promised);
      return answer;
    }
    Returned answer = std::forward<R>(returned);
    apply(used, answer, answer, promised);
    return answer;
  } else {
    std::vector<value_of<Returned>> answer(static_cast<std::size_t>(std::size(returned)));
    apply(used, returned, answer, promised);
    return answer;
  }
}

/// A defense whose perturbation needs the query, behind any gate and before any reductions.
template <class Defense>
inline constexpr bool needs_query = query_perturbation<Defense>;
template <class G, class P>
inline constexpr bool needs_query<gated<G, P>> = query_perturbation<P>;
template <class Defense, class... Reductions>
inline constexpr bool needs_query<reduced<Defense, Reductions...>> = needs_query<Defense>;

/// The same defense on a query, given by the model's arguments, which the caller keeps for as long.
template <class Defense, class... Arguments>
auto on_query_of(const Defense& used, Arguments&... query) {
  return reduced{gated{parts_of(used).gate, parts_of(used).perturbation.on(query...)}, reductions_of(used)};
}

/// A model and its defense. Called with the model's arguments, it returns the answer in the kind of container that the
/// model returns logits in. Its const call needs a model with a const call; many threads may share one if the model
/// allows it. It is copied and moved as the model is.
template <class Model, class Defense>
class defended {
 public:
  template <class M>
  defended(M&& model, Defense used, const policy& promised)
      : model_(std::forward<M>(model)), used_(std::move(used)), promised_(promised) {
    check(used_, promised_);
  }

  template <class... Arguments>
  requires std::invocable<Model&, Arguments...>
  auto operator()(Arguments&&... arguments) { return answer(model_, std::forward<Arguments>(arguments)...); }

  template <class... Arguments>
  requires std::invocable<const Model&, Arguments...>
  auto operator()(Arguments&&... arguments) const { return answer(model_, std::forward<Arguments>(arguments)...); }

 private:
  template <class M, class... Arguments>
  auto answer(M& model, Arguments&&... arguments) const {
    static_assert(logits<std::invoke_result_t<M&, Arguments...>>,
                  "the model must return logits: an Eigen vector or matrix, std::vector, std::array, or another "
                  "contiguous range, of float or double");
    if constexpr (needs_query<Defense>) {
      // not forwarded: the decoy or surrogate may be asked the same afterwards
      const auto on_query = on_query_of(used_, arguments...);
      return answer_to(on_query, std::invoke(model, arguments...), promised_);
    } else {
      return answer_to(used_, std::invoke(model, std::forward<Arguments>(arguments)...), promised_);
    }
  }

  Model model_;
  Defense used_;
  policy promised_;
};

/// Binds a defense to a model: any callable that returns logits. The model is copied or moved in; std::ref keeps it
/// outside. A defense that needs the query (decoy, adaptive_misinformation, mad, gradient_redirection) is given the
/// model's arguments where the gate of some row is open; they reach the model, and then it, as lvalues.
/// Errors: std::invalid_argument for a parameter out of range, here; the errors of apply, at each call.
template <class Model, class Defense>
auto defend(Model&& model, Defense used, policy promised = {}) {
  static_assert(
      needs_query<Defense> || defense<Defense, float> || defense<Defense, double>,
      "the second argument is no defense: pass chaff::dcp, a perturbation, or chaff::gated{gate, perturbation}");
  return defended<std::decay_t<Model>, Defense>(std::forward<Model>(model), std::move(used), promised);
}

}  // namespace chaff

#endif
