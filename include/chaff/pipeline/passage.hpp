// SPDX-License-Identifier: MIT
/// One row on its way: its facts, and its blocks as often as they are needed.
#ifndef CHAFF_PIPELINE_PASSAGE_HPP
#define CHAFF_PIPELINE_PASSAGE_HPP

#include "chaff/posterior/softmax.hpp"

namespace chaff {

/// Where each class's e is held between the passes over a row.
enum class held {
  in_blocks,  ///< beside a copy of the row, in whole blocks of the passage's own: rows of few classes
  in_answer,  ///< in the answer's memory, which is not the row's
  nowhere     ///< it is computed anew: rows of probabilities, and long rows answered in place
};

/// Most blocks of a row that are held in_blocks: as many as a row_sum adds before it carries on, so that each sum is
/// one stretch.
inline constexpr std::size_t most_blocks_held = row_sum<float>::most_blocks;

/// The memory of a row that is held in_blocks, and none otherwise.
template <class T, held e_is>
struct held_blocks {};
template <class T>
struct held_blocks<T, held::in_blocks> {
  static constexpr std::size_t size = most_blocks_held * lanes_of<T>;
  alignas(lane_bytes) T values[size];  ///< past the classes, -inf
  alignas(lane_bytes) T work[size];    ///< e, then whatever the passes keep in its place
};

template <class T, held e_is>
struct passage {
  row<T> seen;
  T* answer;
  T* work;                        ///< where e is kept, and the weights in its place
  T scale;                        ///< p = e scale
  T log_mass;                     ///< log p = log e - log_mass
  bool may_be_impossible = true;  ///< whether a class that cannot occur may be in the row
  double closed = 0;              ///< 1 where the gate is: weights are then the posterior, which is divided by 1

  /// Blocks of its own are whole, whatever the count of classes in the last one.
  template <class Count>
  [[gnu::always_inline]] static auto held_count(Count count) {
    if constexpr (e_is == held::in_blocks) {
      return full_block<T>{};
    } else {
      return count;
    }
  }

  /// What a class that cannot occur holds.
  [[gnu::always_inline]] T impossible() const {
    return e_is == held::nowhere ? seen.impossible() : -std::numeric_limits<T>::infinity();
  }

  /// The classes of a block as the model returned them.
  template <class Count>
  [[gnu::always_inline]] lanes<T> values(std::size_t first, Count count) const {
    return load<T>(seen.values.data() + first, held_count(count), impossible());
  }

  /// What was kept of a block.
  template <class Count>
  [[gnu::always_inline]] lanes<T> kept(std::size_t first, Count count) const {
    return load<T>(work + first, held_count(count), T(0));
  }
  template <class Count>
  [[gnu::always_inline]] void keep(std::size_t first, Count count, lanes<T> value) const {
    store<T>(work + first, value, held_count(count));
  }

  template <class Count>
  [[gnu::always_inline]] lanes<T> e(std::size_t first, Count count) const {
    if constexpr (e_is == held::nowhere) {
      return seen.e(values(first, count));
    } else {
      return kept(first, count);
    }
  }

  template <class Count>
  [[gnu::always_inline]] block<T> at(std::size_t first, Count count, lanes<T> value) const {
    const lanes<T> log_e = e_is == held::nowhere ? seen.log_e(value) : value - seen.label_value;
    return {first, count, e(first, count) * scale, log_e - log_mass};
  }

  /// visit(first, count) for each block of the classes from `from` on, whole ones where they are held so.
  template <class Visit>
  [[gnu::always_inline]] void for_each_held(std::size_t from, std::size_t classes, Visit visit) const {
    if constexpr (e_is == held::in_blocks) {
      for (std::size_t i = 0; i < classes; i += lanes_of<T>) visit(from + i, full_block<T>{});
    } else {
      for_each_block<T>(classes, [&](std::size_t i, auto count) CHAFF_INLINED { visit(from + i, count); });
    }
  }

  /// The sum_over of terms(first, count), the label's lane left out.
  template <class Terms, class... Before>
  [[gnu::always_inline]] double sum_beside_label(Terms terms, Before... before) const {
    if constexpr (e_is == held::in_blocks) {
      // one stretch, so the same bits as by sum_over, without a branch on where the label lies
      using I = bits_of<T>;
      (before(std::size_t{0}, seen.classes()), ...);
      lanes<T> sum{};
      lanes<I> here = iota<I>(0);
      for (std::size_t first = 0; first < seen.classes(); first += lanes_of<T>) {
        sum += select<T>(here == static_cast<I>(seen.label), lanes<T>{}, terms(first, full_block<T>{}));
        here += static_cast<I>(lanes_of<T>);
      }
      return static_cast<double>(sum_of<T>(sum));
    } else {
      return seen.sum_beside_label(terms, before...);
    }
  }

  /// Observes the row, and leaves each class's e where it is held.
  [[gnu::always_inline]] fault observe(std::span<const T> values, form input,
                                       [[maybe_unused]] held_blocks<T, e_is>& blocks) {
    work = answer;
    if constexpr (e_is == held::nowhere) {
      return chaff::observe<T>(values, input, seen);
    } else {
      argmax<T> top;
      if constexpr (e_is == held::in_blocks) {
        work = blocks.work;
        top = copy_and_find(values, blocks.values);
        values = {blocks.values, values.size()};
      } else {
        top = find_argmax<T>(values.data(), values.size());
      }
      may_be_impossible = !top.all_finite;
      if (const fault why = fault_of(top); why != fault::none) return why;
      seen = {values, input, top.index, top.value, 1, 0};
      seen.other_mass = sum_beside_label([&](std::size_t first, auto count) CHAFF_INLINED {
        const lanes<T> e = exp_nonpositive<T>(this->values(first, count) - top.value);
        keep(first, count, e);
        return e;
      });
      return input == form::log_probabilities && !is_normalised(seen) ? fault::not_a_distribution : fault::none;
    }
  }

 private:
  /// Copies a row into whole blocks, and finds its argmax on the way.
  [[gnu::always_inline]] static argmax<T> copy_and_find(std::span<const T> values, T* blocks) {
    using I = bits_of<T>;
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    lanes<T> greatest = broadcast(lowest);
    lanes<I> here = iota<I>(0);
    lanes<I> index = here;
    mask<T> nan{};
    for_each_block<T>(values.size(), [&](std::size_t first, auto count) CHAFF_INLINED {
      const lanes<T> value = load<T>(values.data() + first, count, lowest);
      store<T>(blocks + first, value);
      nan |= value != value;
      index = value > greatest ? here : index;
      greatest = most<T>(value, greatest);
      here += static_cast<I>(lanes_of<T>);
    });
    const T top = most_of<T>(greatest);
    const lanes<I> none = lanes<I>{} + std::numeric_limits<I>::max();
    return {top, static_cast<std::size_t>(least_of<I>(greatest == top ? index : none)), any_of<T>(nan), false};
  }
};

}  // namespace chaff

#endif
