// SPDX-License-Identifier: MIT
/// Sentences at compile time: what is wrong with the arguments of a call, and what to write instead.
#ifndef CHAFF_MISUSE_HPP
#define CHAFF_MISUSE_HPP

#include "chaff/adapter.hpp"
#include "chaff/defenses/defense.hpp"

CHAFF_BEGIN

namespace chaff::detail::inline CHAFF_ABI {

template <class...>
inline constexpr bool is_never = false;

/// Whether each reduction of a defense takes outputs of float, or each takes those of double.
template <class Defense>
inline constexpr bool has_any_reductions = reduces<Defense, float> || reduces<Defense, double>;

/// The sentence for what is no defense. T is the type of the logits' elements, and names nothing that is at fault.
template <class D, class T>
consteval bool refuse_no_defense() {
  using P = perturbation_of<D>;
  if constexpr (AnyGate<D>) {
    static_assert(is_never<T>,
                  "chaff: a gate alone is no defense: write chaff::gated{gate, perturbation}, such as "
                  "chaff::gated{gate, chaff::reverse_sigmoid{}}");
  } else if constexpr (AnyReduction<D>) {
    static_assert(is_never<T>,
                  "chaff: a reduction alone is no defense: write defense | reduction, such as chaff::dcp{} | "
                  "chaff::top_k{}, or chaff::none{} | reduction");
  } else if constexpr (!AnyGate<gate_of<D>>) {
    static_assert(is_never<T>,
                  "chaff: the gate of a defense must take a chaff::row of the logits' type, not a number, and return "
                  "a number: write [](const auto& row) { return row.confidence() < 0.9 ? 1.0 : 0.0; }, for example");
  } else if constexpr (!Gate<gate_of<D>, T>) {
    static_assert(is_never<T>,
                  "chaff: the gate takes rows of another element type than the logits: let it take a const auto& row");
  } else if constexpr (Perturbation<P, float> || Perturbation<P, double>) {
    static_assert(is_never<T>,
                  "chaff: the perturbation takes rows of another element type than the logits: make weights a "
                  "template of the row's element type");
  } else if constexpr (requires(const P& p, const row<T>& row) { p.weights(row); }) {
    static_assert(is_never<T>,
                  "chaff: weights(row) of a perturbation must not return a std::vector or another range: return an "
                  "object with a member `label`, the label's weight, and a call that takes a chaff::block<T> and "
                  "returns a chaff::simd::vec<T>");
  } else {
    static_assert(is_never<T>,
                  "chaff: this is no defense: pass chaff::dcp, a perturbation, or chaff::gated{gate, perturbation}");
  }
  return false;
}

template <class D, class T>
consteval bool refuse_reduction() {
  if constexpr (has_any_reductions<D>) {
    static_assert(is_never<T>,
                  "chaff: a reduction takes outputs of another element type than the logits: let its call take "
                  "(auto output, chaff::kept_label kept)");
  } else {
    static_assert(is_never<T>,
                  "chaff: the call of a reduction must take a std::span of float or double and a chaff::kept_label");
  }
  return false;
}

/// Whether a type is a defense, with or without a need of the query. No callable is called to find out.
template <class D>
inline constexpr bool is_defense = chaff::Defense<D, float> || chaff::Defense<D, double> ||
                                   (AnyGate<gate_of<D>> && needs_query<D>);

template <class R>
concept AnyPointer = std::is_pointer_v<std::remove_cvref_t<R>>;
/// A range of any element type, without gaps.
template <class R>
concept AnyContiguous = requires(R& range) {
  typename element_of<R>;
  std::size(range);
};

/// Whether what stands in the place of the defense is a container, as logits and outputs are; then a sentence says so.
template <class D>
consteval bool has_defense_first() {
  constexpr bool is_container = (AnyPointer<D> || AnyContiguous<const D> || EigenLike<D> || Adapted<D>)&&!is_defense<D>;
  static_assert(!is_container,
                "chaff: the defense comes first: call chaff::apply(defense, logits, output), or "
                "chaff::apply_rows(defense, logits, classes, output)");
  return !is_container;
}

/// Whether bare logits of T may be answered with a defense; where they may not, a sentence says why.
template <class D, class T>
consteval bool check_defense() {
  if constexpr (!std::same_as<T, float> && !std::same_as<T, double>) {
    static_assert(is_never<T>,
                  "chaff: logits are rows of float or of double: convert others first, such as with "
                  "std::vector<float>(logits.begin(), logits.end())");
    return false;
  } else if constexpr (chaff::Defense<D, T>) {
    return true;
  } else if constexpr (Gate<gate_of<D>, T> && needs_query<D>) {
    static_assert(is_never<T>,
                  "chaff: the defense needs the query itself, which bare logits do not tell (decoy, "
                  "adaptive_misinformation, mad, gradient_redirection): call chaff::defend(model, defense), and then "
                  "what it returns with the query");
    return false;
  } else if constexpr (!reduces<D, T>) {
    return refuse_reduction<D, T>();
  } else if constexpr (has_defense_first<D>()) {
    return refuse_no_defense<D, T>();
  } else {
    return false;
  }
}

/// Whether a defense may be bound to a model; where it may not, a sentence says why.
template <class D, class Model>
consteval bool check_bound_defense() {
  if constexpr (chaff::Defense<D, float> || chaff::Defense<D, double>) {
    return true;
  } else if constexpr (!has_any_reductions<D>) {
    return refuse_reduction<D, float>();
  } else if constexpr (AnyGate<gate_of<D>> && needs_query<D>) {
    return true;
  } else if constexpr (is_defense<Model>) {
    static_assert(is_never<D>,
                  "chaff: the model comes first: call chaff::defend(model, defense), or chaff::monitored(model, "
                  "normal_defense, flagged, monitor)");
    return false;
  } else {
    return refuse_no_defense<D, float>();
  }
}

template <class R>
concept PolicyLike = std::is_convertible_v<R, policy>;
template <class R>
concept EigenOrPolicy = EigenLike<R> || PolicyLike<R>;

/// Whether an argument of type R&& owns values that nobody sees after the call.
template <class R>
concept LostRange = !std::is_reference_v<R> && OwningRange<R>;

/// Logits and an output that are contiguous ranges of one element type, and the output stays and may be written.
template <class Logits, class Output>
concept AnswerableRanges = ContiguousRange<const Logits> && WritableRange<Output> && !LostRange<Output> &&
                           std::same_as<element_of<const Logits>, element_of<Output>>;

/// Says why logits and an output cannot be answered, where they are no AnswerableRanges and not Eigen's.
template <class Defense, class Logits, class Output>
consteval void refuse_ranges() {
  using T = std::remove_cvref_t<Output>;
  if constexpr (!has_defense_first<Defense>()) {
    return;
  } else if constexpr (AnyPointer<Logits> || AnyPointer<Output>) {
    static_assert(is_never<T>,
                  "chaff: a pointer does not tell how many values it points to: pass std::span(pointer, size) in place "
                  "of it, for logits and output alike");
  } else if constexpr (Adapted<Logits> || Adapted<Output>) {
    static_assert(is_never<T>,
                  "chaff: logits in a container with an adapter are answered as a new container: write "
                  "output = chaff::apply(defense, logits)");
  } else if constexpr (!AnyContiguous<const Logits>) {
    static_assert(is_never<T>,
                  "chaff: the logits are not in memory without gaps: pass a std::vector, std::array, std::span or "
                  "another contiguous range of float or double");
  } else if constexpr (!ContiguousRange<const Logits>) {
    static_assert(is_never<T>,
                  "chaff: logits are rows of float or of double: convert integers and halves first, such as with "
                  "std::vector<float>(logits.begin(), logits.end())");
  } else if constexpr (!AnyContiguous<Output>) {
    static_assert(is_never<T>,
                  "chaff: the output is not in memory without gaps: pass a std::vector, std::array, std::span or "
                  "another contiguous range of the logits' element type");
  } else if constexpr (!std::same_as<element_of<const Logits>, element_of<Output>>) {
    static_assert(is_never<T>,
                  "chaff: the output has another element type than the logits: give it that of the logits");
  } else if constexpr (!WritableRange<Output>) {
    static_assert(is_never<T>,
                  "chaff: the output is const and cannot be written: pass a range whose values are not const");
  } else {
    static_assert(is_never<T>,
                  "chaff: the output is a temporary, which ends with the call: pass a range with a name, or a "
                  "std::span of its memory");
  }
}

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

// Calls that chaff::apply and chaff::apply_rows have no answer for, each with a sentence.

template <class Defense, class Logits, class Output>
requires(!detail::AnswerableRanges<Logits, Output> && !detail::EigenLike<Logits> &&
         !detail::EigenOrPolicy<Output>) void apply(const Defense&, const Logits&, Output&&, const policy& = {}) {
  detail::refuse_ranges<Defense, Logits, Output>();
}

template <class Defense, class Logits, class Classes, class Output>
requires(!(detail::AnswerableRanges<Logits, Output> &&
           std::is_convertible_v<Classes, std::size_t>)&&!detail::EigenLike<Logits> &&
         !detail::EigenOrPolicy<Output>) void apply_rows(const Defense&, const Logits&, const Classes&, Output&&,
                                                         const policy& = {}) {
  if constexpr (!detail::has_defense_first<Defense>()) {
    return;
  } else if constexpr (!std::is_convertible_v<Classes, std::size_t> && !detail::AnyPointer<Classes>) {
    static_assert(detail::is_never<Classes>,
                  "chaff: the number of classes of a row stands between logits and output: call "
                  "chaff::apply_rows(defense, logits, classes, output)");
  } else {
    detail::refuse_ranges<Defense, std::conditional_t<detail::AnyPointer<Classes>, Classes, Logits>, Output>();
  }
}

template <class Defense, class Logits>
requires(!Adapted<Logits> && !detail::EigenLike<Logits>) void apply(const Defense&, const Logits&, const policy& = {}) {
  if constexpr (detail::has_defense_first<Defense>()) {
    static_assert(detail::is_never<Logits>,
                  "chaff: there is no output for the answer: call chaff::apply(defense, logits, output)");
  }
}

template <class Defense, class Logits, class Output>
requires(!detail::EigenLike<Logits> && !detail::EigenOrPolicy<Output>) void apply_rows(const Defense&, const Logits&,
                                                                                       Output&&, const policy& = {}) {
  if constexpr (detail::has_defense_first<Defense>()) {
    static_assert(detail::is_never<Logits>,
                  "chaff: rows need the number of their classes: call chaff::apply_rows(defense, logits, classes, "
                  "output)");
  }
}

/// Pointers with sizes: (logits, size, output) or (logits, output, size), and with a size for each.
template <class Defense, class A, class B, class C>
requires(!detail::PolicyLike<C> && (detail::AnyPointer<A> || detail::AnyPointer<B> ||
                                    detail::AnyPointer<C>)) void apply(const Defense&, const A&, const B&, const C&,
                                                                       const policy& = {}) {
  detail::refuse_ranges<Defense, A*, A*>();
}
template <class Defense, class A, class B, class C, class D>
requires(!detail::PolicyLike<D> && (detail::AnyPointer<A> || detail::AnyPointer<B> ||
                                    detail::AnyPointer<C>)) void apply(const Defense&, const A&, const B&, const C&,
                                                                       const D&, const policy& = {}) {
  detail::refuse_ranges<Defense, A*, A*>();
}
template <class Defense, class A, class B, class C, class D>
requires(!detail::PolicyLike<D> && (detail::AnyPointer<A> || detail::AnyPointer<B> ||
                                    detail::AnyPointer<C>)) void apply_rows(const Defense&, const A&, const B&,
                                                                            const C&, const D&, const policy& = {}) {
  detail::refuse_ranges<Defense, A*, A*>();
}
template <class Defense, class A, class B, class C, class D, class E>
requires(!detail::PolicyLike<E> && (detail::AnyPointer<A> || detail::AnyPointer<B> ||
                                    detail::AnyPointer<C>)) void apply_rows(const Defense&, const A&, const B&,
                                                                            const C&, const D&, const E&,
                                                                            const policy& = {}) {
  detail::refuse_ranges<Defense, A*, A*>();
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
