// SPDX-License-Identifier: MIT
/// The way of one row, from what the model returned to its answer.
#ifndef CHAFF_PIPELINE_ANSWER_ROW_HPP
#define CHAFF_PIPELINE_ANSWER_ROW_HPP

#include <algorithm>
#include <cmath>
#include <tuple>

#include "chaff/concepts.hpp"
#include "chaff/posterior/label_lead.hpp"
#include "chaff/posterior/softmax.hpp"

/// Marks a function of which there is one copy for all callers: neither inlined nor specialised, so that a row's bits
/// do not depend on how it was called.
#if __has_cpp_attribute(gnu::noipa)
#define CHAFF_ONE_COPY [[gnu::noipa]]
#else
#define CHAFF_ONE_COPY [[gnu::noinline]]
#endif

namespace chaff {

/// One row on its way: its facts, and its blocks as often as they are needed. Until the answer is written, `answer`
/// holds nothing or, where `kept_e`, each class's e.
template <class T>
struct passage {
  const row<T>& seen;
  T* answer;
  bool kept_e;
  T scale;         // p = e scale
  T log_mass = 0;  // log p = log e - log_mass

  template <class Count>
  [[gnu::always_inline]] block<T> at(std::size_t first, Count count, lanes<T>& value) const {
    value = load<T>(seen.values.data() + first, count, seen.impossible());
    const lanes<T> e = kept_e ? load<T>(answer + first, count, T(0)) : seen.e(value);
    return {first, count, e * scale, seen.log_e(value) - log_mass};
  }

  /// -1 in the label's lane of the block that begins at `first`.
  [[gnu::always_inline]] mask<T> is_label(std::size_t first) const {
    using I = bits_of<T>;
    return iota<I>(0) == static_cast<I>(seen.label - first);
  }
};

/// Turns an answer of probabilities into one of their logarithms, in place, with the label strictly first if it is
/// kept.
template <class T>
inline void take_logarithms(std::span<T> answer, std::size_t label, bool keep_label) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const auto log_at = [&](std::size_t i) { return log_nonnegative<T>(broadcast(answer[i]))[0]; };
  // close probabilities may have one logarithm: there the others step down
  const T label_log = log_at(label);
  const T highest = keep_label ? std::nextafter(label_log, -infinity) : infinity;
  for_each_block<T>(answer.size(), [&](std::size_t first, auto count) {
    store<T>(answer.data() + first,
             least<T>(log_nonnegative<T>(load<T>(answer.data() + first, count, T(0))), broadcast(highest)), count);
  });
  answer[label] = label_log;
}

/// The posterior as the answer: one pass.
template <class T>
[[gnu::always_inline]] inline void answer_posterior(const passage<T>& way, const policy& promised) {
  const row<T>& seen = way.seen;
  const T label_p = static_cast<T>(seen.confidence());
  const T highest = promised.keep_label ? label_p * label_cap<T> : std::numeric_limits<T>::infinity();
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
    lanes<T> e;
    if (way.kept_e) {
      e = load<T>(way.answer + first, count, T(0));
    } else {
      e = seen.e(load<T>(seen.values.data() + first, count, seen.impossible()));
    }
    store<T>(way.answer + first, least<T>(e * way.scale, broadcast(highest)), count);
  });
  way.answer[seen.label] = label_p;
}

/// The logarithm of the posterior as the answer, from the logits: precise where the posterior itself underflows.
template <class T>
[[gnu::always_inline]] inline void answer_log_posterior(const passage<T>& way, const policy& promised) {
  const row<T>& seen = way.seen;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T label_log = static_cast<T>(std::log(seen.confidence()));
  const T log_mass = static_cast<T>(std::log(seen.mass()));
  const T highest = promised.keep_label ? std::nextafter(label_log, -infinity) : infinity;
  const T top = seen.label_value;
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
    const lanes<T> value = load<T>(seen.values.data() + first, count, top);
    // a difference past the range of T is a class that can still occur
    const lanes<T> log_p = most<T>(value - top - log_mass, broadcast(std::numeric_limits<T>::lowest()));
    const lanes<T> capped = least<T>(log_p, broadcast(highest));
    store<T>(way.answer + first, select<T>(value == -infinity, value, capped), count);
  });
  way.answer[seen.label] = label_log;
}

/// Weights under the label cap, normalised: w once for each class, then a scale.
template <class T, class Weight>
[[gnu::always_inline]] inline void answer_weights(const passage<T>& way, const policy& promised, T label_weight,
                                                  Weight weight) {
  const row<T>& seen = way.seen;
  const T cap = promised.keep_label ? label_weight * label_cap<T> : std::numeric_limits<T>::infinity();
  const std::size_t label_block = seen.label / lanes_of<T>;
  row_sum<T> others;
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
    lanes<T> w = least<T>(weight(first, count), broadcast(cap));
    if (first / lanes_of<T> == label_block) w = select<T>(way.is_label(first), lanes<T>{}, w);
    others.add(w);
    store<T>(way.answer + first, w, count);
  });
  double mass = others.total() + static_cast<double>(label_weight);
  if (!(mass > 0)) {
    label_weight = 1;
    mass = 1;
  }
  const T scale = static_cast<T>(1 / mass);
  way.answer[seen.label] = label_weight;
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
    store<T>(way.answer + first, load<T>(way.answer + first, count, T(0)) * scale, count);
  });
}

