// SPDX-License-Identifier: MIT
/// Prints digests of outputs that go through every kernel and stage, and checks what becomes of NaN and the infinities,
/// which are made from bits. It is compiled with parts of -ffast-math, so it computes nothing itself that they change.
#include <bit>
#include <chaff/core.hpp>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <vector>

namespace {

template <class T>
using bits_of = std::make_unsigned_t<chaff::simd::int_of<T>>;

template <class T>
constexpr bits_of<T> infinity_bits = sizeof(T) == 4 ? static_cast<bits_of<T>>(0x7f800000u)
                                                    : static_cast<bits_of<T>>(0x7ff0000000000000u);
template <class T>
constexpr bits_of<T> sign_bit = bits_of<T>{1} << (8 * sizeof(T) - 1);
template <class T>
constexpr bits_of<T> nan_bits = infinity_bits<T> | infinity_bits<T> >> 1;

template <class T>
void put(T& to, bits_of<T> bits) {
  std::memcpy(&to, &bits, sizeof bits);
}

template <class T>
std::vector<T> rows_of(std::size_t count) {
  std::vector<T> logits(count);
  std::uint32_t state = 1;
  for (T& logit : logits) {
    state = state * 1664525u + 1013904223u;
    logit = static_cast<T>(static_cast<std::int32_t>(state) >> 8) * T(0x1p-20);  // in [-8, 8), exactly
  }
  return logits;
}

int failures = 0;

/// Whether the rows are refused, for a class that has these bits.
template <class T, class Defense>
void expect_refusal(const Defense& defense, std::vector<T> logits, std::size_t classes, bits_of<T> bits,
                    const char* what) {
  put(logits[classes / 2], bits);
  std::vector<T> output(logits.size());
  try {
    chaff::apply_rows(defense, logits, classes, output);
    std::printf("%s is accepted in a row of %zu classes\n", what, classes);
    ++failures;
  } catch (const std::domain_error&) {
  }
}

template <class T, class Defense>
void print_digest(const char* name, const Defense& defense, const chaff::policy& policy = {}) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  constexpr std::size_t lengths[] = {1, 2, 3, 10, 33, 100, 1000};
  for (const std::size_t classes : lengths) {
    const std::size_t batches[] = {1, classes == 1 ? 20000u : 20u};
    for (const std::size_t rows : batches) {
      std::vector<T> logits = rows_of<T>(classes * rows);
      if (classes > 2) put(logits[classes / 2], infinity_bits<T> | sign_bit<T>);  // a masked class
      if (policy.input == chaff::form::probabilities) {
        if (classes == 1) continue;
        chaff::apply_rows(chaff::none{}, logits, classes, logits);
      }
      std::vector<T> output(logits.size());
      chaff::apply_rows(defense, logits, classes, output, policy);
      for (const T value : output) hash = (hash ^ std::bit_cast<bits_of<T>>(value)) * 0x100000001b3u;
      if (policy.input != chaff::form::logits) continue;
      expect_refusal<T>(defense, logits, classes, nan_bits<T>, "NaN");
      expect_refusal<T>(defense, logits, classes, infinity_bits<T>, "+inf");
    }
  }
  std::printf("%s %zu: %08lx%08lx\n", name, sizeof(T), static_cast<unsigned long>(hash >> 32),
              static_cast<unsigned long>(hash & 0xffffffffu));
}

template <class T>
void print_digests() {
  const chaff::key key("000102030405060708090a0b0c0d0e0f");
  print_digest<T>("none", chaff::none{});
  print_digest<T>("dcp", chaff::dcp{.beta = 1.2});
  print_digest<T>("exact odds", chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact});
  print_digest<T>("energy gate", chaff::energy_dcp{.tau = 4.0});
  print_digest<T>("label margin", chaff::dcp{.beta = 1.2}, {.label_margin = 0.01});
  print_digest<T>("L1 budget", chaff::dcp{.beta = 1.2}, {.max_l1 = 0.5});
  print_digest<T>("log-probabilities", chaff::dcp{.beta = 1.2}, {.answer = chaff::form::log_probabilities});
  print_digest<T>("posterior as log-probabilities", chaff::none{}, {.answer = chaff::form::log_probabilities});
  print_digest<T>("from probabilities", chaff::dcp{.beta = 1.2}, {.input = chaff::form::probabilities});
  print_digest<T>("random vertex, noise, rounded", chaff::random_vertex{.epsilon = 0.5, .key = key} |
                                                       chaff::gaussian_noise{.sigma = 0.1, .key = key} |
                                                       chaff::rounded{.decimals = 3});
  std::vector<T> large = rows_of<T>(100000);
  chaff::apply(chaff::dcp{.beta = 1.2}, large, large);
  std::uint64_t hash = 0;
  for (const T value : large) hash = (hash ^ std::bit_cast<bits_of<T>>(value)) * 0x100000001b3u;
  std::printf("100,000 classes %zu: %llx\n", sizeof(T), static_cast<unsigned long long>(hash));
  double margin = 0;
  bits_of<double> nan = nan_bits<double>;
  std::memcpy(&margin, &nan, sizeof nan);
  std::vector<T> output(3);
  try {
    chaff::apply(chaff::none{}, rows_of<T>(3), output, {.label_margin = margin});
    std::puts("a margin of NaN is accepted");
    ++failures;
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace

int main() {
  print_digests<float>();
  print_digests<double>();
  return failures != 0;
}
