// SPDX-License-Identifier: MIT
/// The defense that is audited, as text: a range of one parameter, and the parameters that calibrate chooses.
#ifndef CHAFF_EXAMPLES_AUDIT_DEFENSE_TEXT_HPP
#define CHAFF_EXAMPLES_AUDIT_DEFENSE_TEXT_HPP

#include <algorithm>
#include <chaff/any_defense.hpp>
#include <chaff/calibration/calibrate.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "decimal.hpp"

namespace audit {

/// A number as text that parse_defense reads as the same number.
inline std::string number_text(double value, int digits = 17) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

/// The value of a parameter in a canonical text; the first one, where several parts have it; "" where none has.
inline std::string_view value_in(std::string_view text, const std::string& parameter) {
  const std::size_t found = text.find(parameter + "=");
  if (found == text.npos) return "";
  const std::size_t begin = found + parameter.size() + 1;
  return text.substr(begin, text.find_first_of(",)", begin) - begin);
}

inline double number_in(std::string_view text, const std::string& parameter) {
  double value = 0;
  read_decimal(value_in(text, parameter), value);
  return value;
}

/// The canonical text with another value of a parameter, or with one where it has none.
inline std::string with_value(std::string text, const std::string& parameter, double value) {
  const std::string_view old = value_in(text, parameter);
  if (old.empty()) {
    text.insert(text.find('(') + 1, parameter + "=" + number_text(value) + ", ");
  } else {
    text.replace(static_cast<std::size_t>(old.data() - text.data()), old.size(), number_text(value));
  }
  return to_string(chaff::parse_defense(text));
}

/// What --defense describes: a defense, or one for each value in a range of one of its parameters.
struct audited_defenses {
  std::vector<std::string> texts;  ///< canonical
  std::string parameter;           ///< that has a range; "" for one defense
  std::vector<double> values;      ///< of that parameter
  bool needs_tau = false;          ///< an energy gate has none; calibrate's is to replace the 0 in the texts
};

/// Parses from:to:step.
inline std::vector<double> parse_range(std::string_view text) {
  double numbers[3] = {};
  bool is_range = true;
  for (double& number : numbers) {
    const std::size_t end = &number == &numbers[2] ? text.npos : text.find(':');
    is_range &= read_decimal(text.substr(0, end), number) == decimal::number;
    text.remove_prefix(end < text.size() ? end + 1 : text.size());
  }
  const auto [from, to, step] = numbers;
  if (!is_range || !(step > 0) || !(to >= from) || !((to - from) / step <= 1000)) {
    throw std::invalid_argument("--defense: a range is parameter=from:to:step, of at most 1000 steps");
  }
  std::vector<double> values;
  const auto steps = static_cast<int>((to - from) / step + 1e-9);
  for (int i = 0; i <= steps; ++i) values.push_back(from + i * step);
  return values;
}

inline constexpr const char* blanks = " \t\r\n";

/// Gives an energy gate without a tau one of 0. Returns whether there is such a gate.
inline bool give_tau(std::string& text) {
  for (const std::string_view part : {"energy_dcp", "energy_gate"}) {
    const std::size_t found = text.find(part);
    if (found == text.npos) continue;
    const std::size_t end = found + part.size(), next = std::min(text.find_first_not_of(blanks, end), text.size());
    if (next == text.size() || text[next] == '|' || text[next] == ',') {
      text.insert(end, "(tau=0)");
      return true;
    }
    if (text[next] != '(' || text.substr(next, text.find(')', next) - next).find("tau") != text.npos) return false;
    const std::size_t first = text.find_first_not_of(blanks, next + 1);
    text.insert(next + 1, first != text.npos && text[first] == ')' ? "tau=0" : "tau=0, ");
    return true;
  }
  return false;
}

/// Reads --defense: the text of a defense, in which one number may be a range, from:to:step.
inline audited_defenses read_defenses(std::string text) {
  audited_defenses result;
  result.needs_tau = give_tau(text);
  const std::size_t colon = text.find(':');
  if (colon == text.npos) {
    result.texts.push_back(to_string(chaff::parse_defense(text)));
    return result;
  }
  const std::size_t equals = text.rfind('=', colon);
  const std::size_t begin = text.find_first_not_of(blanks, equals + 1);  // of the range
  const std::size_t end = std::min(text.find_first_of(",) \t\r\n", colon), text.size());
  result.values = parse_range(equals == text.npos ? "" : std::string_view(text).substr(begin, end - begin));
  const std::size_t name_end = text.find_last_not_of(blanks, equals - 1) + 1;
  const std::size_t name = text.find_last_of("(, \t\r\n", name_end - 1) + 1;
  result.parameter = text.substr(name, name_end - name);
  for (const double value : result.values) {
    const std::string one = text.substr(0, begin) + number_text(value, 10) + text.substr(end);
    result.texts.push_back(to_string(chaff::parse_defense(one)));
  }
  return result;
}

/// Whether calibrate is to choose the tau of a canonical text's gate, and the beta of its perturbation.
inline bool has_choice(std::string_view text) {
  return (text.find("dcp(") != text.npos || text.find("_gate(") != text.npos) &&
         text.find("random_vertex(") == text.npos;
}

/// Calls use(defense) with the gate and the perturbation of a canonical text, without its reductions. Parameters that
/// calibrate chooses have their defaults.
template <class Use>
auto with_gated_defense(const std::string& text, Use use) {
  const auto with_gate = [&](const auto& perturbation) {
    const double nu = number_in(text, "nu");
    return text.find("energy_") != text.npos ? use(chaff::gated{chaff::energy_gate{.nu = nu}, perturbation})
                                             : use(chaff::gated{chaff::confidence_gate{.nu = nu}, perturbation});
  };
  if (text.find("misdirect(") != text.npos) return with_gate(chaff::misdirect{chaff::key(value_in(text, "key"))});
  return with_gate(
      chaff::reverse_sigmoid{.gamma = number_in(text, "gamma"),
                             .rule = value_in(text, "rule") == "exact" ? chaff::odds::exact : chaff::odds::clamped});
}

/// The canonical text with the tau and beta that calibrate chooses.
template <class Step>
std::string calibrated_text(const std::string& text, const chaff::calibration_data<float>& data,
                            const chaff::utility_budget& budget, const chaff::policy& policy, Step step) {
  return with_gated_defense(text, [&](const auto& defense) {
    const auto chosen = chaff::calibrate(data, budget, defense, policy, step);
    const std::string result = with_value(text, "tau", chosen.tau);
    return std::isnan(chosen.beta) ? result : with_value(result, "beta", chosen.beta);
  });
}

}  // namespace audit

#endif
