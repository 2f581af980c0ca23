// SPDX-License-Identifier: MIT
/// The way of one row, from what the model returned to its answer.
#ifndef CHAFF_PIPELINE_ANSWER_ROW_HPP
#define CHAFF_PIPELINE_ANSWER_ROW_HPP

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "chaff/concepts.hpp"
#include "chaff/pipeline/passage.hpp"
#include "chaff/posterior/label_lead.hpp"

namespace chaff {

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
template <class T, held e_is>
[[gnu::always_inline]] inline void answer_posterior(const passage<T, e_is>& way, const policy& promised) {
  const row<T>& seen = way.seen;
  const T label_p = static_cast<T>(seen.confidence());
  const T highest = promised.keep_label ? label_p * label_cap<T> : std::numeric_limits<T>::infinity();
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) CHAFF_INLINED {
    store<T>(way.answer + first, least<T>(way.e(first, count) * way.scale, broadcast(highest)), count);
  });
  way.answer[seen.label] = label_p;
}

/// The logarithm of the posterior as the answer, from the logits: precise where the posterior itself underflows.
template <class T>
void answer_log_posterior(const row<T>& seen, T* answer, const policy& promised) {
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
    store<T>(answer + first, select<T>(value == -infinity, value, capped), count);
  });
  answer[seen.label] = label_log;
}

/// What weights are to be divided by; a row without any becomes the label's alone.
template <class T>
[[gnu::always_inline]] inline double mass_of_weights(double others, T& label_weight) {
  const double mass = others + static_cast<double>(label_weight);
  if (mass > 0) return mass;
  label_weight = 1;
  return 1;
}

/// The same where the gate is open and 1 where it is closed, told apart without a branch; near 1 the difference is
/// exact.
template <class T, held e_is>
[[gnu::always_inline]] inline double divisor_of(const passage<T, e_is>& way, double mass) {
  return mass + way.closed * (1 - mass);
}

/// Weights under the label cap, normalised: w once for each class, then a scale.
/// before, if any, is called before each stretch of a sum_over.
template <class T, held e_is, class Weight, class... Before>
[[gnu::always_inline]] inline void answer_weights(const passage<T, e_is>& way, const policy& promised, T label_weight,
                                                  Weight weight, Before... before) {
  const row<T>& seen = way.seen;
  const T cap = promised.keep_label ? label_weight * label_cap<T> : std::numeric_limits<T>::infinity();
  const double others = way.sum_beside_label(
      [&](std::size_t first, auto count) CHAFF_INLINED {
        const lanes<T> w = least<T>(weight(first, count), broadcast(cap));
        way.keep(first, count, w);
        return w;
      },
      before...);
  const T scale = static_cast<T>(1 / divisor_of(way, mass_of_weights(others, label_weight)));
  for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) CHAFF_INLINED {
    store<T>(way.answer + first, way.kept(first, count) * scale, count);
  });
  way.answer[seen.label] = label_weight * scale;
}

/// The same in two passes over each stretch of blocks, for a perturbation that goes its way in two steps.
template <bool may_be_impossible, class T, held e_is, class Weight>
[[gnu::always_inline]] inline void answer_classwise(const passage<T, e_is>& way, const policy& promised, T label_weight,
                                                    const Weight& weight, lanes<T> alpha) {
  lanes<T> steps[row_sum<T>::most_blocks];
  const auto weigh = [&](std::size_t first, auto count) CHAFF_INLINED {
    const lanes<T> step = steps[first / lanes_of<T> % row_sum<T>::most_blocks];
    const lanes<T> w = weight.blended(way.e(first, count) * way.scale, step, alpha);
    if constexpr (!may_be_impossible && std::is_same_v<decltype(count), full_block<T>>) return w;
    return select<T>(way.values(first, count) == way.impossible(), lanes<T>{}, w);
  };
  const auto take_steps = [&](std::size_t from, std::size_t classes) CHAFF_INLINED {
    way.for_each_held(from, classes, [&](std::size_t first, auto count) CHAFF_INLINED {
      steps[(first - from) / lanes_of<T>] = weight.step(way.at(first, count, way.values(first, count)));
    });
  };
  answer_weights(way, promised, label_weight, weigh, take_steps);
}

