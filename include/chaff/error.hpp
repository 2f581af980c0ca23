// SPDX-License-Identifier: MIT
/// Errors: what is wrong with a parameter, and the one funnel through which every error of the library goes.
#ifndef CHAFF_ERROR_HPP
#define CHAFF_ERROR_HPP

#include "chaff/abi.hpp"
// the build is checked first
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#if !defined(__cpp_exceptions)
#include <atomic>
#endif

/// The dialect of formats of std::vsnprintf, which on Windows is not that of printf.
#if defined(__MINGW_PRINTF_FORMAT)
#define CHAFF_FORMAT __MINGW_PRINTF_FORMAT
#else
#define CHAFF_FORMAT __printf__
#endif

CHAFF_BEGIN

namespace chaff {

/// What is wrong with a parameter of a defense, or nothing: what the member `check(policy)` of a part returns.
struct parameter_error {
  const char* name = nullptr;      ///< the parameter; null where nothing is wrong
  double value = 0;                ///< what it is
  double low = 0;                  ///< the smallest value allowed
  double high = 0;                 ///< the largest value allowed
  const char* sentence = nullptr;  ///< the whole message, where it is not a value out of range

  [[gnu::always_inline]] constexpr explicit operator bool() const { return name != nullptr || sentence != nullptr; }
};

/// A parameter and the range that it must lie in.
struct parameter_range {
  const char* name;
  double value;
  double low;
  double high;

  [[gnu::always_inline]] constexpr bool holds() const { return value >= low && value <= high; }
};

}  // namespace chaff

namespace chaff::detail {

#if !defined(__cpp_exceptions)
/// The handler of set_failure_handler: the only state of the library, and only in programs without exceptions.
inline std::atomic<void (*)(const char* message)> failure_handler_slot{nullptr};
#endif

}  // namespace chaff::detail

namespace chaff::inline CHAFF_ABI {

#if !defined(__cpp_exceptions)

/// Receives the message of an error in a program that is built without exceptions.
/// It must not return; if it does, the program is aborted.
using failure_handler = void (*)(const char* message);

/// Sets the handler of the whole program. nullptr restores the default: the message on standard error, then abort.
inline void set_failure_handler(failure_handler handler) noexcept {
  detail::failure_handler_slot = handler;
}

#endif

/// The first of the parameters that is out of its range, or nothing.
template <class... Ranges>
[[gnu::always_inline]] constexpr parameter_error check_ranges(const Ranges&... ranges) {
  if ((ranges.holds() && ...)) return {};
  parameter_error error{};
  static_cast<void>(((ranges.holds() || (error = {ranges.name, ranges.value, ranges.low, ranges.high}, false)) && ...));
  return error;
}

}  // namespace chaff::inline CHAFF_ABI

namespace chaff::detail::inline CHAFF_ABI {

/// Raises the standard exception E. Without exceptions it calls the failure handler or, where there is none, prints the
/// message to standard error, and aborts.
/// The message is formatted as by std::printf and cut at 255 characters. It never holds a value of a row.
template <class E>
[[noreturn, gnu::cold, gnu::noinline, gnu::format(CHAFF_FORMAT, 1, 2)]] inline void fail(const char* format, ...) {
  char message[256];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
#if defined(__cpp_exceptions)
  throw E(message);
#else
  if (const auto handler = failure_handler_slot.load()) handler(message);
  std::fprintf(stderr, "%s\n", message);
  std::abort();
#endif
}

/// Raises std::invalid_argument for a parameter's error, and returns where there is none.
[[gnu::always_inline]] inline void raise(const parameter_error& error) {
  if (!error) [[likely]]
    return;
  if (error.sentence != nullptr) fail<std::invalid_argument>("chaff: %s", error.sentence);
  fail<std::invalid_argument>("chaff: %s is %g, allowed is [%g, %g]", error.name, error.value, error.low, error.high);
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
