// SPDX-License-Identifier: MIT
/// The way of one row of int8 logits, on integers alone.
#ifndef CHAFF_INT8_ANSWER_HPP
#define CHAFF_INT8_ANSWER_HPP

#include <cstddef>
#include <span>

#include "chaff/int8/fixed_point.hpp"
#include "chaff/int8/table.h"

namespace chaff::int8 {

/// The longest row that sums are made for: counts then have 16 bits, the mass 63, the sum of weights 48.
inline constexpr std::size_t most_classes = 65535;

/// What a row becomes: logits differ from the largest one by one of 256 distances, so there are at most 256 answers.
struct row_codes {
  std::uint32_t of_distance[256];  ///< first how often a distance occurs, then its weight in q28, then its code
  std::uint32_t of_label;
  std::size_t label;  ///< the lowest index of the largest logit
  int highest;        ///< the largest logit
};

/// exp(-s d) in q47, d a distance.
constexpr std::uint64_t exponential_q47(const chaff_int8_table& table, unsigned d) {
  const std::uint64_t coarse = table.coarse_q47[d >> 4];
  const std::uint64_t fine = table.fine_q31[d & 15];
  return ((coarse >> 32) * fine << 1) + ((coarse & 0xffffffffu) * fine >> 31);
}

/// (beta / 2) tanh((gamma / 2) l) in q28, l in [0, 2^13) the magnitude of the log-odds.
constexpr std::uint32_t step_q28(const chaff_int8_table& table, std::uint64_t l_q26) {
  const std::uint64_t gamma_q26 = table.gamma_q26;
  const std::uint64_t x_q26 = l_q26 >> 33 == 0 ? l_q26 * gamma_q26 >> 26 : (l_q26 >> 8) * gamma_q26 >> 18;
  const std::uint32_t t_q30 = x_q26 >> 32 != 0 ? 0 : exp2_minus_q30(static_cast<std::uint32_t>(x_q26));
  const std::uint64_t rise_q30 =
      static_cast<std::uint64_t>((1u << 30) - t_q30) * reciprocal_q30((1u << 30) + t_q30) >> 30;
  return static_cast<std::uint32_t>(rise_q30 * table.half_beta_q28 >> 30);
}

/// The log-odds of a class with p <= 1/2, as what lies above 0 of the other side's: odds below 1e-12 are clamped.
constexpr std::uint64_t clamped_q26(std::int64_t l_q26) {
  constexpr std::int64_t most_q26 = 1854286438;  // log 1e12
  return static_cast<std::uint64_t>(l_q26 < 0 ? 0 : l_q26 < most_q26 ? l_q26 : most_q26);
}

/// The sum of exp(-s (d - from)) over the classes at the distances d from `from` up, in q47.
constexpr std::uint64_t mass_q47(const chaff_int8_table& table, const std::uint32_t* counts, unsigned from,
                                 unsigned range) {
  std::uint64_t sum = 0;
  for (unsigned d = from; d <= range; ++d) {
    if (counts[d] != 0) sum += counts[d] * exponential_q47(table, d - from);
  }
  return sum;
}

/// alpha = 1 / (1 + exp(nu (p_k - tau))) in q30.
constexpr std::uint32_t openness_q30(const chaff_int8_table& table, std::uint32_t label_q31) {
  if (table.gate != 1) return table.gate == 0 ? 0 : 1u << 30;
  const std::int64_t above_q31 = static_cast<std::int64_t>(label_q31) - table.tau_q31;
  const auto distance = static_cast<std::uint64_t>(above_q31 < 0 ? -above_q31 : above_q31);
  const std::uint64_t x_q26 = distance * table.nu_mantissa >> (table.nu_shift + 5);
  const std::uint32_t t_q30 = x_q26 >> 32 != 0 ? 0 : exp2_minus_q30(static_cast<std::uint32_t>(x_q26));
  const std::uint32_t below_q30 = reciprocal_q30((1u << 30) + t_q30);
  return above_q31 < 0 ? below_q30 : static_cast<std::uint32_t>(static_cast<std::uint64_t>(t_q30) * below_q30 >> 30);
}

/// Finds the codes of a row of 1 to most_classes logits. `bits`: a probability of 1 would be 2^bits units.
///
/// Largest error of a probability: 1e-6, so a code is the rounded one of the exact formula or its neighbour. Rounding:
/// codes to nearest, sums and products down. Overflow: none, by the bounds at most_classes and the ranges of parameters.
[[gnu::noinline]] constexpr void find_codes(const chaff_int8_table& table, std::span<const std::int8_t> logits, int bits,
                                            row_codes& row) {
  int highest = -129, lowest = 128;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const int q = logits[i];
    if (q > highest) {
      highest = q;
      row.label = i;
    }
    if (q < lowest) lowest = q;
  }
  row.highest = highest;
  const auto range = static_cast<unsigned>(highest - lowest);
  std::uint32_t* const slot = row.of_distance;
  for (unsigned d = 0; d <= range; ++d) slot[d] = 0;
  for (const int q : logits) ++slot[highest - q];

  const std::uint64_t all_q47 = mass_q47(table, slot, 0, range);
  const reciprocal_of mass(all_q47);
  const int to_q31 = 48 - mass.zeros;

