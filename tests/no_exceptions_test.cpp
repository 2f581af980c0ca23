// SPDX-License-Identifier: MIT
/// Built with -fno-exceptions -fno-rtti: outputs are the same, an error zeroes the output and then reaches the failure
/// handler, and without a handler the message goes to standard error before the program is aborted.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chaff/adapters/strided.hpp>
#include <chaff/core.hpp>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <span>

static std::jmp_buf return_point;
static char last_message[512];
static float answer[] = {7, 7, 7};
static bool is_zeroed_at_failure = false;

static float apart[] = {7, 7, 7, 7, 7, 7};
static std::span<const float> watched = answer;

static bool is_zeroed() {
  return std::all_of(watched.begin(), watched.end(), [](float value) { return value == 0; });
}

[[noreturn]] static void handler(const char* message) {
  std::snprintf(last_message, sizeof last_message, "%s", message);
  is_zeroed_at_failure = is_zeroed();
  std::longjmp(return_point, 1);
}

static int failures = 0;
static void expect(bool holds, const char* what) {
  if (holds) return;
  std::printf("failed: %s (last message: %s)\n", what, last_message);
  ++failures;
}

/// Calls run, and expects that the failure handler gets this message.
template <class Run>
static void expect_failure(const char* message, Run run) {
  last_message[0] = '\0';
  std::fill(std::begin(answer), std::end(answer), 7.0f);
  if (setjmp(return_point) == 0) {
    run();
    expect(false, message);
  } else {
    expect(std::strcmp(last_message, message) == 0, message);
  }
}

/// Calls run in a child process, and expects that it is aborted after it wrote this line to standard error.
template <class Run>
static void expect_abort(const char* line, Run run) {
  int ends[2];
  if (pipe(ends) != 0) return expect(false, "no pipe");
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    run();
    _exit(0);
  }
  close(ends[1]);
  char text[512] = {};
  std::size_t size = 0;
  for (ssize_t n = 0; size < sizeof text - 1 && (n = read(ends[0], text + size, sizeof text - 1 - size)) > 0;) {
    size += static_cast<std::size_t>(n);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "the program is aborted");
  std::snprintf(last_message, sizeof last_message, "%s", text);
  expect(std::strcmp(text, line) == 0, line);
}

