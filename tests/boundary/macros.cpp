// SPDX-License-Identifier: MIT
/// A user's translation unit after headers of other systems, which define short names as macros: none of them may reach
/// the library's code. The names are poison here, so that a use of one does not compile; the standard library is
/// included first, as it is where such macros come from.
#include <stdint.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <climits>
#include <cmath>
#include <complex>
#include <concepts>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(CHAFF_WITH_EIGEN)
#include <Eigen/Core>
#endif

#define CHAFF_POISON @a macro of another header @

// <windows.h> and what it includes; math.h of older Unixes
#undef DOMAIN
#undef OVERFLOW
#undef UNDERFLOW
#define near CHAFF_POISON
#define far CHAFF_POISON
#define NEAR CHAFF_POISON
#define FAR CHAFF_POISON
#define small CHAFF_POISON
#define hyper CHAFF_POISON
#define interface CHAFF_POISON
#define pascal CHAFF_POISON
#define cdecl CHAFF_POISON
#define min(a, b) CHAFF_POISON
#define max(a, b) CHAFF_POISON
#define IN CHAFF_POISON
#define OUT CHAFF_POISON
#define OPTIONAL CHAFF_POISON
#define CALLBACK CHAFF_POISON
#define CONST CHAFF_POISON
#define VOID CHAFF_POISON
#define ERROR CHAFF_POISON
#define NO_ERROR CHAFF_POISON
#define STRICT CHAFF_POISON
#define DELETE CHAFF_POISON
#define ABSOLUTE CHAFF_POISON
#define RELATIVE CHAFF_POISON
#define DIFFERENCE CHAFF_POISON
#define OPAQUE CHAFF_POISON
#define TRANSPARENT CHAFF_POISON
#define IGNORE CHAFF_POISON
#define DOMAIN CHAFF_POISON
#define OVERFLOW CHAFF_POISON
#define UNDERFLOW CHAFF_POISON
#define HUGE CHAFF_POISON
#define TEXT(x) CHAFF_POISON
#define Yield() CHAFF_POISON
#define rad1 CHAFF_POISON
#define grp1 CHAFF_POISON
// <complex.h>
#undef I
#undef complex
#define I CHAFF_POISON
#define complex CHAFF_POISON
#define imaginary CHAFF_POISON
// <sys/sysmacros.h>, <sys/param.h>, <termios.h>, <strings.h>, and the compiler in its own dialect
#undef linux
#undef unix
#undef i386
#define major(x) CHAFF_POISON
#define minor(x) CHAFF_POISON
#define MIN(a, b) CHAFF_POISON
#define MAX(a, b) CHAFF_POISON
#define setbit(a, b) CHAFF_POISON
#define isset(a, b) CHAFF_POISON
#define howmany(a, b) CHAFF_POISON
#define roundup(a, b) CHAFF_POISON
#define B0 CHAFF_POISON
#define B50 CHAFF_POISON
#define ECHO CHAFF_POISON
#define index(s, c) CHAFF_POISON
#define rindex(s, c) CHAFF_POISON
#define BLOCK CHAFF_POISON
#define PAGE_SIZE CHAFF_POISON
#define linux CHAFF_POISON
#define unix CHAFF_POISON
#define i386 CHAFF_POISON
// <X11/X.h> and <X11/Xlib.h>
#define None CHAFF_POISON
#define Bool CHAFF_POISON
#define Status CHAFF_POISON
#define Success CHAFF_POISON
#define Always CHAFF_POISON
#define True CHAFF_POISON
#define False CHAFF_POISON
#define Complex CHAFF_POISON
#define Above CHAFF_POISON
#define Below CHAFF_POISON
#define Unsorted CHAFF_POISON
// Qt's <qobjectdefs.h> and <qglobal.h>
#define signals CHAFF_POISON
#define slots CHAFF_POISON
#define emit CHAFF_POISON
#define foreach CHAFF_POISON
#define forever CHAFF_POISON
// <Arduino.h> and <binary.h>
#define F(x) CHAFF_POISON
#define B1 CHAFF_POISON
#define B00 CHAFF_POISON
#define A0 CHAFF_POISON
#define PI CHAFF_POISON
#define TWO_PI CHAFF_POISON
#define EULER CHAFF_POISON
#define HIGH CHAFF_POISON
#define LOW CHAFF_POISON
#define INPUT CHAFF_POISON
#define OUTPUT CHAFF_POISON
#define DEFAULT CHAFF_POISON
#define RISING CHAFF_POISON
#define FALLING CHAFF_POISON
#define abs(x) CHAFF_POISON
#define round(x) CHAFF_POISON
#define sq(x) CHAFF_POISON
#define bit(b) CHAFF_POISON
#define constrain(x, low, high) CHAFF_POISON
#define radians(x) CHAFF_POISON
#define degrees(x) CHAFF_POISON
#define word(x) CHAFF_POISON
// Objective-C, and Apple's <TargetConditionals.h> and <objc/objc.h>
#define YES CHAFF_POISON
#define NO CHAFF_POISON
#define nil CHAFF_POISON
#define Nil CHAFF_POISON
#define verify(x) CHAFF_POISON
#define require(x, label) CHAFF_POISON
// glog, Zephyr, STM32's CMSIS headers, GNU gettext, and the C library's <stdnoreturn.h> and <stdalign.h>
#define INFO CHAFF_POISON
#define WARNING CHAFF_POISON
#define FATAL CHAFF_POISON
#define LOG(x) CHAFF_POISON
#define CHECK(x) CHAFF_POISON
#define BIT(n) CHAFF_POISON
#define SET CHAFF_POISON
#define RESET CHAFF_POISON
#define ENABLE CHAFF_POISON
#define DISABLE CHAFF_POISON
#define FLASH CHAFF_POISON
#define printf CHAFF_POISON
#define likely(x) CHAFF_POISON
#define unlikely(x) CHAFF_POISON
#define unused CHAFF_POISON

#include "boundary/everything.hpp"
#define CHAFF_INT8_IMPLEMENTATION
#include <chaff/int8/c.h>

template void everything::use_all<float>(std::span<const float>, std::span<float>, std::span<const int>);
template void everything::use_all<double>(std::span<const double>, std::span<double>, std::span<const int>);

void use_int8(std::span<const std::int8_t> logits) {
  everything::use_int8(logits);
}