  // the label's weight, p_k - alpha r(p_k), never less than 1e-6
  constexpr std::uint64_t one_q47 = std::uint64_t{1} << 47;
  const auto label_q31 = static_cast<std::uint32_t>((std::uint64_t{mass.mantissa} << 31) >> to_q31);
  const std::uint64_t alpha_q30 = openness_q30(table, label_q31);
  std::uint32_t label_q28 = label_q31 >> 3;
  std::int32_t log_mass_q26 = 0;
  if (alpha_q30 != 0) {
    log_mass_q26 = log_q26(all_q47);
    const std::uint64_t others_q47 = all_q47 - one_q47;
    if (others_q47 >= one_q47) {
      label_q28 += static_cast<std::uint32_t>(step_q28(table, clamped_q26(log_q26(others_q47))) * alpha_q30 >> 30);
    } else if (table.exact_odds != 0) {
      // log-odds of p_k > 1/2, measured from the nearest class, so that nothing is lost where the others are
      unsigned nearest = 1;
      while (nearest <= range && slot[nearest] == 0) ++nearest;
      std::uint32_t step = table.gamma_q26 != 0 ? table.half_beta_q28 : 0;  // no other class
      if (nearest <= range) {
        const std::int64_t l_q26 = static_cast<std::int64_t>(std::uint64_t{table.scale_q26} * nearest) -
                                   log_q26(mass_q47(table, slot, nearest, range));
        step = step_q28(table, l_q26 > 0 ? static_cast<std::uint64_t>(l_q26) : 0);
      }
      label_q28 -= static_cast<std::uint32_t>((step < label_q28 ? step : label_q28) * alpha_q30 >> 30);
    }
    if (label_q28 < 269) label_q28 = 269;
  }

  // the others' weights, not above the label's
  std::uint64_t total_q28 = label_q28;
  for (unsigned d = 0; d <= range; ++d) {
    const std::uint32_t count = d == 0 ? slot[0] - 1 : slot[d];
    if (count == 0) continue;
    const auto p_q31 = static_cast<std::uint32_t>((exponential_q47(table, d) >> 16) * mass.mantissa >> to_q31);
    std::uint32_t weight_q28 = p_q31 >> 3;
    if (alpha_q30 != 0) {
      const std::int64_t l_q26 = static_cast<std::int64_t>(std::uint64_t{table.scale_q26} * d) + log_mass_q26 -
                                 (minus_log1m_q29(static_cast<std::int32_t>(p_q31)) >> 3);
      weight_q28 += static_cast<std::uint32_t>(step_q28(table, clamped_q26(l_q26)) * alpha_q30 >> 30);
    }
    if (weight_q28 > label_q28) weight_q28 = label_q28;
    total_q28 += std::uint64_t{count} * weight_q28;
    slot[d] = weight_q28;
  }

  // codes, the label's strictly first
  const reciprocal_of total(total_q28);
  const int to_units = 95 - total.zeros - bits - 16;
  const auto units = [&](std::uint32_t weight_q28) {
    const std::uint64_t product = std::uint64_t{weight_q28} * total.mantissa >> 16;
    return static_cast<std::uint32_t>(((product >> (to_units - 1)) + 1) >> 1);
  };
  const std::uint32_t top = (1u << bits) - 1;
  std::uint32_t label = units(label_q28);
  label = label < 1 ? 1 : label > top ? top : label;
  for (unsigned d = 0; d <= range; ++d) {
    if (slot[d] == 0) continue;
    const std::uint32_t code = units(slot[d]);
    slot[d] = code < label ? code : label - 1;
  }
  row.of_label = label;
}

/// Answers one row: both spans have K entries, K from 1 to most_classes; int8 may answer in place. A longer row is
/// answered by its label alone, a row of one class by the top code.
template <class Code, int bits, int zero_point>
constexpr void answer_row(const chaff_int8_table& table, std::span<const std::int8_t> logits, std::span<Code> answer) {
  if (logits.empty()) return;
  row_codes row;
  const bool short_enough = logits.size() <= most_classes;
  find_codes(table, short_enough ? logits : logits.first(most_classes), bits, row);
  if (!short_enough) {
    for (std::size_t i = most_classes; i < logits.size(); ++i) {
      if (logits[i] > row.highest) {
        row.highest = logits[i];
        row.label = i;
      }
    }
    for (Code& code : answer) code = static_cast<Code>(zero_point);
    answer[row.label] = static_cast<Code>(zero_point + (1 << bits) - 1);
    return;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    answer[i] = static_cast<Code>(static_cast<int>(row.of_distance[row.highest - logits[i]]) + zero_point);
  }
  answer[row.label] = static_cast<Code>(static_cast<int>(row.of_label) + zero_point);
}

/// The door of all defenses of the edge path: a table, and the three kinds of answer.
class table_defense {
 public:
  /// One row. The answer's scale is 1/256 and its zero point -128.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::int8_t> answer) const noexcept {
    answer_row<std::int8_t, 8, -128>(table_, logits, answer);
  }
  /// Scale 1/256, zero point 0.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::uint8_t> answer) const noexcept {
    answer_row<std::uint8_t, 8, 0>(table_, logits, answer);
  }
  /// Scale 1/65536, zero point -32768.
  constexpr void operator()(std::span<const std::int8_t> logits, std::span<std::int16_t> answer) const noexcept {
    answer_row<std::int16_t, 16, -32768>(table_, logits, answer);
  }

  /// N rows of `classes` logits each, one after another.
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
