// SPDX-License-Identifier: MIT
/// The promises of every answer, demanded of rows that a fuzzer made up.
#ifndef CHAFF_TESTS_FUZZ_LAWFUL_HPP
#define CHAFF_TESTS_FUZZ_LAWFUL_HPP

#include <chaff/chaff.hpp>

#include "bytes.hpp"
#include "support/reference.hpp"

/// Any policy, in range or not.
inline chaff::policy some_policy(bytes& from) {
  chaff::policy some;
  some.keep_label = !(from.number(0, 3) == 0);
  if (from.flag()) some.label_margin = from.parameter();
  if (from.flag()) some.max_l1 = from.parameter();
  const auto forms = from.number(0, 11);
  if (forms < 3) some.input = static_cast<chaff::form>(forms);
  if (forms % 4 < 3) some.answer = static_cast<chaff::form>(forms % 4);
  some.constant_time_gate = from.number(0, 3) == 1;
  return some;
}

/// Calls use(defense) with one that needs nothing but logits, its parameters in range or not.
template <class Use>
void with_some_defense(bytes& from, Use use) {
  const auto kind = from.number(0, 6);
  chaff::reverse_sigmoid reversed{from.parameter(), from.parameter(),
                                  from.flag() ? chaff::odds::exact : chaff::odds::clamped};
  const double tau = from.parameter(), nu = from.flag() ? 1000 : from.parameter();
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  switch (kind) {
    case 0: return use(chaff::none{});
    case 1: return use(reversed);
    case 2: return use(chaff::gated{chaff::energy_gate{tau, nu}, reversed});
    case 3: return use(chaff::random_vertex{from.parameter(), key});
    case 4: return use(chaff::gated{chaff::confidence_gate{tau, nu}, chaff::misdirect{key}});
    default: return use(chaff::dcp{reversed.beta, reversed.gamma, nu, tau, reversed.rule});
  }
}

/// What must come of a row: an answer, an error, or, at the edge of the 1 % that a distribution may be off, either.
enum class expected { answer, error, either };

/// What a row's values say of its classes: logits or log-probabilities as they are, of probabilities the logarithms.
template <class T>
std::vector<reference::real> logits_of(std::span<const T> z, chaff::form input) {
  std::vector<reference::real> logits(z.begin(), z.end());
  if (input == chaff::form::probabilities) {
    for (auto& value : logits) value = std::log(value);
  }
  if (z.size() == 1) logits.push_back(input == chaff::form::logits ? 0 : std::log(-std::expm1(logits[0])));
  return logits;
}

template <class T>
expected expected_of(std::span<const T> z, chaff::form input) {
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
  if (input == chaff::form::logits) return expected::answer;
  if (z.size() == 1) return z[0] <= (are_probabilities ? T(1) : T(0)) ? expected::answer : expected::error;
  // the sum itself or its logarithm is held against 1 %
  const auto off = std::fabs(sum - 1);
  return off < 0.0098L ? expected::answer : off > 0.0102L ? expected::error : expected::either;
}

/// Demands the promises of the answer y to a single sigmoid value z.
template <class T>
void demand_lawful_sigmoid(T z, T y, const chaff::policy& promised) {
  const auto logits = logits_of<T>({&z, 1}, promised.input);
  const reference::real half = promised.answer == chaff::form::probabilities       ? 0.5L
                               : promised.answer == chaff::form::log_probabilities ? std::log(0.5L)
                                                                                   : 0.0L;
  if (promised.answer == chaff::form::probabilities) demand(y >= 0 && y <= 1, "a sigmoid in [0, 1]");
  if (promised.answer == chaff::form::log_probabilities) demand(y <= 0, "a logarithm of a sigmoid");
  demand(y == y, "no NaN");
  const auto lead = logits[0] - logits[1];
  const bool is_sure = promised.input == chaff::form::logits ? lead != 0 : std::fabs(lead) > 1e-6L;
  if (promised.keep_label && is_sure) {
    demand((static_cast<reference::real>(y) > half) == (lead > 0), "a sigmoid on its side of 1/2");
  }
}

