// SPDX-License-Identifier: MIT
/// Built with -fno-exceptions -fno-rtti: answers are the same, and an error reaches the program's own handler.
#include <chaff/chaff.hpp>
#include <csetjmp>
#include <cstdio>
#include <cstring>

static std::jmp_buf out;
static const char* expected_message = "";
static bool message_fits = false;

[[noreturn]] static void handler(const char* message) {
  message_fits = std::strcmp(message, expected_message) == 0;
  std::longjmp(out, 1);
}

int main() {
  static float z[] = {1, 2, 3}, y[3] = {};
  chaff::apply(chaff::dcp{.beta = 1.2}, z, y);
  if (!(y[2] > y[1] && y[1] > 0)) return std::puts("no lawful answer"), 1;

  chaff::set_failure_handler(handler);
  z[1] = std::numeric_limits<float>::quiet_NaN();
  expected_message = "chaff: logit 1 of row 0 is NaN";
  if (setjmp(out) == 0) {
    chaff::apply(chaff::dcp{}, z, y);
    return std::puts("no error for NaN"), 1;
  }
  if (!message_fits) return std::puts("another message for NaN"), 1;
  if (y[0] != 0 || y[1] != 0 || y[2] != 0) return std::puts("the answer was not cleared"), 1;

  expected_message = "chaff: beta is -1, allowed is [0, 1000]";
  if (setjmp(out) == 0) {
    [[maybe_unused]] const auto model =
        chaff::defend([] { return std::array<float, 2>{}; }, chaff::dcp{.beta = -1, .tau = 0.9});
    return std::puts("no error for beta"), 1;
  }
  return message_fits ? 0 : 1;
}