/// Weights under a wider margin, an L1 budget, or both. y is the normalised weights, q the posterior, each levelled to
/// the margin; the answer is q + t (y - q) with the largest t in [0, 1] that keeps within the budget. q is the nearest
/// row to the posterior that has the margin, so where the two disagree the answer moves no further than it must.
/// Nothing is stored before the last pass, so each pass weighs the row anew.
template <class T, class Weight>
[[gnu::always_inline]] inline void answer_within_bounds(const passage<T>& way, const policy& promised, T label_weight,
                                                        Weight weight) {
  const row<T>& seen = way.seen;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T cap = promised.keep_label ? label_weight * label_cap<T> : infinity;
  const T label_p = static_cast<T>(seen.confidence());

  // visit(p, w, first, count) for each block, the label's lane of both 0
  T scale = 1;
  const auto for_others = [&](auto visit) {
    for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
      lanes<T> value;
      const block<T> here = way.at(first, count, value);
      const mask<T> left_out = way.is_label(first) | (value == seen.impossible());
      const lanes<T> w = least<T>(weight(first, count), broadcast(cap)) * scale;
      visit(select<T>(left_out, lanes<T>{}, here.p), select<T>(left_out, lanes<T>{}, w), first, count);
    });
  };

  row_sum<T> others;
  for_others([&](lanes<T>, lanes<T> w, std::size_t, auto) { others.add(w); });
  double mass = others.total() + static_cast<double>(label_weight);
  if (!(mass > 0)) {
    label_weight = 1;
    mass = 1;
  }
  scale = static_cast<T>(1 / mass);

  levelled<T> y{infinity, label_weight * scale};
  levelled<T> q{infinity, label_p};
  if (promised.label_margin > 0) {
    const double margin = margin_to_hold<T>(promised.label_margin);
    y = level_for<T>(static_cast<double>(y.label), margin,
                     [&](auto visit) { for_others([&](lanes<T>, lanes<T> w, std::size_t, auto) { visit(w); }); });
    q = level_for<T>(static_cast<double>(q.label), margin,
                     [&](auto visit) { for_others([&](lanes<T> p, lanes<T>, std::size_t, auto) { visit(p); }); });
  }

  row_sum<T> from_p_to_q;
  row_sum<T> from_q_to_y;
  const auto distance = [](lanes<T> a, lanes<T> b) { return a > b ? a - b : b - a; };
  for_others([&](lanes<T> p, lanes<T> w, std::size_t, auto) {
    const lanes<T> from = least<T>(p, broadcast(q.level));
    from_p_to_q.add(distance(p, from));
    from_q_to_y.add(distance(least<T>(w, broadcast(y.level)), from));
  });
  const double needed = from_p_to_q.total() + std::abs(static_cast<double>(q.label) - static_cast<double>(label_p));
  const double offered = from_q_to_y.total() + std::abs(static_cast<double>(y.label) - static_cast<double>(q.label));
  // a little less than allowed, so that the rounded answer keeps within it
  const double left =
      std::max(0.0, promised.max_l1 - 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) - needed);
  const T t = offered > left ? static_cast<T>(left / offered) : T(1);

  const T label_answer = q.label + t * (y.label - q.label);
  const T highest = promised.keep_label ? label_answer * label_cap<T> : infinity;
  for_others([&](lanes<T> p, lanes<T> w, std::size_t first, auto count) {
    const lanes<T> from = least<T>(p, broadcast(q.level));
    const lanes<T> to = least<T>(w, broadcast(y.level));
    store<T>(way.answer + first, least<T>(from + t * (to - from), broadcast(highest)), count);
  });
  way.answer[seen.label] = label_answer;
}

/// The reductions of a defense, each told of the row that it is to reduce the answer of.
template <class T, class... Reductions>
auto reductions_of_row(const std::tuple<Reductions...>& reductions, const row<T>& seen) {
  return std::apply(
      [&](const auto&... parts) { return std::tuple<decltype(of_row(parts, seen))...>{of_row(parts, seen)...}; },
      reductions);
}

/// What came of a row.
struct outcome {
  fault why;
  std::size_t label;
};

