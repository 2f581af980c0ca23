// SPDX-License-Identifier: MIT
/// The way of one row of int8 logits, on integers alone.
#ifndef CHAFF_INT8_ANSWER_HPP
#define CHAFF_INT8_ANSWER_HPP

#include <cstddef>
#include <span>

#include "chaff/int8/fixed_point.hpp"
#include "chaff/int8/table.h"

namespace chaff::int8 {

/// The longest row that sums are made for: a count then has 16 bits, the mass 63, the sum of weights (each at most
/// 6) 63.
inline constexpr std::size_t max_classes = 65535;

/// The items of a row that weights are worked out for: each of the 256 distances from the largest logit or, in a short
/// row, each class. A slot first holds the distance (d << 16) and its count, then the weight, then the code.
struct row_items {
  std::uint32_t slot[256];
  unsigned size;
  std::uint32_t label_code;
  std::size_t label;  ///< the lowest index of the largest logit
  int highest;        ///< the largest logit
};

/// Rows up to this length are worked out class by class: there are fewer of them than distances.
inline constexpr std::size_t short_row = 32;

/// Finds the label of a row, and its items, the label itself left out; of more than max_classes the label alone.
template <class Logit>
[[gnu::noinline]] constexpr void find_items(std::span<const Logit> logits, row_items& row) {
  const Logit* const first = logits.data();
  const Logit* const end = first + logits.size();
  int highest = *first;
  const Logit* at = first;
  do highest = *at > highest ? *at : highest;
  while (++at != end);
  at = first;
  while (*at != highest) ++at;
  row.label = static_cast<std::size_t>(at - first);
  row.highest = highest;
  if (logits.size() <= short_row) {
    row.size = static_cast<unsigned>(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      row.slot[i] = (static_cast<std::uint32_t>(highest - first[i]) << 16) + 1;
    }
    row.slot[row.label] = 0;
  } else {
    row.size = 256;
    for (std::uint32_t d = 0; d < 256; ++d) row.slot[d] = d << 16;
    at = first;
    do ++row.slot[highest - *at];
    while (++at != end);
    --row.slot[0];
  }
}

/// exp(-s d) in q44, d a distance.
[[gnu::always_inline]] constexpr std::uint64_t exponential_q44(const chaff_int8_table& table, std::uint32_t d) {
  return times(table.coarse_q44[d >> 4], table.fine_q32[d & 15], 32);
}

/// The sum of exp(-s (d - from)) over the items, in q44.
constexpr std::uint64_t mass_q44(const chaff_int8_table& table, const row_items& row, std::uint32_t from) {
  std::uint64_t sum = 0;
  const std::uint32_t* slot = row.slot;
  const std::uint32_t* const end = slot + row.size;
  do {
    const std::uint32_t count = *slot & 0xffff;
    if (count != 0) sum += count * exponential_q44(table, (*slot >> 16) - from);
  } while (++slot != end);
  return sum;
}

/// (beta / 2) rise in q28, a rise below 0 by a rounding counting as 0.
[[gnu::always_inline]] constexpr std::uint32_t scaled_step_q28(const chaff_int8_table& table, std::int32_t rise_q30) {
  const auto step =
      static_cast<std::int32_t>(std::int64_t{rise_q30} * static_cast<std::int32_t>(table.half_beta_q28) >> 30);
  return static_cast<std::uint32_t>(step < 0 ? 0 : step);
}

/// (beta / 2) tanh((gamma / 2) l) in q28, with x = gamma l / log 2 and l the magnitude of the log-odds.
constexpr std::uint32_t step_once_q28(const chaff_int8_table& table, std::uint64_t x_q26) {
  const std::uint64_t t_q46 = x_q26 >> 32 != 0 ? 0 : exp2_minus_once_q46(table, static_cast<std::uint32_t>(x_q26));
  return scaled_step_q28(table, rise_once_q30(table, static_cast<std::uint32_t>(t_q46 >> 16)));
}

/// The magnitude of the log-odds where odds are clamped to 1e-12.
inline constexpr std::uint32_t max_log_odds_q26 = 1854286438;

/// (beta / 2) tanh((gamma / 2) l) in q28 for a label with p_k > 1/2, by exact odds, l = log(p_k / (1 - p_k)) < 2^13.
/// 1 - p_k is measured from the nearest class, so that it keeps its digits where the other classes are close to 0.
constexpr std::uint32_t exact_step_q28(const chaff_int8_table& table, const row_items& row) {
  std::uint32_t nearest = 256;
  for (unsigned i = 0; i < row.size; ++i) {
    if ((row.slot[i] & 0xffff) != 0 && row.slot[i] >> 16 < nearest) nearest = row.slot[i] >> 16;
  }
  if (nearest == 256) return 0;  // a row of one class
  const std::int64_t l_q26 = static_cast<std::int64_t>(std::uint64_t{table.scale_q26} * nearest) -
                             log_q26(table, mass_q44(table, row, nearest));
  return step_once_q28(table, times(static_cast<std::uint64_t>(l_q26 < 0 ? 0 : l_q26), table.gamma_q26, 26));
}

/// alpha = 1 / (1 + exp(nu (p_k - tau))) in q46, below 1; 0 where it is below 1e-12.
constexpr std::uint64_t openness_q46(const chaff_int8_table& table, std::uint32_t label_q31) {
  if (table.gate != 1) return table.gate == 0 ? 0 : (std::uint64_t{1} << 46) - 1;
  const std::int64_t above_q31 = static_cast<std::int64_t>(label_q31) - table.tau_q31;
  const auto distance_q31 = static_cast<std::uint64_t>(above_q31 < 0 ? -above_q31 : above_q31);
  const std::uint64_t x_q26 = distance_q31 * table.nu_mantissa >> (table.nu_shift + 5);
  const bool is_beyond = x_q26 >= std::uint64_t{40} << 26;
  const std::uint64_t t_q46 = is_beyond ? 0 : exp2_minus_once_q46(table, static_cast<std::uint32_t>(x_q26));
  const auto below_q31 =
      static_cast<std::uint32_t>(rise_once_q30(table, static_cast<std::uint32_t>(t_q46 >> 16)) + (1 << 30));
  return above_q31 < 0 ? std::uint64_t{below_q31} << 15 : times(t_q46, below_q31, 31);
}

/// What the items' weights depend on.
struct row_facts {
  reciprocal mass;
  std::int32_t log_mass_q26;
  std::uint32_t alpha;       ///< alpha = alpha 2^-(32 + alpha_shift)
  int alpha_shift;           ///< 31 at most
  std::uint64_t label_q44;   ///< the label's weight, which no other exceeds
  std::uint32_t label_slot;  ///< the same with as many bits as 32 have room for
  int to_slot;               ///< from q28 to the unit of slots

