// SPDX-License-Identifier: MIT
/// The one funnel through which every error of the library goes.
#ifndef CHAFF_ERROR_HPP
#define CHAFF_ERROR_HPP

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#if !defined(__cpp_exceptions)
#include <atomic>
#endif

namespace chaff {

#if !defined(__cpp_exceptions)

/// What a program built without exceptions does with an error's message. It must not return; if it does, the program
/// is aborted.
using failure_handler = void (*)(const char* message);

inline std::atomic<failure_handler> current_failure_handler{nullptr};  // the only state, and only without exceptions

/// Sets the handler, for the whole program; nullptr restores the default, which is std::abort without a word.
inline void set_failure_handler(failure_handler handler) noexcept {
  current_failure_handler = handler;
}

#endif

/// Raises the standard exception E, or calls the failure handler where the program is built without exceptions.
/// The message is formatted as by std::printf and cut at 255 characters. It never holds a value of a row.
template <class E>
[[noreturn, gnu::cold, gnu::noinline, gnu::format(printf, 1, 2)]] inline void fail(const char* format, ...) {
  char message[256];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
#if defined(__cpp_exceptions)
  throw E(message);
#else
  if (const failure_handler handler = current_failure_handler) handler(message);
  std::abort();
#endif
}

/// Raises std::invalid_argument with the parameter's name, value and allowed range unless low <= value <= high.
inline void check_range(const char* name, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    fail<std::invalid_argument>("chaff: %s is %g, allowed is [%g, %g]", name, value, low, high);
  }
}

}  // namespace chaff

#endif
