// SPDX-License-Identifier: MIT
/// Checks the guarantees of every output on rows from a fuzzer.
#ifndef CHAFF_TESTS_FUZZ_GUARANTEES_HPP
#define CHAFF_TESTS_FUZZ_GUARANTEES_HPP

#include <chaff/chaff.hpp>

#include "bytes.hpp"
#include "support/every_defense.hpp"
#include "support/reference.hpp"

/// Any policy, in range or not.
inline chaff::policy some_policy(bytes& source) {
  chaff::policy some;
  some.keep_label = !(source.number(0, 3) == 0);
  if (source.flag()) some.label_margin = source.parameter();
  if (source.flag()) some.max_l1 = source.parameter();
  const auto forms = source.number(0, 11);
  if (forms < 3) some.input = static_cast<chaff::form>(forms);
  if (forms % 4 < 3) some.answer = static_cast<chaff::form>(forms % 4);
  some.constant_time_gate = source.number(0, 3) == 1;
  return some;
}

/// Calls use(defense) with a defense that needs nothing but logits; its parameters may be out of range.
template <class Use>
void with_some_defense(bytes& source, Use use) {
  const auto kind = source.number(0, 8);
  chaff::reverse_sigmoid reversed{source.parameter(), source.parameter(),
                                  source.flag() ? chaff::odds::exact : chaff::odds::clamped};
  const double tau = source.parameter(), nu = source.flag() ? 1000 : source.parameter();
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  switch (kind) {
    case 0: return use(chaff::none{});
    case 1: return use(reversed);
    case 2: return use(chaff::gated{chaff::energy_gate{tau, nu}, reversed});
    case 3: return use(chaff::random_vertex{source.parameter(), key});
    case 4: return use(chaff::gated{chaff::confidence_gate{tau, nu}, chaff::misdirect{key}});
    case 5: return use(chaff::energy_dcp{reversed.beta, reversed.gamma, nu, tau, reversed.rule});
    case 7: return use(chaff::modelguard_w{source.parameter()});
    case 8: return use(codebook_of_any_size(source.flag() ? 0.5 : 2));
    default: return use(chaff::dcp{reversed.beta, reversed.gamma, nu, tau, reversed.rule});
  }
}

/// What apply must return for a row: an output, an error, or, at the edge of the 1 % by which the sum of a distribution
/// may differ from 1, either.
enum class expected { output, error, either };

/// The logits of a row: logits or log-probabilities as they are, and the logarithms of probabilities.
template <class T>
std::vector<reference::real> logits_of(std::span<const T> z, chaff::form input) {
  std::vector<reference::real> logits(z.begin(), z.end());
  if (input == chaff::form::probabilities) {
    for (auto& value : logits) value = std::log(value);
  }
  if (z.size() == 1 && input == chaff::form::logits) logits.push_back(0);
  if (z.size() == 1 && input != chaff::form::logits) {
    logits[0] = std::min<reference::real>(logits[0], 0);
    logits.push_back(std::log(-std::expm1(logits[0])));
  }
  return logits;
}

/// Whether all of a row are probabilities as 8-bit networks give them.
template <class T>
bool is_8_bit(std::span<const T> z) {
  return std::all_of(z.begin(), z.end(), [](T p) { return p >= 0 && p <= 1 && p * 256 == std::floor(p * 256); });
}

template <class T>
expected expected_for(std::span<const T> z, chaff::form input) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const bool are_probabilities = input == chaff::form::probabilities;
  bool any = false;
  reference::real sum = 0;
  for (const T value : z) {
    if (!(value < infinity)) return expected::error;
    if (are_probabilities && value < 0) return expected::error;
    any = any || value > -infinity;
    sum += are_probabilities ? static_cast<reference::real>(value) : std::exp(static_cast<reference::real>(value));
  }
  if (!any) return expected::error;
  if (input == chaff::form::logits) return expected::output;
  // the library compares a sum, or its logarithm, with 1 %; a single value may be as far past 1, or past 0
  const auto excess = static_cast<reference::real>(z[0]) - (are_probabilities ? 1 : 0);
  const auto deviation = z.size() == 1 ? std::max<reference::real>(excess, 0) : std::fabs(sum - 1);
  if (are_probabilities && z.size() > 1 && deviation > 0.0098L && is_8_bit(z)) {
    const auto rounding = static_cast<reference::real>(z.size()) / 512;
    if (sum > 0 && deviation < rounding - 1e-9L) return expected::output;
    return sum > 0 && deviation < rounding + 1e-6L ? expected::either : expected::error;
  }
  return deviation < 0.0098L ? expected::output : deviation > 0.0102L ? expected::error : expected::either;
}

/// Checks the guarantees of the output y for a single sigmoid value z.
template <class T>
void demand_guarantees_of_sigmoid(T z, T y, const chaff::policy& policy) {
  const auto logits = logits_of<T>({&z, 1}, policy.input);
  const reference::real half = policy.answer == chaff::form::probabilities       ? 0.5L
                               : policy.answer == chaff::form::log_probabilities ? std::log(0.5L)
                                                                                 : 0.0L;
  if (policy.answer == chaff::form::probabilities) demand(y >= 0 && y <= 1, "a sigmoid in [0, 1]");
  if (policy.answer == chaff::form::log_probabilities) demand(y <= 0, "a logarithm of a sigmoid");
  demand(y == y, "no NaN");
  const auto lead = logits[0] - logits[1];
  const bool is_sure = policy.input == chaff::form::logits ? lead != 0 : std::fabs(lead) > 1e-6L;
  if (policy.keep_label && is_sure) {
    demand((static_cast<reference::real>(y) > half) == (lead > 0), "a sigmoid on its side of 1/2");
  }
}

