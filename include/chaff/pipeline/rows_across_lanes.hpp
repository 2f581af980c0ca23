// SPDX-License-Identifier: MIT
/// The way of many rows of few classes at once: a row a lane, with the same bits as answer_row gives each.
#ifndef CHAFF_PIPELINE_ROWS_ACROSS_LANES_HPP
#define CHAFF_PIPELINE_ROWS_ACROSS_LANES_HPP

#include "chaff/pipeline/answer_row.hpp"

namespace chaff {

/// Most classes of a row that is answered so: a row_sum of them is never carried on, and they lie in a small buffer.
inline constexpr std::size_t most_classes_across = 32;

/// Whether rows can be answered so: logits to probabilities under a policy that bounds nothing more.
inline bool fits_across(std::size_t classes, const policy& promised) {
  return classes >= 2 && classes <= most_classes_across && promised.input == form::logits &&
         promised.answer == form::probabilities && !is_bounded(promised);
}

/// Class c of each of the rows, lane by lane.
template <class T>
struct classes_across {
  lanes<T> of[most_classes_across];

  void gather(const T* rows, std::size_t classes) {
    for (std::size_t c = 0; c < classes; ++c) {
      lanes<T> across{};
      for (std::size_t r = 0; r < lanes_of<T>; ++r) across[r] = rows[r * classes + c];
      of[c] = across;
    }
  }

  void scatter(T* rows, std::size_t classes) const {
    for (std::size_t c = 0; c < classes; ++c) {
      for (std::size_t r = 0; r < lanes_of<T>; ++r) rows[r * classes + c] = of[c][r];
    }
  }
};

/// The sum of term(c) over the classes, in the order of a row_sum: classes as far apart as a block is long, then by
/// halves.
template <class T, class Term>
[[gnu::always_inline]] inline lanes<T> sum_across(std::size_t classes, Term term) {
  lanes<T> part[lanes_of<T>];
  std::size_t left = std::min(classes, lanes_of<T>);
  part[0] = term(0);
  for (std::size_t c = 1; c < left; ++c) part[c] = term(c);
  for (std::size_t c = left; c < classes; ++c) part[c % lanes_of<T>] += term(c);
  for (std::size_t half = lanes_of<T> / 2; half > 0; half /= 2) {
    for (std::size_t c = 0; c + half < left; ++c) part[c] += part[c + half];
    left = std::min(left, half);
  }
  return part[0];
}

/// f of each lane as a double.
template <class T, class F>
[[gnu::always_inline]] inline lanes<T> in_double(lanes<T> value, F f) {
  lanes<T> result;
  for (std::size_t r = 0; r < lanes_of<T>; ++r) result[r] = static_cast<T>(f(static_cast<double>(value[r])));
  return result;
}

/// Answers lanes_of<T> rows, one after another in memory, that fits_across. `values` and `answer` are the same memory
/// or apart. Returns false, with nothing written, where a row has no answer.
template <class T, class G, class P>
CHAFF_ONE_COPY bool answer_rows_across(const G& gate, const P& perturbation, const policy& promised, const T* values,
                                       std::size_t classes, T* answer) {
  using I = bits_of<T>;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  if (classes < 2 || classes > most_classes_across) __builtin_unreachable();
  classes_across<T> z, e, w;
  z.gather(values, classes);

  lanes<T> top = z.of[0];
  lanes<I> label{};
  mask<T> nan = top != top;
  for (std::size_t c = 1; c < classes; ++c) {
    nan |= z.of[c] != z.of[c];
    label = z.of[c] > top ? lanes<I>{} + static_cast<I>(c) : label;
    top = most<T>(z.of[c], top);
  }
  const mask<T> unanswerable = nan | (top == infinity) | (top == -infinity);
  if (any_of<T>(unanswerable)) return false;

  const auto beside_label = [&](std::size_t c, lanes<T> value)
                                CHAFF_INLINED { return select<T>(label == static_cast<I>(c), lanes<T>{}, value); };
  const lanes<T> others = sum_across<T>(classes, [&](std::size_t c) CHAFF_INLINED {
    e.of[c] = exp_nonpositive<T>(z.of[c] - top);
    return beside_label(c, e.of[c]);
  });
  const lanes<T> mass = in_double<T>(others, [](double other) { return 1 + other; });
  const lanes<T> scale = in_double<T>(others, [](double other) { return 1 / (1 + other); });
  const lanes<T> label_p = scale;  // e of a label is 1
  const auto cap_below = [&](lanes<T> of_label) CHAFF_INLINED {
    return promised.keep_label ? of_label * label_cap<T> : broadcast(infinity);
  };

  lanes<T> alpha;
  for (std::size_t r = 0; r < lanes_of<T>; ++r) {
    const auto k = static_cast<std::size_t>(label[r]);
    const row<T> seen{{values + r * classes, classes}, form::logits, k, top[r], 1, static_cast<double>(others[r])};
    alpha[r] = openness_of<T>(gate, seen);
  }
  const mask<T> closed = alpha == T(0);

  lanes<T> divided = broadcast(T(1));
  lanes<T> label_weight = label_p;
  if (promised.constant_time_gate || any_of<T>(~closed)) {
    const lanes<T> log_mass = log_normal<T>(mass);
    const auto weight = perturbation.template classwise<T>();
    label_weight = blend_label<T>(label_p, weight.label(label_p, log_normal<T>(others)), alpha, promised.keep_label);
    const lanes<T> highest = cap_below(label_weight);
    for (std::size_t c = 0; c < classes; ++c) {
      w.of[c] = weight.step(block<T>{c, lanes_of<T>, e.of[c] * scale, z.of[c] - top - log_mass});
    }
    const lanes<T> sum = sum_across<T>(classes, [&](std::size_t c) CHAFF_INLINED {
      const lanes<T> blended = weight.blended(e.of[c] * scale, w.of[c], alpha);
      w.of[c] = least<T>(select<T>(z.of[c] == -infinity, lanes<T>{}, blended), highest);
      return beside_label(c, w.of[c]);
    });
    for (std::size_t r = 0; r < lanes_of<T>; ++r) {
      T of_label = label_weight[r];
      divided[r] = static_cast<T>(1 / mass_of_weights(static_cast<double>(sum[r]), of_label));
      label_weight[r] = of_label;
    }
  }
  const lanes<T> highest = cap_below(label_p);
  const lanes<T> of_label = select<T>(closed, label_p, label_weight * divided);
  for (std::size_t c = 0; c < classes; ++c) {
    const lanes<T> of_class = select<T>(closed, least<T>(e.of[c] * scale, highest), w.of[c] * divided);
    w.of[c] = select<T>(label == static_cast<I>(c), of_label, of_class);
  }
  w.scatter(answer, classes);
  return true;
}

}  // namespace chaff

#endif
