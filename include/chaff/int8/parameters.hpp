// SPDX-License-Identifier: MIT
/// The parameters of the edge path, and the table of constants that they become before any row is answered.
#ifndef CHAFF_INT8_PARAMETERS_HPP
#define CHAFF_INT8_PARAMETERS_HPP

#include <array>

#include "chaff/int8/fixed_point.hpp"
#include "chaff/int8/table.h"

#if defined(__cpp_exceptions)
#include <cstdio>
#include <stdexcept>
#endif

namespace chaff::int8 {

/// How the odds of a class with p > 1/2 are treated: see chaff::odds.
enum class odds { clamped, exact };

/// The parameters of a defense of the edge path; their meaning is that of chaff::dcp.
/// Units: a logit is input_scale q, where q is its code; the zero point does not matter.
/// Range: input_scale in [1e-6, 30], beta and gamma in [0, 10], nu in [1, 10000], tau in [0, 10]; unset, tau is beta.
/// Throws: the constructor of a defense, std::invalid_argument for any other value; in a constant, a compile error.
struct parameters {
  float input_scale;
  float beta = 0.9f;
  float gamma = 0.2f;
  float nu = 1000;
  float tau = beta;
  odds rule = odds::clamped;
};

/// A parameter's value and its allowed range.
struct limit {
  const char* name;
  float value, low, high;

  constexpr bool holds() const { return value >= low && value <= high; }
};

constexpr std::array<limit, 5> limits(const parameters& given) {
  return {{{"input_scale", given.input_scale, 1e-6f, 30},
           {"beta", given.beta, 0, 10},
           {"gamma", given.gamma, 0, 10},
           {"nu", given.nu, 1, 10000},
           {"tau", given.tau, 0, 10}}};
}

/// Where a parameter out of range ends: no constant, so at compile time an error that names this function; at run time
/// std::invalid_argument, and a trap in a program without exceptions.
[[noreturn, gnu::cold]] inline void parameter_out_of_range([[maybe_unused]] const limit& broken) {
#if defined(__cpp_exceptions)
  char message[128];
  std::snprintf(message, sizeof message, "chaff: %s is %g, allowed is [%g, %g]", broken.name,
                static_cast<double>(broken.value), static_cast<double>(broken.low), static_cast<double>(broken.high));
  throw std::invalid_argument(message);
#else
  __builtin_trap();
#endif
}

/// exp(-x), x >= 0, in double, for tables: largest relative error 1e-13 (1 + x) (the series of exp(-x / 2^n), squared n
/// times).
constexpr double exp_minus(double x) {
  if (x > 700) return 0;
  int halvings = 0;
  for (; x > 0.01; x /= 2) ++halvings;
  double sum = 1, term = 1;
  for (int i = 1; i < 10; ++i) sum += term *= -x / i;
  for (; halvings > 0; --halvings) sum *= sum;
  return sum;
}

/// value 2^bits, rounded.
constexpr double scaled(double value, int bits) {
  for (; bits > 0; --bits) value *= 2;
  return value + 0.5;
}

/// The table of a defense. gate: 0 closed, 1 a confidence gate, 2 open.
constexpr chaff_int8_table make_table(const parameters& given, int gate) {
  constexpr double log2e = 1.4426950408889634;
  for (const limit& each : limits(given)) {
    if (!each.holds()) parameter_out_of_range(each);
  }
  const auto scale = static_cast<double>(given.input_scale);
  chaff_int8_table table{};
  for (int i = 0; i < 6; ++i) table.exp2_q30[i] = exp2_coefficients_q30[i];
  for (int i = 0; i < 10; ++i) table.rise_q30[i] = rise_coefficients_q30[i];
  for (int i = 0; i < 9; ++i) table.log1m_q30[i] = log1m_coefficients_q30[i];
  for (int i = 0; i < 16; ++i) {
    table.coarse_q44[i] = static_cast<std::uint64_t>(scaled(exp_minus(16 * scale * i), 44));
    table.coarse_q31[i] = static_cast<std::uint32_t>(scaled(exp_minus(16 * scale * i), 31));
    const double fine_q32 = scaled(exp_minus(scale * i), 32);
    table.fine_q32[i] = fine_q32 < 0x1p32 ? static_cast<std::uint32_t>(fine_q32) : 0xffffffffu;
  }
  table.scale_q26 = static_cast<std::uint32_t>(scaled(scale, 26));
  // log 1e12, and log 2 for what -log(1 - p) may take off
  const double from = 28.4 / scale + 1;
  table.clamped_from = from < 256 ? static_cast<std::uint32_t>(from) : 256;
  table.half_beta_q28 = static_cast<std::uint32_t>(scaled(static_cast<double>(given.beta) / 2, 28));
  table.gamma_q26 = static_cast<std::uint32_t>(scaled(static_cast<double>(given.gamma) * log2e, 26));
  table.nu_shift = 26;
  double nu = static_cast<double>(given.nu) * log2e;
  for (; nu >= 2; nu /= 2) --table.nu_shift;
  table.nu_mantissa = static_cast<std::uint32_t>(scaled(nu, 26));
  table.tau_q31 = static_cast<std::int64_t>(scaled(static_cast<double>(given.tau), 31));
  table.gate = static_cast<std::uint8_t>(gate);
  table.exact_odds = given.rule == odds::exact;
  return table;
}

/// The scale of the logits that TensorFlow Lite's `Prepare` turned into a softmax's multiplier and shift: it stores
/// input_scale 2^26 (for its beta of 1) as mult 2^(shift - 31).
constexpr float scale_of(std::int32_t mult, std::int32_t shift) {
  double scale = static_cast<double>(mult) / 0x1p57;
  for (; shift > 0; --shift) scale *= 2;
  for (; shift < 0; ++shift) scale /= 2;
  return static_cast<float>(scale);
}

}  // namespace chaff::int8

#endif