/// Checks the guarantees of the output y for values z of K >= 2 classes; `is_reduced` if reductions come after the
/// perturbation.
template <class T>
void demand_guarantees_of_row(std::span<const T> z, std::span<const T> y, const chaff::policy& policy,
                              bool is_reduced) {
  constexpr double eps = std::numeric_limits<T>::epsilon();
  const T masked = policy.input == chaff::form::probabilities ? T(0) : -std::numeric_limits<T>::infinity();
  const bool as_logarithms = policy.answer != chaff::form::probabilities;
  const auto k = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
  std::vector<double> output(y.begin(), y.end());
  double sum = 0, second = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (as_logarithms) output[i] = std::exp(output[i]);
    demand(output[i] >= 0 && output[i] <= 1 + 8 * eps, "entries in [0, 1]");
    demand(z[i] != masked || output[i] == 0, "0 for a masked class");
    demand(!policy.keep_label || i == k || y[k] > y[i], "the label strictly first");
    sum += output[i];
    if (i != k) second = std::max(second, output[i]);
  }
  const auto classes = static_cast<double>(z.size());
  // a logarithm has an error of a unit in its last place, and half a unit of rounding
  const double logarithm_error = as_logarithms ? 16 * (1 + std::log(classes)) * eps : 0;
  demand(std::abs(sum - 1) <= 4 * classes * eps + logarithm_error, "a sum of 1");
  if (policy.keep_label) demand(output[k] - second >= policy.label_margin - 1e-6, "the label's margin");
  const auto p = reference::softmax(logits_of(z, policy.input));
  reference::real rival = 0;
  for (std::size_t i = 0; i < p.size(); ++i) rival = i == k ? rival : std::max(rival, p[i]);
  const double moved = static_cast<double>(reference::l1(output, p));
  // only a perturbation moves the posterior this far without a margin
  if (policy.keep_label && !is_reduced && policy.label_margin == 0 && policy.max_l1 >= 2 && moved > 1e-4) {
    demand(second <= 63.0 / 64 * output[k] * (1 + 8 * eps + logarithm_error),
           "a lead of 1/64 where a row is perturbed");
  }
  // the margin takes precedence over the budget
  if (!is_reduced && (policy.label_margin == 0 || static_cast<double>(p[k] - rival) >= policy.label_margin + 1e-6)) {
    demand(moved <= policy.max_l1 + 1e-6, "the L1 budget");
  }
}

template <class T>
void demand_guarantees(std::span<const T> z, std::span<const T> y, const chaff::policy& policy, bool is_reduced) {
  z.size() == 1 ? demand_guarantees_of_sigmoid<T>(z[0], y[0], policy)
                : demand_guarantees_of_row<T>(z, y, policy, is_reduced);
}

/// The expectation for a batch: an error if any row is expected to raise one.
template <class T>
expected expected_for_rows(std::span<const T> z, std::size_t classes, chaff::form input) {
  expected all = expected::output;
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const expected one = expected_for(z.subspan(i, classes), input);
    if (one == expected::error) return one;
    if (one == expected::either) all = one;
  }
  return all;
}

/// Answers rows, and checks that there is either an error and a zeroed output, or an output that keeps all guarantees
/// and has the same bits for each row alone and in place.
template <class T, class Defense>
void answer_and_demand(const Defense& defense, const std::vector<T>& z, std::size_t classes,
                       const chaff::policy& policy, bool is_reduced) {
  std::vector<T> y(z.size(), T(7));
  const expected all = expected_for_rows(std::span<const T>(z), classes, policy.input);
  const auto demand_zeroed = [&] {
    for (const T value : y) demand(value == 0, "an output zeroed before an error");
  };
  try {
    chaff::apply_rows(defense, z, classes, y, policy);
  } catch (const std::invalid_argument&) {
    return demand_zeroed();
  } catch (const std::domain_error&) {
    demand(all != expected::output, "no error for rows that can be answered");
    return demand_zeroed();
  }
  demand(all != expected::error, "an error for a row that cannot be answered");
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const auto row = std::span<const T>(z).subspan(i, classes);
    const auto output = std::span<const T>(y).subspan(i, classes);
    demand_guarantees<T>(row, output, policy, is_reduced);
    std::vector<T> alone(row.begin(), row.end());
    chaff::apply(defense, alone, alone, policy);
    demand(std::memcmp(alone.data(), output.data(), classes * sizeof(T)) == 0, "the same bits alone and in place");
  }
}

/// Rows of `classes` classes from the rest of the input; in most cases distributions where the policy says so.
template <class T>
std::vector<T> some_rows(bytes& source, std::size_t classes, chaff::form input) {
  std::vector<T> z(classes * source.number(1, 20));
  for (T& value : z) value = source.logit<T>();
  if (input == chaff::form::logits || source.number(0, 3) == 1) return z;
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const auto row = std::span<T>(z).subspan(i, classes);
    if (expected_for<T>(row, chaff::form::logits) != expected::output) continue;
    const auto p = reference::softmax(logits_of<T>(row, chaff::form::logits));
    for (std::size_t c = 0; c < classes; ++c) {
      row[c] = static_cast<T>(input == chaff::form::probabilities ? p[c] : std::log(p[c]));
    }
  }
  return z;
}

#endif
