// SPDX-License-Identifier: MIT
/// Any defense of the library's parts, and any policy, is the same after it was written as text and read again: on
/// those that RapidCheck generates. Its seed is printed with a failure; RC_PARAMS="seed=N" repeats it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <chaff/any_defense.hpp>
#include <cmath>
#include <cstring>

#include "support/shared_text.hpp"

namespace {

using chaff::any_defense;

/// A number in [low, high]: on a coarse grid or, as often, with any digits; and the ends themselves.
double number(double low, double high) {
  const int kind = *rc::gen::inRange(0, 8);
  if (kind == 0) return low;
  if (kind == 1) return high;
  if (kind < 5) return low + (high - low) * *rc::gen::inRange(0, 101) / 100;
  const double any = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
  return std::isfinite(any) && any >= low && any <= high ? any : low + (high - low) * std::abs(std::fmod(any, 1));
}

double finite_number(double low, double high) {
  const double any = number(low, high);
  return std::isfinite(any) ? any : low;
}

chaff::odds rule() {
  return *rc::gen::element(chaff::odds::clamped, chaff::odds::exact);
}

chaff::key key() {
  std::string digits(32, '0');
  for (char& digit : digits) digit = "0123456789abcdefABCDEF"[*rc::gen::inRange(0, 22)];
  return chaff::key(digits);
}

std::optional<double> optional_tau(double low, double high) {
  return *rc::gen::arbitrary<bool>() ? std::optional(finite_number(low, high)) : std::nullopt;
}

chaff::reverse_sigmoid reverse_sigmoid() {
  return {finite_number(0, 1000), finite_number(0, 1000), rule()};
}

/// A perturbation behind a gate, or alone.
template <class P>
any_defense behind_some_gate(const P& perturbation) {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: return perturbation;
    case 1: return chaff::gated{chaff::always{}, perturbation};
    case 2: return chaff::gated{chaff::confidence_gate{finite_number(0, 10), finite_number(1e-6, 1e9)}, perturbation};
    default: return chaff::gated{chaff::energy_gate{finite_number(-1e6, 1e6), finite_number(1e-6, 1e9)}, perturbation};
  }
}

any_defense defense_without_reductions() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0: return chaff::none{};
    case 1:
      return chaff::dcp{finite_number(0, 1000), finite_number(0, 1000), finite_number(1e-6, 1e9), optional_tau(0, 10),
                        rule()};
    case 2:
      return chaff::energy_dcp{finite_number(0, 1000), finite_number(0, 1000), finite_number(1e-6, 1e9),
                               finite_number(-1e6, 1e6), rule()};
    case 3: return behind_some_gate(reverse_sigmoid());
    case 4: return behind_some_gate(chaff::random_vertex{finite_number(0, 2), key()});
    case 5: return behind_some_gate(chaff::modelguard_w{finite_number(0, 2)});
    default: return behind_some_gate(chaff::misdirect{key()});
  }
}

any_defense with_a_reduction(const any_defense& defense) {
  switch (*rc::gen::inRange(0, 5)) {
    case 0: return defense | chaff::top_k{*rc::gen::inRange<std::size_t>(1, 40)};
    case 1: return defense | chaff::rounded{*rc::gen::inRange(0, 8)};
    case 2: return defense | chaff::label_only{};
    case 3: return defense | chaff::high_confidence{finite_number(0, 1)};
    default: return defense | chaff::gaussian_noise{finite_number(0, 10), key()};
  }
}

any_defense generate_defense() {
  any_defense defense = defense_without_reductions();
  for (int left = *rc::gen::inRange(0, 5); left > 0; --left) defense = with_a_reduction(defense);
  return defense;
}

chaff::policy generate_policy() {
  const bool keep_label = *rc::gen::arbitrary<bool>();
  const auto form = [] {
    return *rc::gen::element(chaff::form::logits, chaff::form::probabilities, chaff::form::log_probabilities);
  };
  return {keep_label,
          keep_label ? finite_number(0, 1) : 0,
          finite_number(0, 2),
          form(),
          form(),
          *rc::gen::arbitrary<bool>(),
          *rc::gen::inRange<std::size_t>(0, 1000)};
}

template <class T>
std::vector<T> answer(const any_defense& defense, const chaff::policy& policy) {
  std::vector<T> rows;
  for (int i = 0; i < 36; ++i) rows.push_back(static_cast<T>((i * i * 7 + i * 5) % 23) / 4);
  std::vector<T> output(rows.size(), T(7));
  try {
    chaff::apply_rows(defense, rows, 12, output, policy);
  } catch (const std::invalid_argument& error) {
    output.push_back(static_cast<T>(std::string_view(error.what()).size()));
  }
  return output;
}

/// The text with blanks at random between its words.
std::string with_blanks(const std::string& text) {
  std::string spread;
  for (const char c : text) {
    const bool is_between = std::string_view("(),=|").find(c) != std::string_view::npos;
    const auto blanks = [&] {
      if (is_between) spread += *rc::gen::element("", "", " ", "\n\t", "\r\n");
    };
    blanks();
    if (c != ' ' || *rc::gen::arbitrary<bool>()) spread += c;
    blanks();
  }
  return spread;
}

RC_GTEST_PROP(RoundTrip, OfADefenseGivesTheSameTextAndBits, ()) {
  const any_defense defense = generate_defense();
  const std::string text = to_string(defense);
  const any_defense read = chaff::parse_defense(text);
  RC_ASSERT(to_string(read) == text);
  const chaff::policy policy{.keep_label = *rc::gen::arbitrary<bool>()};
  RC_ASSERT(answer<float>(read, policy) == answer<float>(defense, policy));
  RC_ASSERT(answer<double>(read, policy) == answer<double>(defense, policy));
}

RC_GTEST_PROP(RoundTrip, OfADefenseTakesBlanksAnywhere, ()) {
  const std::string text = to_string(generate_defense());
  RC_ASSERT(to_string(chaff::parse_defense(with_blanks(text))) == text);
}

RC_GTEST_PROP(RoundTrip, OfAPolicyGivesTheSamePolicy, ()) {
  const chaff::policy policy = generate_policy();
  const std::string text = to_string(policy);
  const chaff::policy read = chaff::parse_policy(text);
  RC_ASSERT(to_string(read) == text);
  RC_ASSERT(read.keep_label == policy.keep_label);
  RC_ASSERT(read.label_margin == policy.label_margin);
  RC_ASSERT(read.max_l1 == policy.max_l1);
  RC_ASSERT(read.input == policy.input);
  RC_ASSERT(read.answer == policy.answer);
  RC_ASSERT(read.constant_time_gate == policy.constant_time_gate);
  RC_ASSERT(read.classes == policy.classes);
  RC_ASSERT(to_string(chaff::parse_policy(with_blanks(text))) == text);
}

RC_GTEST_PROP(RoundTrip, OfTextWithOneCharacterChangedIsAnErrorOrATextOfItsOwn, ()) {
  std::string text = to_string(generate_defense());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  try {
    const std::string canonical = to_string(chaff::parse_defense(text));
    RC_ASSERT(to_string(chaff::parse_defense(canonical)) == canonical);
  } catch (const std::invalid_argument& error) {
    RC_ASSERT(std::string_view(error.what()).starts_with("chaff: defense, position "));
  }
}

}  // namespace
