// SPDX-License-Identifier: MIT
/// What an answer costs on a Cortex-M, in instructions: see instructions.hpp for how they are counted.
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/softmax.hpp>
#include <cstdio>

#include "instructions.hpp"

namespace {

constexpr float scale = 0.05f;
constexpr chaff::int8::softmax plain(scale);
constexpr chaff::int8::dcp open({.input_scale = scale, .beta = 1.2f});              // tau above 1: always open
constexpr chaff::int8::dcp closed({.input_scale = scale, .beta = 0.9f, .tau = 0});  // always closed

std::int8_t logits[1000], answer[1000];

/// Bell-shaped logits, with a deviation of 1.5 nats.
void draw_row(std::size_t classes) {
  std::uint32_t state = 20230904;
  for (std::size_t i = 0; i < classes; ++i) {
    int sum = 0;
    for (int j = 0; j < 12; ++j) {
      state = state * 1664525u + 1013904223u;
      sum += static_cast<int>(state >> 24) - 128;
    }
    const int q = sum * 30 / 256;  // twelve uniform numbers of deviation 74
    logits[i] = static_cast<std::int8_t>(q < -128 ? -128 : q > 127 ? 127 : q);
  }
}

template <class Defense>
unsigned long of_row(const Defense& defense, std::size_t classes) {
  constexpr std::uint32_t repetitions = 40;  // so that a tick is one instruction of a row
  return instructions::of([&] {
           for (std::uint32_t i = 0; i < repetitions; ++i) {
             defense(std::span<const std::int8_t>(logits, classes), std::span<std::int8_t>(answer, classes));
           }
         }) /
         repetitions;
}

}  // namespace

int main() {
  std::printf("instructions a row, and a class, int8 to int8\n");
  std::printf("%7s %20s %20s %20s\n", "classes", "softmax", "dcp, gate closed", "dcp, gate open");
  bool within = true;
  for (const std::size_t classes : {10u, 100u, 1000u}) {
    draw_row(classes);
    const unsigned long rows[] = {of_row(plain, classes), of_row(closed, classes), of_row(open, classes)};
    std::printf("%7u", static_cast<unsigned>(classes));
    for (const unsigned long row : rows) {
      const unsigned long tenths = row * 10 / classes;
      std::printf(" %10lu %7lu.%lu", row, tenths / 10, tenths % 10);
    }
    std::printf("\n");
    within = within && (classes != 10 || rows[2] < 4000) && (classes != 1000 || rows[2] < 60000);
  }
  std::printf("%s: at most 4000 instructions for 10 classes, 60 a class for 1000, gate open\n",
              within ? "within the limits" : "OVER THE LIMITS");
  return within ? 0 : 1;
}
