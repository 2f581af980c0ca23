// SPDX-License-Identifier: MIT
/// Binds a defense and a monitor to a model: accounts that are flagged are answered in another way, or not at all.
#ifndef CHAFF_ACCOUNTS_MONITORED_HPP
#define CHAFF_ACCOUNTS_MONITORED_HPP

#include <concepts>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "chaff/accounts/watched_defense.hpp"

CHAFF_BEGIN

namespace chaff {

/// Takes the place of a defense for flagged accounts: each of their calls raises account_flagged.
struct refuse {};

}  // namespace chaff

namespace chaff::inline CHAFF_ABI {

/// The account is flagged, and the query is refused.
/// A unit that is compiled for other instruction sets than the one that calls the model catches std::runtime_error.
class account_flagged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Raises the refusal of a flagged account.
[[noreturn, gnu::cold, gnu::noinline]] inline void fail_flagged() {
  fail<account_flagged>("chaff: the account is flagged: its queries are unlike those of benign users");
}

/// A defense for flagged accounts, rather than a refusal or a callable.
template <class F>
concept FlaggedDefense = Defense<F, float> || Defense<F, double> || needs_query<F>;

template <class M>
inline constexpr bool is_gate_monitor = false;
template <class G>
inline constexpr bool is_gate_monitor<gate_monitor<G>> = true;

/// Whether a monitor can watch a defense; where it cannot, a sentence says why.
template <class Monitor, class Normal>
consteval bool check_monitor() {
  if constexpr (is_gate_monitor<Monitor>) {
    return true;
  } else if constexpr (!std::same_as<Monitor, query_monitor>) {
    static_assert(is_never<Monitor>,
                  "chaff: the monitor is a chaff::query_monitor, or a chaff::gate_monitor from calibrate_monitor");
    return false;
  } else {
    static_assert(AnyScoredGate<gate_of<Normal>>,
                  "chaff: the gate of the normal defense has no score, so a query_monitor has nothing to watch: pass "
                  "the result of calibrate_monitor, or chaff::gate_monitor{gate, monitor}");
    return AnyScoredGate<gate_of<Normal>>;
  }
}

/// Whether a callable can answer flagged accounts; where it cannot, a sentence says why.
template <class F, class Output, class... Arguments>
consteval bool check_flagged_callable() {
  if constexpr (!std::invocable<const F&, Arguments...>) {
    static_assert(is_never<F>,
                  "chaff: flagged accounts get a defense, chaff::refuse{}, or a callable that takes the model's "
                  "arguments, by value or const reference, and is const when it is called");
    return false;
  } else {
    using Returned = std::invoke_result_t<const F&, Arguments...>;
    constexpr bool is_output = std::is_void_v<Returned> || std::convertible_to<Returned, Output>;
    static_assert(is_output,
                  "chaff: the callable for flagged accounts returns what the defended model would: the output, in the "
                  "container that the model's logits are answered in; or it returns nothing");
    return is_output;
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// A model with a defense for benign accounts and another treatment of flagged ones: what monitored() returns. Called
/// with an account's evidence and the model's arguments, it returns the output in the kind of container that the model
/// returns logits in. Its const call needs a model with a const call; many threads may share one if the model allows
/// it, each with the evidence of another account. It is copied and moved as the model is.
template <class Model, class Normal, class Flagged, class Monitor>
class monitored_model {
 public:
  template <class M>
  monitored_model(M&& model, Normal normal_defense, Flagged flagged, Monitor monitor, const policy& policy,
                  const chaff::policy& flagged_policy)
      : model_(std::forward<M>(model)),
        normal_defense_(std::move(normal_defense)),
        flagged_(std::move(flagged)),
        monitor_(std::move(monitor)),
        policy_(policy),
        flagged_policy_(flagged_policy) {
    flagged_policy_.input = policy.input;
    flagged_policy_.classes = policy.classes;
    check(normal_defense_, policy_);
    if constexpr (detail::FlaggedDefense<Flagged>) check(flagged_, flagged_policy_);
    if constexpr (detail::is_gate_monitor<Monitor>) detail::check_scored_gate(monitor_.gate, policy_);
  }

  template <class... Arguments>
  requires std::invocable<Model&, Arguments...>
  auto operator()(double& evidence, Arguments&&... arguments) {
    return answer(model_, evidence, std::forward<Arguments>(arguments)...);
  }

  template <class... Arguments>
  requires std::invocable<const Model&, Arguments...>
  auto operator()(double& evidence, Arguments&&... arguments) const {
    return answer(model_, evidence, std::forward<Arguments>(arguments)...);
  }

  template <class Evidence, class... Arguments>
  requires(!std::same_as<Evidence, double&>) CHAFF_REFUSED(
      "chaff: the first argument of a monitored model is the account's evidence, a double that is not const and has a "
      "name: 0 at first, and kept from call to call")
  operator()(Evidence&&, Arguments&&...) const;

  /// The monitor, such as for its threshold.
  const query_monitor& monitor() const {
    if constexpr (detail::is_gate_monitor<Monitor>) {
      return monitor_.monitor;
    } else {
      return monitor_;
    }
  }

 private:
  static constexpr bool is_flagged_callable = !std::same_as<Flagged, refuse> && !detail::FlaggedDefense<Flagged>;
  /// Whether the model's arguments are used again after the model was called with them.
  static constexpr bool reuses_arguments =
      is_flagged_callable || detail::needs_query<Normal> || detail::needs_query<Flagged>;

  template <class M, class... Arguments>
  auto answer(M& model, double& evidence, Arguments&&... arguments) const {
    using Returned = std::invoke_result_t<M&, Arguments...>;
    static_assert(
        Logits<Returned>,
        "chaff: the model must return logits: std::vector, std::array or another contiguous range of float or "
        "double, or a container with an adapter, such as an Eigen matrix with chaff/adapters/eigen.hpp");
    if constexpr (Logits<Returned>) {
      using Output = decltype(answer_normally(std::declval<detail::account_watch&>(), std::declval<const Returned&>(),
                                              arguments...));
      const bool was_flagged = monitor().is_flagged(evidence);
      if constexpr (!detail::FlaggedDefense<Flagged>) {
        if (was_flagged) return answer_flagged<Output>(0, arguments...);
      }
      const auto query_model = [&]() -> decltype(auto) {
        if constexpr (reuses_arguments) {
          return std::invoke(model, arguments...);
        } else {
          return std::invoke(model, std::forward<Arguments>(arguments)...);
        }
      };
      auto&& returned = query_model();
      const auto& logits = evaluate(returned);
      if (was_flagged) return answer_flagged<Output>(logits, arguments...);
      detail::account_watch watch{monitor(), evidence};
      Output output = answer_normally(watch, logits, arguments...);
      evidence = watch.evidence;
      if (!watch.is_flagged()) return output;
      Output replacement = answer_flagged<Output>(logits, arguments...);
      if (watch.first_flagged == 0) return replacement;
      return detail::join_rows(std::move(output), replacement, watch.first_flagged, watch.rows, logits, policy_);
    }
  }

  template <class R, class... Arguments>
  auto answer_normally(detail::account_watch& watch, const R& logits, Arguments&... arguments) const {
    if constexpr (detail::is_gate_monitor<Monitor>) {
      return detail::answer_watched(normal_defense_, monitor_.gate, watch, logits, policy_, arguments...);
    } else {
      const auto& parts = detail::parts_of(normal_defense_);
      return detail::answer_watched(normal_defense_, parts.gate, watch, logits, policy_, arguments...);
    }
  }

  /// What a flagged account gets for all rows of a call. `logits` are read by a defense alone.
  template <class Output, class R, class... Arguments>
  Output answer_flagged(const R& logits, Arguments&... arguments) const {
    if constexpr (detail::FlaggedDefense<Flagged>) {
      return detail::answer_query(flagged_, logits, flagged_policy_, arguments...);
    } else if constexpr (std::same_as<Flagged, refuse>) {
      detail::fail_flagged();
    } else if constexpr (detail::check_flagged_callable<Flagged, Output, Arguments&...>()) {
      if constexpr (!std::is_void_v<std::invoke_result_t<const Flagged&, Arguments&...>>) {
        return std::invoke(flagged_, arguments...);
      } else {
        std::invoke(flagged_, arguments...);
        detail::fail_flagged();
      }
    } else {
      detail::fail_flagged();  // the compiler has said what is wrong
    }
  }

  /// Logits that are in memory: an expression of Eigen is evaluated once.
  template <class R>
  static decltype(auto) evaluate(const R& returned) {
    if constexpr (detail::EigenLike<R> && requires { returned.eval(); }) {
      return returned.eval();
    } else {
      return (returned);
    }
  }

  Model model_;
  Normal normal_defense_;
  Flagged flagged_;
  Monitor monitor_;
  policy policy_;
  policy flagged_policy_;
};

/// Binds a defense and a monitor to a model. The result is called with the evidence of the account that queries, and
/// then the model's arguments: `served(evidence, image)`. The evidence is a double of the caller's, 0 for a new
/// account; the call adds the score of each row to it, in order. Rows before the one that flags the account get
/// normal_defense. That row, all after it, and all later calls with this evidence get what `flagged` is:
///   another defense, under flagged_policy, such as misdirect, or label_only after any defense;
///   chaff::refuse{}, which raises account_flagged, for a whole batch if one of its rows flags;
///   or a callable of yours, which is called with the model's arguments, as lvalues. It returns the output for all rows
///   of the call, as another defended model does. It may throw an error of its own; if it returns void,
///   account_flagged is raised.
/// The score is that of the monitor's gate, for a gate_monitor, which calibrate_monitor returns; and that of
/// normal_defense's gate for a query_monitor. Without a flagged_policy, both defenses are under policy; its input and
/// classes, which say what the model returns, are policy's in any case.
/// The same evidence and rows give the same evidence and bits, in any batches. An account that is refused costs no
/// call of the model.
/// Concurrency: a call reads and writes the evidence; calls for one account must not overlap. Where they may, take
/// gate_scores of the logits and call query_monitor::update under the lock of the account's store.
/// Throws: here, std::invalid_argument for a parameter out of its range, and for a gate that cannot serve the policy.
/// At each call: std::invalid_argument for evidence that is negative, infinite or NaN; std::domain_error for a score
/// that is NaN; the errors of apply, and those of the model and of the user's parts; account_flagged. Nothing is
/// returned then. The evidence is as before the call if the model, a row, a score or normal_defense was at fault, and
/// counts all rows of the call if flagged accounts are refused, or their treatment was at fault.
/// Without exceptions all errors, account_flagged included, go to the failure handler, in the same states.
/// Allocates: what defend does, and a copy of the model's output; twice that where an account is flagged amid a batch.
/// Cost: for each row, the score and a binary search among the benign scores.
template <class Model, class Normal, class Flagged, class Monitor>
[[nodiscard("chaff: call what monitored returns")]] auto monitored(Model&& model, Normal normal_defense,
                                                                   Flagged flagged, Monitor monitor,
                                                                   const policy& policy,
                                                                   const chaff::policy& flagged_policy) {
  if constexpr (detail::check_bound_defense<Normal, std::decay_t<Model>>() &&
                detail::check_monitor<Monitor, Normal>()) {
    return monitored_model<std::decay_t<Model>, Normal, Flagged, Monitor>(std::forward<Model>(model),
                                                                          std::move(normal_defense), std::move(flagged),
                                                                          std::move(monitor), policy, flagged_policy);
  }
}

/// Binds a monitor with one policy for both defenses: see the call with two policies.
template <class Model, class Normal, class Flagged, class Monitor>
[[nodiscard("chaff: call what monitored returns")]] auto monitored(Model&& model, Normal normal_defense,
                                                                   Flagged flagged, Monitor monitor,
                                                                   const policy& policy = {}) {
  return monitored(std::forward<Model>(model), std::move(normal_defense), std::move(flagged), std::move(monitor),
                   policy, policy);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
