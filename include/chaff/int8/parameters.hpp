// SPDX-License-Identifier: MIT
/// The parameters of the edge path, and the table of constants that they become before any row is answered.
#ifndef CHAFF_INT8_PARAMETERS_HPP
#define CHAFF_INT8_PARAMETERS_HPP

#include <bit>

#include "chaff/int8/table.h"

#if defined(__cpp_exceptions)
#include <cstdio>
#include <stdexcept>
#endif

namespace chaff::int8 {

/// What is done about a class with p > 1/2, as chaff::odds.
enum class odds { clamped, exact };

/// input_scale in [1e-6, 30]: a logit is input_scale q, the zero point never matters. beta in [0, 10], gamma in
/// [0, 10], nu in [1, 10000], tau in [0, 10]; the meaning is that of chaff::dcp.
struct parameters {
  float input_scale;
  float beta = 0.9f;
  float gamma = 0.2f;
  float nu = 1000;
  float tau = beta;
  odds rule = odds::clamped;
};

/// Where a parameter out of range ends: no constant, so at compile time an error that names this function; at run time
/// std::invalid_argument, and a trap in a program without exceptions.
[[noreturn, gnu::cold]] inline void parameter_out_of_range([[maybe_unused]] const char* name,
                                                           [[maybe_unused]] double value, [[maybe_unused]] double low,
                                                           [[maybe_unused]] double high) {
#if defined(__cpp_exceptions)
  char message[128];
  std::snprintf(message, sizeof message, "chaff: %s is %g, allowed is [%g, %g]", name, value, low, high);
  throw std::invalid_argument(message);
#else
  __builtin_trap();
#endif
}

constexpr double in_range(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) parameter_out_of_range(name, value, low, high);
  return value;
}

/// exp(-x), x >= 0, in double, for tables: largest relative error 1e-14 (the series of exp(-x / 2^n), squared n times).
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
  const double scale = in_range("input_scale", static_cast<double>(given.input_scale), 1e-6, 30);
  const double beta = in_range("beta", static_cast<double>(given.beta), 0, 10);
  const double gamma = in_range("gamma", static_cast<double>(given.gamma), 0, 10);
  double nu = in_range("nu", static_cast<double>(given.nu), 1, 10000) * log2e;
  const double tau = in_range("tau", static_cast<double>(given.tau), 0, 10);
  chaff_int8_table table{};
  for (int i = 0; i < 16; ++i) {
    table.coarse_q47[i] = static_cast<std::uint64_t>(scaled(exp_minus(16 * scale * i), 47));
    table.fine_q31[i] = static_cast<std::uint32_t>(scaled(exp_minus(scale * i), 31));
  }
  table.scale_q26 = static_cast<std::uint32_t>(scaled(scale, 26));
  table.half_beta_q28 = static_cast<std::uint32_t>(scaled(beta / 2, 28));
  table.gamma_q26 = static_cast<std::uint32_t>(scaled(gamma * log2e, 26));
  table.nu_shift = 26;
  for (; nu >= 2; nu /= 2) --table.nu_shift;
  table.nu_mantissa = static_cast<std::uint32_t>(scaled(nu, 26));
  table.tau_q31 = static_cast<std::int64_t>(scaled(tau, 31));
  table.gate = static_cast<std::uint8_t>(gate);
  table.exact_odds = given.rule == odds::exact;
  return table;
}

}  // namespace chaff::int8

#endif
