// SPDX-License-Identifier: MIT
/// Defenses and policies that are chosen at run time, by text such as dcp(beta=1.2) | top_k(k=5).
#ifndef CHAFF_ANY_DEFENSE_HPP
#define CHAFF_ANY_DEFENSE_HPP

#include "chaff/text/any_part.hpp"
#include "chaff/text/parts.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// A defense of any type that is known at run time. It is used like any other defense: apply, apply_rows, defend, check
/// and | take it, and its outputs have the bits of the defense that it was made of.
/// A copy shares the parts with its original. They do not change, so many threads may use and copy one. What it was
/// moved from is as before.
/// Allocates: where it is made and where a reduction is added; apply allocates nothing.
/// Cost: an indirect call or two more for each call of apply, whatever the number of classes.
class any_defense {
 public:
  /// The largest number of reductions; | throws std::invalid_argument for one more.
  static constexpr std::size_t max_reductions = detail::max_any_reductions;

  /// Holds a defense that answers rows of float and of double, with its reductions. Parameters are checked as those of
  /// the defense itself: where it is bound to a model, and at apply.
  template <class D>
  requires(!std::same_as<D, any_defense> && Defense<D, float> && Defense<D, double>) any_defense(D defense)
      : any_defense(state_of_all(std::move(defense))) {}

  any_defense(const any_defense&) = default;
  any_defense& operator=(const any_defense&) = default;

  /// Appends a reduction. Throws: std::invalid_argument for more than max_reductions.
  template <class R>
  requires(Reduction<R, float>&& Reduction<R, double>) friend any_defense operator|(const any_defense& defense,
                                                                                    R reduction) {
    detail::any_defense_state state = *defense.state_;
    detail::add_reduction(state, std::move(reduction));
    return any_defense(std::move(state));
  }

  /// What is wrong with a parameter of the gate or of the perturbation, under a policy.
  [[gnu::always_inline]] parameter_error check(const policy& policy) const { return state_->check(policy); }

  /// The gate and the perturbation.
  [[gnu::always_inline]] gated<detail::any_gate, detail::any_perturbation> parts() const {
    return {{state_.get()}, {state_.get()}};
  }

  /// Calls visit(reduction) for each reduction, from left to right.
  template <class Visit>
  [[gnu::always_inline]] void for_each_reduction(const Visit& visit) const {
    for (const detail::any_reduction& each : state_->reductions) visit(each);
  }

  /// The canonical text of the defense, as to_string returns it.
  std::string text() const { return state_->text(); }

  /// What the pipeline calls if there are no reductions, and null otherwise.
  template <class T>
  [[gnu::always_inline]] const detail::defense_call<T>* whole_call() const {
    return state_->reductions.empty() ? &state_->of<T>() : nullptr;
  }

  /// Holds the parts that parse_defense read.
  explicit any_defense(detail::any_defense_state state)
      : state_(std::make_shared<const detail::any_defense_state>(std::move(state))) {}

 private:
  template <class D>
  static detail::any_defense_state state_of_all(D defense) {
    if constexpr (std::same_as<D, any_defense>) {
      return *defense.state_;
    } else {
      return detail::state_of(std::move(defense));
    }
  }
  template <class D, class R>
  static detail::any_defense_state state_of_all(reduced<D, R> defense) {
    detail::any_defense_state state = state_of_all(std::move(defense.defense));
    detail::add_reduction(state, std::move(defense.reduction));
    return state;
  }

  std::shared_ptr<const detail::any_defense_state> state_;
};

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Reads a part of one of the types in a list, checks it, and calls use(part).
/// `role` is what the list holds, for messages.
template <class... Parts, class Use>
void read_part(scanner& text, part_list<Parts...> list, const char* role, Use use) {
  const word name = text.take_word();
  const auto read_as = [&]<class Part>(std::type_identity<Part>) {
    if (description<Part>::name != name.text) return false;
    parameter_positions<Part> positions;
    const Part part = read_parameters<Part>(text, positions);
    // what a policy may forbid is checked where the policy is known
    raise_at(text, check_part(part, policy{.keep_label = false}), name.position, positions);
    use(part);
    return true;
  };
  if ((read_as(std::type_identity<Parts>{}) || ...)) return;
  if (const char* why = why_not_in_text(name.text)) text.fail_at(name.position, std::string(name.text) + why);
  text.fail_reading(name.position, role + list.names());
}

/// A part from text, and what points into it.
template <class... Parts, class Use>
std::shared_ptr<const any_part> read_owned_part(scanner& text, part_list<Parts...> list, const char* role, Use use) {
  std::shared_ptr<const any_part> result;
  read_part(text, list, role, [&]<class Part>(const Part& part) {
    const auto owner = std::make_shared<const part_of_type<Part>>(part);
    use(owner->part);
    result = owner;
  });
  return result;
}