/// Weights under a wider margin, an L1 budget, or both. y is the normalised weights, q the posterior, each levelled to
/// the margin; the answer is q + t (y - q) with the largest t in [0, 1] that keeps within the budget. q is the nearest
/// row to the posterior that has the margin, so where the two disagree the answer moves no further than it must.
/// Nothing is stored before the last pass, so each pass weighs the row anew.
template <class T, class Weight>
[[gnu::noinline]] void answer_within_bounds(const passage<T, held::nowhere>& way, const policy& promised,
                                            T label_weight, Weight weight) {
  const row<T>& seen = way.seen;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T cap = promised.keep_label ? label_weight * label_cap<T> : infinity;
  const T label_p = static_cast<T>(seen.confidence());

  // visit(p, w, first, count) for each block, the label's lane of both 0
  T scale = 1;
  const auto for_others = [&](auto visit) {
    for_each_block<T>(seen.classes(), [&](std::size_t first, auto count) {
      const lanes<T> value = way.values(first, count);
      const block<T> here = way.at(first, count, value);
      const mask<T> left_out = seen.is_label(first) | (value == way.impossible());
      const lanes<T> w = least<T>(weight(first, count), broadcast(cap)) * scale;
      visit(select<T>(left_out, lanes<T>{}, here.p), select<T>(left_out, lanes<T>{}, w), first, count);
    });
  };

  row_sum<T> others;
  for_others([&](lanes<T>, lanes<T> w, std::size_t, auto) { others.add(w); });
  scale = static_cast<T>(1 / divisor_of(way, mass_of_weights(others.total(), label_weight)));

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
    store<T>(way.answer + first, least<T>(fused<T>(broadcast(t), to - from, from), broadcast(highest)), count);
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

/// The label's weight, blended; lifted to least_label_weight where it is kept.
template <class T>
[[gnu::always_inline]] inline lanes<T> blend_label(lanes<T> p, lanes<T> w, lanes<T> alpha, bool keep_label) {
  const T least_weight = keep_label ? static_cast<T>(least_label_weight) : T(0);
  return most<T>(fused<T>(alpha, w - p, p), broadcast(least_weight));
}

/// alpha of a row: 0 where the gate is closed to within an epsilon of T, and 1 where a gate of a user's own fails,
/// which is the defended side.
template <class T, class G>
[[gnu::always_inline]] inline T openness_of(const G& gate, const row<T>& seen) {
  const double alpha = static_cast<double>(gate(seen));
  if (!(alpha <= 1)) return 1;
  // by lanes, where a comparison is no branch, whose wrong guesses would show in the time
  const lanes<T> told = broadcast(static_cast<T>(alpha));
  return select<T>(told > std::numeric_limits<T>::epsilon(), told, lanes<T>{})[0];
}

/// Whether a policy bounds answers by more than the label's cap.
inline bool is_bounded(const policy& promised) {
  return promised.label_margin > 0 || promised.max_l1 < 2;
}

/// (1 - alpha) p + alpha w of a block, at least 0, and 0 for a class that cannot occur.
template <class T, held e_is, class Weights, class Count>
[[gnu::always_inline]] inline lanes<T> blended_at(const passage<T, e_is>& way, const Weights& weights, lanes<T> alpha,
                                                  std::size_t first, Count count) {
  const lanes<T> value = way.values(first, count);
  const block<T> at = way.at(first, count, value);
  const lanes<T> w = most<T>(fused<T>(alpha, weights(at) - at.p, at.p), lanes<T>{});
  return select<T>(value == way.impossible(), lanes<T>{}, w);
}

/// One row of K >= 2 classes as answer_row answers it, with its e held as told.
template <held e_is, class T, class G, class P, class... Reductions>
CHAFF_ONE_COPY outcome answer_row_from(const G& gate, const P& perturbation,
                                       const std::tuple<Reductions...>& reductions, const policy& promised,
                                       std::span<const T> values, std::span<T> answer) {
  constexpr bool reduced = sizeof...(Reductions) > 0;
  held_blocks<T, e_is> blocks;
  passage<T, e_is> way{{}, answer.data(), nullptr, 0, 0};
  if (const fault why = way.observe(values, promised.input, blocks); why != fault::none) return {why, 0};
  // a copy for others to refer to: way, which nobody does, can then stay in registers
  const row<T> seen = way.seen;
  way.scale = static_cast<T>(1 / seen.mass());
  const bool as_logarithms = promised.answer != form::probabilities;
  // now, since an answer in place overwrites the row
  [[maybe_unused]] const auto prepared = reductions_of_row(reductions, seen);

  const T openness = openness_of<T>(gate, seen);
  way.closed = select<double>(broadcast(static_cast<double>(openness)) == 0.0, broadcast(1.0), lanes<double>{})[0];
  // where no time is to tell, the open way: an alpha of 0 leaves p as it is. One number, +0 where both say so, since a
  // compiler may ask two conditions in any order, and a branch would then know the gate's side
  const auto open_way = std::bit_cast<bits_of<T>>(openness) | static_cast<bits_of<T>>(promised.constant_time_gate);
  if (open_way == 0) {
    if (!reduced && as_logarithms && promised.input != form::probabilities && !(promised.label_margin > 0)) {
      answer_log_posterior(row<T>(seen), answer.data(), promised);
      return {fault::none, seen.label};
    }
    bool bounded = false;
    if constexpr (e_is == held::nowhere) {
      bounded = promised.label_margin > 0;
      if (bounded) {
        answer_within_bounds<T>(way, promised, static_cast<T>(seen.confidence()), [&](std::size_t first, auto count) {
          return way.at(first, count, way.values(first, count)).p;
        });
      }
    }
    if (!bounded) answer_posterior(way, promised);
  } else {
    // both at once: log p_i = log e_i - logs[0], and of the label log((1 - p) / p) = logs[1]
    lanes<T> logs = broadcast(static_cast<T>(seen.mass()));
    logs[1] = seen.odds_against_label();
    logs = log_normal<T>(logs);
    way.log_mass = logs[0];
    const lanes<T> alpha = broadcast(openness);
    const lanes<T> label_p = broadcast(static_cast<T>(seen.confidence()));
    const auto label_blended = [&](lanes<T> w)
                                   CHAFF_INLINED { return blend_label<T>(label_p, w, alpha, promised.keep_label)[0]; };
    bool bounded = false;
    if constexpr (e_is == held::nowhere) {
      bounded = is_bounded(promised);
      if (bounded) {
        const auto weights = perturbation.weights(seen);
        answer_within_bounds<T>(
            way, promised, label_blended(broadcast(static_cast<T>(weights.label))),
            [&](std::size_t first, auto count) { return blended_at<T>(way, weights, alpha, first, count); });
      }
    }
    if (bounded) {
      // answered
    } else if constexpr (classwise_perturbation<P, T>) {
      const auto each = perturbation.template classwise<T>();
      const T label_weight = label_blended(each.label(label_p, broadcast(logs[1])));
      if (e_is == held::in_answer && !way.may_be_impossible) {
        answer_classwise<e_is != held::in_answer>(way, promised, label_weight, each, alpha);
      } else {
        answer_classwise<true>(way, promised, label_weight, each, alpha);
      }
    } else {
      const auto weights = perturbation.weights(seen);
      answer_weights(way, promised, label_blended(broadcast(static_cast<T>(weights.label))),
                     [&](std::size_t first, auto count)
                         CHAFF_INLINED { return blended_at<T>(way, weights, alpha, first, count); });
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

/// Answers one row of K >= 2 classes. `values` and `answer` have one size and are the same memory or apart.
/// A gate that is closed to within an epsilon of T lets the posterior go straight on. The reductions come last, on
/// probabilities, and keep the model's label; where the policy does not, the answer's own.
template <class T, class G, class P, class... Reductions>
outcome answer_row(const G& gate, const P& perturbation, const std::tuple<Reductions...>& reductions,
                   const policy& promised, std::span<const T> values, std::span<T> answer) {
  // within bounds each of many passes reads the row anew
  if constexpr (!dear_perturbation<P>) {
    if (promised.input != form::probabilities && !is_bounded(promised)) {
      if (values.size() <= held_blocks<T, held::in_blocks>::size) {
        return answer_row_from<held::in_blocks, T>(gate, perturbation, reductions, promised, values, answer);
      }
      if (answer.data() != values.data()) {
        return answer_row_from<held::in_answer, T>(gate, perturbation, reductions, promised, values, answer);
      }
    }
  }
  return answer_row_from<held::nowhere, T>(gate, perturbation, reductions, promised, values, answer);
}

/// Answers a row of one class, a single sigmoid logit z: as the two classes of the logits {z, 0}, of which the first is
/// answered. At exactly 1/2 there is no label to keep ahead, and the answer is 1/2 unless a reduction decides.
template <class T, class G, class P, class... Reductions>
CHAFF_ONE_COPY outcome answer_sigmoid(const G& gate, const P& perturbation, const std::tuple<Reductions...>& reductions,
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
