// SPDX-License-Identifier: MIT
/// Binds a defense to a model: every call returns a defended output.
#ifndef CHAFF_DEFEND_HPP
#define CHAFF_DEFEND_HPP

#include <functional>
#include <utility>
#include <vector>

#include "chaff/apply.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// What a model may return: a contiguous range of float or double, or a container with an adapter.
template <class R>
concept Logits = Adapted<R> || ContiguousRange<std::remove_reference_t<R>>;

/// A model: a callable that takes the arguments and returns logits.
/// Satisfied by functions, lambdas and other function objects, and std::reference_wrapper of them.
template <class Model, class... Arguments>
concept LogitsModel = std::invocable<Model, Arguments...> && Logits<std::invoke_result_t<Model, Arguments...>>;

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Whether rows are answered faster out of place than in place.
template <class T>
[[gnu::always_inline]] inline bool is_faster_apart(std::size_t classes) {
  return classes > stretch_classes<T>;
}

/// Answers what a model returned: a range that owns its values in a range of its own kind, and a view in a std::vector,
/// since the output is never the model's own memory.
template <class Defense, class R>
auto answer_model_output(const Defense& defense, R&& model_output, const policy& policy) {
  using Container = std::remove_cvref_t<R>;
  if constexpr (Adapted<Container>) {
    return adapter<Container>::apply(defense, model_output, policy);
  } else {
    using T = element_of<Container>;
    const std::span<const T> logits = span_of(std::as_const(model_output));
    const std::size_t classes = policy.classes == 0 ? logits.size() : policy.classes;
    if constexpr (OwningRange<Container>) {
      const bool is_apart = is_faster_apart<T>(classes);
      Container output = is_apart ? std::as_const(model_output) : std::forward<R>(model_output);
      const std::span<T> probabilities(std::data(output), static_cast<std::size_t>(std::size(output)));
      apply_rows<Defense, T>(defense, is_apart ? logits : probabilities, classes, probabilities, policy);
      return output;
    } else {
      std::vector<T> output(logits.size());
      apply_rows<Defense, T>(defense, logits, classes, output, policy);
      return output;
    }
  }
}

/// The reductions of a defense behind another defense.
template <class Bound, class Defense>
const Bound& reduce_like(const Bound& bound, const Defense&) {
  return bound;
}
template <class Bound, class Defense, class R>
auto reduce_like(const Bound& bound, const reduced<Defense, R>& defense) {
  return reduced{reduce_like(bound, defense.defense), defense.reduction};
}

/// Answers what a model returned for a query. `arguments` are those of the model where the defense needs them; they are
/// not forwarded, since the decoy or surrogate may be called with them afterwards.
template <class Defense, class R, class... Arguments>
auto answer_query(const Defense& defense, R&& model_output, const policy& policy, Arguments&... arguments) {
  if constexpr (needs_query<Defense>) {
    const auto& parts = parts_of(defense);  // the parts outlive what is bound to them
    const gated bound{parts.gate, parts.perturbation.bind(arguments...)};
    return answer_model_output(reduce_like(bound, defense), std::forward<R>(model_output), policy);
  } else {
    return answer_model_output(defense, std::forward<R>(model_output), policy);
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A model and its defense: what defend() returns. Called with the model's arguments, it returns the output in the kind
/// of container that the model returns logits in. Its const call needs a model with a const call; many threads may
/// share one if the model allows it. It is copied and moved as the model is.
template <class Model, class Defense>
class defended {
 public:
  template <class M>
  defended(M&& model, Defense defense, const policy& policy)
      : model_(std::forward<M>(model)), defense_(std::move(defense)), policy_(policy) {
    check(defense_, policy_);
  }

  template <class... Arguments>
  requires std::invocable<Model&, Arguments...>
  auto operator()(Arguments&&... arguments) { return answer(model_, std::forward<Arguments>(arguments)...); }

  template <class... Arguments>
  requires std::invocable<const Model&, Arguments...>
  auto operator()(Arguments&&... arguments) const { return answer(model_, std::forward<Arguments>(arguments)...); }

  template <class... Arguments>
  requires(std::invocable<Model&, Arguments...> && !std::invocable<const Model&, Arguments...>) CHAFF_REFUSED(
      "chaff: the model has no const call, so a const defended model cannot call it: leave const out "
      "where defend's result is kept, or make the call of the model const")
  operator()(Arguments&&...) const;

 private:
  template <class M, class... Arguments>
  auto answer(M& model, Arguments&&... arguments) const {
    static_assert(
        Logits<std::invoke_result_t<M&, Arguments...>>,
        "chaff: the model must return logits: std::vector, std::array or another contiguous range of float or "
        "double, an Eigen vector or matrix (chaff/adapters/eigen.hpp), a cv::Mat (chaff/adapters/opencv.hpp), a tensor "
        "(chaff/adapters/torch.hpp), or another container with a chaff::adapter");
    if constexpr (!Logits<std::invoke_result_t<M&, Arguments...>>) {
      return;
    } else if constexpr (detail::needs_query<Defense>) {
      return detail::answer_query(defense_, std::invoke(model, arguments...), policy_, arguments...);
    } else {
      return detail::answer_model_output(defense_, std::invoke(model, std::forward<Arguments>(arguments)...), policy_);
    }
  }

  Model model_;
  Defense defense_;
  policy policy_;
};

/// Binds a defense to a model: any callable that returns logits. The model is copied or moved in; std::ref keeps it
/// outside. A flat range is one row, unless policy.classes says how many classes a row has.
/// A defense that needs the query (decoy, adaptive_misinformation, mad, gradient_redirection) is given the model's
/// arguments where the gate of some row is open; they reach the model, and then the defense, as lvalues.
/// Throws: std::invalid_argument for a parameter out of its range, here; the errors of apply, at each call.
template <class Model, class Defense>
[[nodiscard("chaff: call what defend returns")]] auto defend(Model&& model, Defense defense, policy policy = {}) {
  if constexpr (detail::check_bound_defense<Defense, std::decay_t<Model>>()) {
    return defended<std::decay_t<Model>, Defense>(std::forward<Model>(model), std::move(defense), policy);
  }
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