/// Reads (gate, perturbation), which follow the word gated. A template costs no compile time where it is not called.
template <class Scanner>
any_defense_state read_gated(Scanner& text) {
  any_defense_state state;
  text.expect('(', "'(': gated(gate, perturbation)");
  state.owner = read_owned_part(text, text_gates{}, "a gate: ", [&](const auto& part) {
    state.of_float.gate = gate_call_of<float>(part);
    state.of_double.gate = gate_call_of<double>(part);
  });
  text.expect(',', "',', and then a perturbation");
  state.perturbation = read_owned_part(text, text_perturbations{}, "a perturbation: ", [&]<class P>(const P& part) {
    state.of_float.perturbation = perturbation_call_of<float, P>(part);
    state.of_double.perturbation = perturbation_call_of<double, P>(part);
  });
  text.expect(')', "')'");
  return state;
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// The defense that a text describes:
///     dcp(beta=1.2, gamma=0.2) | top_k(k=5)
///     gated(energy_gate(tau=4.7), misdirect(key=000102030405060708090a0b0c0d0e0f))
/// A defense is none, dcp, energy_dcp, a perturbation (reverse_sigmoid, random_vertex, modelguard_w, misdirect), or
/// gated with a gate (always, confidence_gate, energy_gate) and a perturbation. Up to max_reductions reductions follow,
/// each after a |: top_k, rounded, label_only, high_confidence, gaussian_noise. Names and parameters are those of the
/// C++ structs. What is left out has the struct's default; where all is, the parentheses may be left out, too. Numbers
/// are decimal, whatever the program's locale; a key is 32 hexadecimal digits. Blanks and ends of lines may stand
/// between words. Throws: std::invalid_argument, which names the position, counted from 0, what was read there and what
/// is allowed: for an unknown name, a parameter that is given twice or out of its range, and anything left over. It
/// shows no key. What depends on the policy, such as a label that misdirect may not keep, is checked by apply and
/// defend. It is a function of a std::string_view; as a template, it costs no compile time where it is not called.
template <class Text = std::string_view>
[[nodiscard]] any_defense parse_defense(std::type_identity_t<Text> text) {
  detail::scanner rest(text, "defense");
  detail::any_defense_state state;
  if (rest.take_word_if("gated")) {
    state = detail::read_gated(rest);
  } else {
    detail::read_part(rest, detail::text_defenses{}, "a defense: gated, ",
                      [&](const auto& defense) { state = detail::state_of(defense); });
  }
  while (rest.take('|')) {
    const std::size_t position = rest.position();
    if (state.reductions.size() == any_defense::max_reductions) {
      rest.fail_at(position, "one reduction too many, allowed are 16");
    }
    detail::read_part(rest, detail::text_reductions{},
                      "a reduction: ", [&](const auto& reduction) { detail::add_reduction(state, reduction); });
  }
  if (!rest.is_at_end()) rest.fail_reading(rest.position(), "'|', or the end of the text");
  return any_defense(std::move(state));
}

/// The canonical text of a defense: parse_defense makes the same defense of it. Every parameter that is set is in it,
/// so that it means the same whatever the defaults are; of an unset tau there is nothing.
/// The text holds the keys of its parts: treat it as you treat them.
/// Throws: std::invalid_argument for a defense with a part that is not the library's, since text has no name for it, or
/// with a codebook, whose table text does not hold.
[[nodiscard]] inline std::string to_string(const any_defense& defense) {
  return defense.text();
}

/// The policy that a text describes: label_margin=0.011, max_l1=0.5, or the same in policy(...). An empty text is the
/// default policy. The rules and errors are those of parse_defense.
template <class Text = std::string_view>
[[nodiscard]] policy parse_policy(std::type_identity_t<Text> text) {
  detail::scanner rest(text, "policy");
  detail::parameter_positions<policy> positions;
  policy result;
  if (rest.take_word_if("policy")) {
    result = detail::read_parameters<policy>(rest, positions);
  } else if (!rest.is_at_end()) {
    detail::read_list(rest, result, positions);
  }
  if (!rest.is_at_end()) rest.fail_reading(rest.position(), "',', or the end of the text");
  detail::raise_at(rest, detail::check_policy(result), 0, positions);
  return result;
}

/// The canonical text of a policy, with every parameter: parse_policy makes the same policy of it.
[[nodiscard]] inline std::string to_string(const policy& policy) {
  return detail::text_of(policy);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