  constexpr std::uint64_t posterior_q44(std::uint64_t mass_q44) const {
    return times(mass_q44, mass.mantissa, 32) >> (19 - mass.zeros);
  }
  constexpr std::uint64_t alpha_times(std::uint64_t step) const { return times(step, alpha, 32) >> alpha_shift; }
};

/// Turns counts into weights, p_d + alpha step(p_d), and returns the sum of all weights in q44. A weight is good to
/// 2^-27; their sum, over up to max_classes of them, to a relative 2^-26: it is put together from the masses, which
/// are exact, and the steps.
constexpr std::uint64_t weigh_items(const chaff_int8_table& table, const row_facts& facts, std::uint64_t others_q44,
                                    row_items& row) {
  std::uint64_t steps_q28 = 0;
  std::uint64_t total_q44 = facts.label_q44 + facts.posterior_q44(others_q44);
  const auto label_q28 = static_cast<std::uint32_t>(facts.label_q44 >> 16);
  std::uint32_t* slot = row.slot;
  const std::uint32_t* const end = slot + row.size;
  do {
    const std::uint32_t count = *slot & 0xffff;
    std::uint32_t kept = 0;
    if (count != 0) {
      const std::uint32_t d = *slot >> 16;
      const auto e_q31 =
          static_cast<std::uint32_t>(std::uint64_t{table.coarse_q31[d >> 4]} * table.fine_q32[d & 15] >> 32);
      const std::uint32_t p_q31 =
          static_cast<std::uint32_t>(std::uint64_t{e_q31} * facts.mass.mantissa >> 32) >> (19 - facts.mass.zeros);
      std::uint32_t weight_q28 = p_q31 >> 3;
      std::uint32_t step_q28 = 0;
      if (facts.alpha != 0) {
        std::uint32_t l_q26 = max_log_odds_q26;
        if (d < table.clamped_from) {
          const std::uint32_t above = table.scale_q26 * d + static_cast<std::uint32_t>(facts.log_mass_q26);
          const auto off = static_cast<std::uint32_t>(minus_log1m_q30(table, p_q31) >> 4);
          l_q26 = above < off ? 0 : above - off < max_log_odds_q26 ? above - off : max_log_odds_q26;
        }
        const std::uint64_t x_q26 = std::uint64_t{l_q26} * table.gamma_q26 >> 26;
        const std::uint32_t t_q30 = x_q26 >> 31 != 0 ? 0 : exp2_minus_q30(table, static_cast<std::uint32_t>(x_q26));
        step_q28 = scaled_step_q28(table, rise_q30(table, t_q30));
        weight_q28 += static_cast<std::uint32_t>(std::uint64_t{step_q28} * facts.alpha >> 32) >> facts.alpha_shift;
      }
      if (weight_q28 < label_q28) {
        steps_q28 += std::uint64_t{count} * step_q28;
        kept = weight_q28 << facts.to_slot;
      } else {
        total_q44 += count * (facts.label_q44 - facts.posterior_q44(exponential_q44(table, d)));
        kept = facts.label_slot;
      }
    }
    *slot = kept;
  } while (++slot != end);
  return total_q44 + (facts.alpha_times(steps_q28) << 16);
}

/// Finds the codes of a row's items and of its label. `bits`: a probability of 1 would be 2^bits units.
///
/// Largest error of a probability: 1e-6, so a code is the rounded one of the exact formula or its neighbour. Rounding:
/// codes to nearest, sums and products down. Overflow: none, by the bounds at max_classes and the ranges of
/// parameters.
[[gnu::noinline]] constexpr void find_codes(const chaff_int8_table& table, int bits, row_items& row) {
  constexpr std::uint64_t one_q44 = std::uint64_t{1} << 44;
  const std::uint64_t others_q44 = mass_q44(table, row, 0);
  row_facts facts{reciprocal(table, others_q44 + one_q44), 0, 0, 0, 0, 0, 0};

  // the label's weight, p_k - alpha r(p_k), never less than 1e-6
  std::uint64_t label_q44 = facts.posterior_q44(one_q44);
  const std::uint64_t alpha_q46 = openness_q46(table, static_cast<std::uint32_t>(label_q44 >> 13));
  if (alpha_q46 != 0) {
    const int zeros = std::countl_zero(alpha_q46);
    facts.alpha = static_cast<std::uint32_t>(alpha_q46 << zeros >> 32);
    facts.alpha_shift = zeros - 18 < 31 ? zeros - 18 : 31;
    facts.log_mass_q26 = log_q26(table, others_q44 + one_q44);
    if (others_q44 >= one_q44) {
      const std::int32_t l_q26 = log_q26(table, others_q44);  // 0 at least, which a rounding may miss
      const auto x_q26 = static_cast<std::uint64_t>(l_q26 < 0 ? 0 : l_q26) * table.gamma_q26 >> 26;
      label_q44 += facts.alpha_times(step_once_q28(table, x_q26)) << 16;
    } else if (table.exact_odds != 0) {
      const std::uint32_t step = exact_step_q28(table, row);
      const auto all_of_it_q28 = static_cast<std::uint32_t>(label_q44 >> 16);
      label_q44 -= facts.alpha_times(step < all_of_it_q28 ? step : all_of_it_q28) << 16;
    }
    constexpr std::uint64_t min_q44 = 17592186;  // 1e-6
    if (label_q44 < min_q44) label_q44 = min_q44;
  }
  facts.label_q44 = label_q44;
  const int zeros = std::countl_zero(label_q44);
  const int dropped = zeros < 32 ? 32 - zeros : 0;
  facts.label_slot = static_cast<std::uint32_t>(label_q44 >> dropped);
  facts.to_slot = 16 - dropped;

  // codes, the label's strictly first; the upper half of weight / total has 8 bits and more below a unit
  const reciprocal total(table, weigh_items(table, facts, others_q44, row));
  const int shift = 62 - dropped - total.zeros - bits;
  const std::uint32_t mantissa = shift < 32 ? total.mantissa : 0;  // all weights are next to nothing of the total
  const auto units = [mantissa, shift = shift < 32 ? shift : 0](std::uint32_t weight) {
    return ((static_cast<std::uint32_t>(std::uint64_t{weight} * mantissa >> 32) >> shift) + 1) >> 1;
  };
  const std::uint32_t top = (1u << bits) - 1;
  std::uint32_t label = units(facts.label_slot);
  label = label < 1 ? 1 : label > top ? top : label;
  std::uint32_t* slot = row.slot;
  const std::uint32_t* const end = slot + row.size;
  do {
    if (*slot != 0) {
      const std::uint32_t code = units(*slot);
      *slot = code < label ? code : label - 1;
    }
  } while (++slot != end);
  row.label_code = label;
}

/// The codes of a row's logits, from its slots.
template <int zero_point, class Logit, class Code>
[[gnu::noinline]] constexpr void gather(const Logit* from, const Logit* end, const std::uint32_t* slot, int highest,
                                        Code* to) {
  do *to++ = static_cast<Code>(static_cast<int>(slot[highest - *from]) + zero_point);
  while (++from != end);
}

/// The top code for the label and the lowest for all else.
template <int bits, int zero_point, class Code>
[[gnu::noinline]] constexpr void answer_label_only(std::span<Code> answer, std::size_t label) {
  for (Code& each : answer) each = static_cast<Code>(zero_point);
  answer[label] = static_cast<Code>((1 << bits) - 1 + zero_point);
}

/// Answers one row: both spans have K entries, K from 1 to max_classes; int8 may answer in place. A longer row is
/// answered by its label alone, a row of one class by the top code. Logits are int8, or uint8 with any zero point.
template <int bits, int zero_point, class Logit, class Code>
constexpr void answer_row(const chaff_int8_table& table, std::span<const Logit> logits, std::span<Code> answer) {
  if (logits.empty()) return;
  const auto code = [](std::uint32_t units) { return static_cast<Code>(static_cast<int>(units) + zero_point); };
  row_items row;
  find_items(logits, row);
  if (logits.size() > max_classes) {
    answer_label_only<bits, zero_point>(answer, row.label);
    return;
  }
  find_codes(table, bits, row);
  if (logits.size() <= short_row) {
    for (std::size_t i = 0; i < logits.size(); ++i) answer[i] = code(row.slot[i]);
  } else {
    gather<zero_point>(logits.data(), logits.data() + logits.size(), row.slot, row.highest, answer.data());
  }
  answer[row.label] = code(row.label_code);
}

/// A defense of the edge path: its table, and calls that answer in int8, uint8 or int16 codes.
/// Shapes: an answer has as many entries as its logits; the sizes are not checked.
class table_defense {
 public:
  /// One row. The answer's scale is 1/256 and its zero point -128.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::int8_t> answer) const noexcept {
    answer_row<8, -128>(table_, logits, answer);
  }
  /// Scale 1/256, zero point 0.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::uint8_t> answer) const noexcept {
    answer_row<8, 0>(table_, logits, answer);
  }
  /// Scale 1/65536, zero point -32768.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::int16_t> answer) const noexcept {
    answer_row<16, -32768>(table_, logits, answer);
  }

  /// Answers N rows of `classes` logits each, one after another. Values after the last whole row are not answered, and
  /// with classes = 0 nothing is written.
  template <class Code>
  constexpr void rows(std::span<const std::int8_t> logits, std::size_t classes, std::span<Code> answer) const noexcept {
    for (std::size_t first = 0; first + classes <= logits.size() && classes != 0; first += classes) {
      (*this)(logits.subspan(first, classes), answer.subspan(first, classes));
    }
  }

  constexpr const chaff_int8_table& table() const noexcept { return table_; }

 protected:
  constexpr explicit table_defense(const chaff_int8_table& table) : table_(table) {}

 private:
  chaff_int8_table table_;
};

}  // namespace chaff::int8

#endif
