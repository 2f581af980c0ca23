// SPDX-License-Identifier: MIT
/// Answers rows of logits by chaff::apply_rows: what the tests expect of nginx, bit for bit.
///
/// expected f32|f64 CLASSES DEFENSE [POLICY]: raw numbers from standard input to standard output.
#include <chaff/any_defense.hpp>
#include <chaff/apply.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

template <class T>
void answer(const chaff::any_defense& defense, std::size_t classes, const chaff::policy& policy) {
  const std::string bytes{std::istreambuf_iterator<char>(std::cin), {}};
  std::vector<T> logits(bytes.size() / sizeof(T)), output(logits.size());
  bytes.copy(reinterpret_cast<char*>(logits.data()), logits.size() * sizeof(T));
  chaff::apply_rows(defense, std::span<const T>(logits), classes, std::span<T>(output), policy);
  std::cout.write(reinterpret_cast<const char*>(output.data()),
                  static_cast<std::streamsize>(output.size() * sizeof(T)));
}

int main(int count, char** arguments) {
  if (count < 4) return 2;
  try {
    const auto defense = chaff::parse_defense(arguments[3]);
    const auto policy = count > 4 ? chaff::parse_policy(arguments[4]) : chaff::policy{};
    const std::size_t classes = std::strtoul(arguments[2], nullptr, 10);
    if (std::string(arguments[1]) == "f64") {
      answer<double>(defense, classes, policy);
    } else {
      answer<float>(defense, classes, policy);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "expected: %s\n", error.what());
    return 1;
  }
}
