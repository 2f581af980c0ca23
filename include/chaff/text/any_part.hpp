// SPDX-License-Identifier: MIT
/// Parts of a defense whose types are known at run time only: what the pipeline calls, and the part's text.
#ifndef CHAFF_TEXT_ANY_PART_HPP
#define CHAFF_TEXT_ANY_PART_HPP

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chaff/apply.hpp"
#include "chaff/text/parameters.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

/// A gate and a perturbation as text.
template <Described G, Described P>
std::string text_of(const gated<G, P>& defense) {
  return "gated(" + text_of(defense.gate) + ", " + text_of(defense.perturbation) + ")";
}

/// A part of any type, or a whole defense. Nothing changes it once it is made.
class any_part {
 public:
  any_part() = default;
  any_part(const any_part&) = delete;
  any_part& operator=(const any_part&) = delete;
  virtual ~any_part() = default;

  /// Whether check finds nothing wrong, which is all that apply has to know in most calls.
  virtual bool accepts(const policy& policy) const = 0;
  virtual parameter_error check(const policy& policy) const = 0;
  /// Throws: std::invalid_argument for a part that is not of the library, for which text has no name, and a codebook.
  virtual std::string text() const = 0;
};

template <class Part>
std::string text_of_any(const Part& part) {
  if constexpr (requires { text_of(part); }) {
    return text_of(part);
  } else {
    fail<std::invalid_argument>(
        "chaff: this defense has no text: a part of it is not the library's, or is a codebook, whose table text does "
        "not hold");
  }
}

/// A gate, a perturbation or a reduction.
template <class Part>
struct part_of_type final : any_part {
  Part part;

  explicit part_of_type(Part given) : part(std::move(given)) {}
  bool accepts(const policy& policy) const override { return !check_part(part, policy); }
  parameter_error check(const policy& policy) const override { return check_part(part, policy); }
  std::string text() const override { return text_of_any(part); }
};

/// A defense without reductions.
template <class Defense>
struct defense_of_type final : any_part {
  Defense defense;
  /// A defense of the library makes its parts; a gated and a bare perturbation are referred to where they are.
  decltype(parts_of(std::declval<const Defense&>())) parts;

  explicit defense_of_type(Defense given)
      : defense(std::move(given)), parts(parts_of(static_cast<const Defense&>(defense))) {}
  bool accepts(const policy& policy) const override { return !find_error(defense, policy); }
  parameter_error check(const policy& policy) const override { return find_error(defense, policy); }
  std::string text() const override { return text_of_any(defense); }
};

/// A reduction, and who owns it.
struct any_reduction {
  std::shared_ptr<const any_part> owner;
  const void* reduction;
  void (*set_float)(const void* reduction, reduction_call<float>& call);
  void (*set_double)(const void* reduction, reduction_call<double>& call);

  [[gnu::always_inline]] parameter_error check(const policy& policy) const {
    if (owner->accepts(policy)) [[likely]]
      return {};
    return owner->check(policy);
  }
  void set_call(reduction_call<float>& call) const { set_float(reduction, call); }
  void set_call(reduction_call<double>& call) const { set_double(reduction, call); }
};

template <class R>
any_reduction reduction_of_any(R reduction) {
  const auto owner = std::make_shared<const part_of_type<R>>(std::move(reduction));
  const auto set = []<class T>(const void* own, reduction_call<T>& call) {
    set_reduction_call(*static_cast<const R*>(own), call);
  };
  return {owner, &owner->part, set, set};
}

/// The largest number of reductions of an any_defense: what they prepare for a row lies on the stack.
inline constexpr std::size_t max_any_reductions = 16;

/// All of a defense whose type is known at run time only.
struct any_defense_state {
  std::shared_ptr<const any_part> owner;         ///< of the whole defense, or of the gate
  std::shared_ptr<const any_part> perturbation;  ///< null where the owner has it
  defense_call<float> of_float;                  ///< what the pipeline calls, without the reductions
  defense_call<double> of_double;
  std::vector<any_reduction> reductions;

  [[gnu::always_inline]] parameter_error check(const policy& policy) const {
    if (owner->accepts(policy) && (perturbation == nullptr || perturbation->accepts(policy))) [[likely]]
      return {};
    const parameter_error error = owner->check(policy);
    return error || perturbation == nullptr ? error : perturbation->check(policy);
  }
  std::string text() const {
    std::string all = owner->text();
    if (perturbation != nullptr) all = "gated(" + all + ", " + perturbation->text() + ")";
    for (const any_reduction& each : reductions) all += " | " + each.owner->text();
    return all;
  }

  template <class T>
  [[gnu::always_inline]] const defense_call<T>& of() const {
    if constexpr (std::is_same_v<T, float>) {
      return of_float;
    } else {
      return of_double;
    }
  }
};

template <class R>
void add_reduction(any_defense_state& state, R reduction) {
  if (state.reductions.size() == max_any_reductions) {
    fail<std::invalid_argument>("chaff: a defense of any type has at most %zu reductions", max_any_reductions);
  }
  state.reductions.push_back(reduction_of_any(std::move(reduction)));
}

template <class G, class P>
any_defense_state state_of(std::shared_ptr<const any_part> owner, const G& gate, const P& perturbation) {
  return {std::move(owner),
          nullptr,
          {gate_call_of<float>(gate), perturbation_call_of<float, P>(perturbation), {}},
          {gate_call_of<double>(gate), perturbation_call_of<double, P>(perturbation), {}},
          {}};
}

template <class Defense>
any_defense_state state_of(Defense defense) {
  const auto owner = std::make_shared<const defense_of_type<Defense>>(std::move(defense));
  return state_of(owner, owner->parts.gate, owner->parts.perturbation);
}

/// A gate that is known at run time only, as the pipeline takes it.
struct any_gate {
  const any_defense_state* state;

  template <class T>
  [[gnu::always_inline]] const gate_call<T>& call() const {
    return state->of<T>().gate;
  }
  template <class T>
  double operator()(const row<T>& row) const {
    return call<T>().evaluate(call<T>().gate, row);
  }
};

/// A perturbation that is known at run time only, as the pipeline takes it.
struct any_perturbation {
  const any_defense_state* state;

  template <class T>
  [[gnu::always_inline]] const perturbation_call<T>& call() const {
    return state->of<T>().perturbation;
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