/// Demands the promises of the answer y to values z of K >= 2 classes; `reduced` if anything came after the
/// perturbation.
template <class T>
void demand_lawful_row(std::span<const T> z, std::span<const T> y, const chaff::policy& promised, bool reduced) {
  constexpr double eps = std::numeric_limits<T>::epsilon();
  const T impossible = promised.input == chaff::form::probabilities ? T(0) : -std::numeric_limits<T>::infinity();
  const bool as_logarithms = promised.answer != chaff::form::probabilities;
  const auto k = static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
  std::vector<double> answer(y.begin(), y.end());
  double sum = 0, second = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (as_logarithms) answer[i] = std::exp(answer[i]);
    demand(answer[i] >= 0 && answer[i] <= 1 + 8 * eps, "entries in [0, 1]");
    demand(z[i] != impossible || answer[i] == 0, "0 for a class that cannot occur");
    demand(!promised.keep_label || i == k || y[k] > y[i], "the label strictly first");
    sum += answer[i];
    if (i != k) second = std::max(second, answer[i]);
  }
  const auto classes = static_cast<double>(z.size());
  // a logarithm is off by a unit in its last place, and rounded by half of one
  const double of_logarithms = as_logarithms ? 16 * (1 + std::log(classes)) * eps : 0;
  demand(std::abs(sum - 1) <= 4 * classes * eps + of_logarithms, "a sum of 1");
  if (promised.keep_label) demand(answer[k] - second >= promised.label_margin - 1e-6, "the label's margin");
  const auto p = reference::softmax(logits_of(z, promised.input));
  reference::real rival = 0;
  for (std::size_t i = 0; i < p.size(); ++i) rival = i == k ? rival : std::max(rival, p[i]);
  // what the margin needs outranks the budget
  if (!reduced && (promised.label_margin == 0 || static_cast<double>(p[k] - rival) >= promised.label_margin + 1e-6)) {
    demand(static_cast<double>(reference::l1(answer, p)) <= promised.max_l1 + 1e-6, "the L1 budget");
  }
}

template <class T>
void demand_lawful(std::span<const T> z, std::span<const T> y, const chaff::policy& promised, bool reduced) {
  z.size() == 1 ? demand_lawful_sigmoid<T>(z[0], y[0], promised) : demand_lawful_row<T>(z, y, promised, reduced);
}

/// What is to be expected of rows: an error if of any.
template <class T>
expected expected_of_rows(std::span<const T> z, std::size_t classes, chaff::form input) {
  expected all = expected::answer;
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const expected one = expected_of(z.subspan(i, classes), input);
    if (one == expected::error) return one;
    if (one == expected::either) all = one;
  }
  return all;
}

/// Answers rows, and demands an error with nothing left in the answer, or lawful answers that have the same bits alone
/// and in place: never both, never neither.
template <class T, class Defense>
void answer_and_demand(const Defense& used, const std::vector<T>& z, std::size_t classes, const chaff::policy& promised,
                       bool reduced) {
  std::vector<T> y(z.size(), T(7));
  const expected all = expected_of_rows(std::span<const T>(z), classes, promised.input);
  const auto demand_cleared = [&] {
    for (const T value : y) demand(value == 0, "an answer cleared before an error");
  };
  try {
    chaff::apply_rows(used, z, classes, y, promised);
  } catch (const std::invalid_argument&) {
    return demand_cleared();
  } catch (const std::domain_error&) {
    demand(all != expected::answer, "no error for rows that can be answered");
    return demand_cleared();
  }
  demand(all != expected::error, "an error for a row that cannot be answered");
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const auto row = std::span<const T>(z).subspan(i, classes);
    const auto answer = std::span<const T>(y).subspan(i, classes);
    demand_lawful<T>(row, answer, promised, reduced);
    std::vector<T> alone(row.begin(), row.end());
    chaff::apply(used, alone, alone, promised);
    demand(std::memcmp(alone.data(), answer.data(), classes * sizeof(T)) == 0, "the same bits alone and in place");
  }
}

/// Rows of some classes, made of what is left of the input; in most cases distributions where the policy says so.
template <class T>
std::vector<T> some_rows(bytes& from, std::size_t classes, chaff::form input) {
  std::vector<T> z(classes * from.number(1, 20));
  for (T& value : z) value = from.logit<T>();
  if (input == chaff::form::logits || from.number(0, 3) == 1) return z;
  for (std::size_t i = 0; i < z.size(); i += classes) {
    const auto row = std::span<T>(z).subspan(i, classes);
    if (expected_of<T>(row, chaff::form::logits) != expected::answer) continue;
    const auto p = reference::softmax(logits_of<T>(row, chaff::form::logits));
    for (std::size_t c = 0; c < classes; ++c) {
      row[c] = static_cast<T>(input == chaff::form::probabilities ? p[c] : std::log(p[c]));
    }
  }
  return z;
}

#endif
