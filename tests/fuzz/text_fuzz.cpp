// SPDX-License-Identifier: MIT
/// Text of a defense or a policy: any bytes. Checks: an error has a position and shows no key; what was read has a
/// canonical text, which reads as the same defense with the same bits, and answers keep the guarantees.
#include <cstring>
#include <string>

#include "guarantees.hpp"

namespace {

/// What parsing returns or, without a value, that it raised the error that it may raise.
template <class Parse>
auto parsed(Parse parse, const std::string& text, std::string_view what) -> std::optional<decltype(parse(text))> {
  try {
    return parse(text);
  } catch (const std::invalid_argument& error) {
    const std::string_view message = error.what();
    demand(message.starts_with("chaff: " + std::string(what) + ", position "), "a position in an error");
    std::size_t digits = 0;
    for (const char c : message) {
      digits = std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos ? digits + 1 : 0;
      demand(digits < 24, "no key in an error");
    }
    return {};
  }
}

void try_defense(const std::string& text) {
  const auto parse = [](const std::string& given) { return chaff::parse_defense(given); };
  const auto defense = parsed(parse, text, "defense");
  if (!defense) return;
  const std::string canonical = to_string(*defense);
  const auto again = parsed(parse, canonical, "defense");
  demand(again.has_value(), "canonical text that is read");
  demand(to_string(*again) == canonical, "canonical text that stays");
  const chaff::policy policy{.keep_label = canonical.find("misdirect") == std::string::npos};
  std::vector<double> z(36);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<double>(i * i * 7 % 23) / 4;
  std::vector<double> y(z.size()), y_again(z.size());
  chaff::apply_rows(*defense, z, 12, y, policy);
  chaff::apply_rows(*again, z, 12, y_again, policy);
  demand(std::memcmp(y.data(), y_again.data(), y.size() * sizeof(double)) == 0, "the same bits");
  answer_and_demand<double>(*defense, z, 12, policy, canonical.find('|') != std::string::npos);
}

void try_policy(const std::string& text) {
  const auto parse = [](const std::string& given) { return chaff::parse_policy(given); };
  const auto policy = parsed(parse, text, "policy");
  if (!policy) return;
  const std::string canonical = to_string(*policy);
  const auto again = parsed(parse, canonical, "policy");
  demand(again && to_string(*again) == canonical, "canonical text of a policy that stays");
  chaff::check(chaff::none{}, *policy);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_defense(text);
  try_policy(text);
  return 0;
}