/// Answers one row of K >= 2 classes. `values` and `answer` have one size and are the same memory or apart.
/// A gate that is closed to within an epsilon of T lets the posterior go straight on. The reductions come last, on
/// probabilities, and keep the model's label; where the policy does not, the answer's own.
template <class T, class G, class P, class... Reductions>
CHAFF_ONE_COPY outcome answer_row(const G& gate, const P& perturbation, const std::tuple<Reductions...>& reductions,
                                  const policy& promised, std::span<const T> values, std::span<T> answer) {
  constexpr bool reduced = sizeof...(Reductions) > 0;
  row<T> seen{};
  const bool kept_e = answer.data() != values.data() && promised.input != form::probabilities;
  if (const fault why = observe<T>(values, promised.input, kept_e ? answer.data() : nullptr, seen);
      why != fault::none) {
    return {why, 0};
  }
  passage<T> way{seen, answer.data(), kept_e, static_cast<T>(1 / seen.mass())};
  const bool bounded = promised.label_margin > 0 || promised.max_l1 < 2;
  const bool as_logarithms = promised.answer != form::probabilities;
  // now, since an answer in place overwrites the row
  [[maybe_unused]] const auto prepared = reductions_of_row(reductions, seen);

  double openness = static_cast<double>(gate(seen));
  if (!(openness <= 1)) openness = 1;  // a gate of a user's own that fails, fails on the defended side
  if (openness <= static_cast<double>(std::numeric_limits<T>::epsilon())) {
    if (promised.label_margin > 0) {
      answer_within_bounds<T>(way, promised, static_cast<T>(seen.confidence()), [&](std::size_t first, auto count) {
        lanes<T> value;
        return way.at(first, count, value).p;
      });
    } else if (!reduced && as_logarithms && promised.input != form::probabilities) {
      answer_log_posterior(way, promised);
      return {fault::none, seen.label};
    } else {
      answer_posterior(way, promised);
    }
  } else {
    way.log_mass = static_cast<T>(std::log(seen.mass()));
    const T alpha = static_cast<T>(openness);
    const auto weights = perturbation.weights(seen);
    const auto weight = [&](std::size_t first, auto count) {
      lanes<T> value;
      const block<T> here = way.at(first, count, value);
      const lanes<T> w = here.p + alpha * (weights(here) - here.p);
      return select<T>(value == seen.impossible(), lanes<T>{}, most<T>(w, lanes<T>{}));
    };
    double label_weight = seen.confidence() + openness * (static_cast<double>(weights.label) - seen.confidence());
    label_weight = std::max(label_weight, promised.keep_label ? least_label_weight : 0);
    if (bounded) {
      answer_within_bounds<T>(way, promised, static_cast<T>(label_weight), weight);
    } else {
      answer_weights<T>(way, promised, static_cast<T>(label_weight), weight);
    }
  }
  if constexpr (reduced) {
    const kept_label kept{promised.keep_label ? seen.label : find_argmax(answer.data(), answer.size()).index,
                          promised.label_margin};
    std::apply([&](const auto&... parts) { (parts(answer, kept), ...); }, prepared);
  }
  if (as_logarithms) take_logarithms<T>(answer, seen.label, promised.keep_label);
  return {fault::none, seen.label};
}

/// Answers a row of one class, a single sigmoid logit z: as the two classes of the logits {z, 0}, of which the first is
/// answered. At exactly 1/2 there is no label to keep ahead, and the answer is 1/2 unless a reduction decides.
template <class T, class G, class P, class... Reductions>
outcome answer_sigmoid(const G& gate, const P& perturbation, const std::tuple<Reductions...>& reductions,
                       const policy& promised, T value, T& answer) {
  T pair[2] = {value, T(0)};
  if (value != value) return {fault::nan, 0};
  if (value == std::numeric_limits<T>::infinity()) return {fault::infinite, 0};
  if (value == -std::numeric_limits<T>::infinity()) return {fault::empty, 0};
  if (promised.input == form::probabilities) {
    if (!(value >= 0 && value <= 1)) return {fault::not_a_distribution, 0};
    pair[1] = 1 - value;
  } else if (promised.input == form::log_probabilities) {
    if (value > 0) return {fault::not_a_distribution, 0};
    pair[1] = std::log(-std::expm1(value));
  }
  const bool undecided =
      sizeof...(Reductions) == 0 && pair[0] == pair[1] && promised.keep_label && !(promised.label_margin > 0);
  policy of_pair = promised;
  of_pair.answer = form::probabilities;
  T both[2];
  const outcome came =
      answer_row<T>(gate, perturbation, reductions, of_pair, std::span<const T>(pair), std::span<T>(both));
  if (came.why != fault::none) return came;
  if (undecided) {
    both[0] = T(0.5);
  } else if (promised.keep_label) {
    // a lead too small for T still shows on which side of 1/2 the logit was
    both[0] = came.label == 0 ? std::max(both[0], std::nextafter(T(0.5), T(1)))
                              : std::min(both[0], std::nextafter(T(0.5), T(0)));
  }
  both[1] = T(1) - both[0];
  answer = promised.answer == form::probabilities       ? both[0]
           : promised.answer == form::log_probabilities ? std::log(both[0])
                                                        : std::log(both[0]) - std::log(both[1]);
  return came;
}

}  // namespace chaff

#endif