int main() {
  static float z[] = {1, 2, 3};
  chaff::apply(chaff::dcp{.beta = 1.2}, z, answer);
  expect(answer[2] > answer[1] && answer[1] > 0, "the output keeps the label first");

  chaff::set_failure_handler(handler);
  z[1] = std::numeric_limits<float>::quiet_NaN();
  expect_failure("chaff: logit 1 of row 0 is NaN", [] { chaff::apply(chaff::dcp{}, z, answer); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a row");
  z[1] = 2;

  expect_failure("chaff: beta is -1, allowed is [0, 1000]", [] { chaff::apply(chaff::dcp{.beta = -1}, z, answer); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a parameter");
  expect_failure("chaff: policy.max_l1 is 3, allowed is [0, 2]",
                 [] { chaff::apply(chaff::dcp{}, z, answer, {.max_l1 = 3}); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a policy");
  expect_failure("chaff: k of top_k is 0, allowed is 1 or more",
                 [] { chaff::apply(chaff::dcp{} | chaff::top_k{.k = 0}, z, answer); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a reduction");
  expect_failure("chaff: tau of the energy gate is not set, and no default fits every model: take it from calibrate",
                 [] { chaff::apply_rows(chaff::energy_dcp{}, z, 3, answer); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a gate");
  expect_failure("chaff: 3 logits are not a whole number of rows of 2 classes",
                 [] { chaff::apply_rows(chaff::dcp{}, z, 2, answer); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a shape");
  expect_failure("chaff: beta is -1, allowed is [0, 1000]", [] {
    [[maybe_unused]] const auto model = chaff::defend([] { return std::array<float, 2>{}; }, chaff::dcp{.beta = -1});
  });

  // defenses from text
  static const chaff::any_defense chosen_at_run_time = chaff::parse_defense("dcp(beta=1.2) | top_k(k=2)");
  chaff::apply(chosen_at_run_time, z, answer);
  expect(answer[2] > answer[1] && answer[1] > 0 && answer[0] == 0, "the output of a defense from text");
  expect(to_string(chosen_at_run_time) == "dcp(beta=1.2, gamma=0.2, nu=1000, rule=clamped) | top_k(k=2)", "the text");
  expect_failure("chaff: policy.max_l1 is 3, allowed is [0, 2]",
                 [] { chaff::apply(chosen_at_run_time, z, answer, {.max_l1 = 3}); });
  expect(is_zeroed_at_failure, "the output is zeroed before the error of a policy, with a defense from text");

  // rows that are apart in memory, of which the middle one has a fault
  static const float bad[] = {1, 2, 3, 3, std::numeric_limits<float>::quiet_NaN(), 1};
  static constexpr chaff::detail::strided_rows<const float> columns{bad, 3, 2, 1, 3};
  watched = apart;
  expect_failure("chaff: logit 1 of row 1 is NaN", [] {
    chaff::detail::apply_strided_rows(chaff::dcp{}, columns, chaff::detail::strided_rows<float>{apart, 3, 2, 1, 3}, {});
  });
  expect(is_zeroed_at_failure, "an output of columns is zeroed before the error of a row");
  std::fill(std::begin(apart), std::end(apart), 7.0f);
  expect_failure("chaff: logit 1 of row 1 is NaN", [] {
    chaff::detail::apply_strided_rows(chaff::dcp{}, columns, chaff::detail::strided_rows<float>{apart, 3, 2, 2, 1}, {});
  });
  expect(is_zeroed_at_failure, "an output of rows is zeroed before the error of a row among columns");
  std::fill(std::begin(apart), std::end(apart), 7.0f);
  expect_failure("chaff: gamma is -1, allowed is [0, 1000]", [] {
    chaff::detail::apply_strided_rows(chaff::dcp{.gamma = -1}, columns,
                                      chaff::detail::strided_rows<float>{apart, 3, 2, 1, 3}, {});
  });
  expect(is_zeroed_at_failure, "an output of columns is zeroed before the error of a parameter");
  watched = answer;

  // accounts: what the refusal leaves, and what errors leave
  static const chaff::query_monitor monitor(std::array<double, 8>{0.9, 1, 1, 1, 1, 1, 1, 1}, {.queries = 1e4});
  static double evidence = monitor.threshold();
  static const auto monitored =
      chaff::monitored([](const std::span<const float>& row) { return row; }, chaff::dcp{}, chaff::refuse{}, monitor);
  expect_failure("chaff: the account is flagged: its queries are unlike those of benign users",
                 [] { static_cast<void>(monitored(evidence, std::span<const float>(z))); });
  expect(evidence >= monitor.threshold(), "the account stays flagged");
  evidence = -1;
  expect_failure("chaff: evidence is -1, allowed is [0, 1.79769e+308]",
                 [] { static_cast<void>(monitored(evidence, std::span<const float>(z))); });
  expect_failure("chaff: score is NaN, allowed is any number",
                 [] { monitor.update(evidence = 1, std::numeric_limits<double>::quiet_NaN()); });
  expect(evidence >= 1 && evidence <= 1, "an error leaves the evidence as it was");
  expect_failure("chaff: benign_scores is empty, allowed is 1 score or more",
                 [] { chaff::query_monitor{std::span<const double>{}}; });

  // in place the output is the logits
  std::copy(std::begin(z), std::end(z), std::begin(answer));
  if (setjmp(return_point) == 0) chaff::apply(chaff::dcp{.gamma = -1}, answer, answer);
  expect(is_zeroed_at_failure && is_zeroed(), "the output in place is zeroed before the error of a parameter");

  // a handler that returns does not prevent the abort
  chaff::set_failure_handler([](const char*) {});
  expect_abort("chaff: beta is -1, allowed is [0, 1000]\n", [] { chaff::apply(chaff::dcp{.beta = -1}, z, answer); });
  chaff::set_failure_handler(nullptr);
  expect_abort("chaff: beta is -1, allowed is [0, 1000]\n", [] { chaff::apply(chaff::dcp{.beta = -1}, z, answer); });

  // in processes of their own, since these messages are strings, which a jump out of the handler would leak
  expect_abort("chaff: defense, position 9: beta is -1, allowed is [0, 1000]\n",
               [] { static_cast<void>(chaff::parse_defense("dcp(beta=-1)")); });
  expect_abort("chaff: policy, position 7: read 'x', allowed is a finite decimal number\n",
               [] { static_cast<void>(chaff::parse_policy("max_l1=x")); });
  return failures == 0 ? 0 : 1;
}
