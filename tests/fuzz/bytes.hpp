// SPDX-License-Identifier: MIT
/// Reads the bytes of a fuzzer as numbers and parameters, and reports a condition that does not hold.
#ifndef CHAFF_TESTS_FUZZ_BYTES_HPP
#define CHAFF_TESTS_FUZZ_BYTES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

/// A fuzzer's input, read from its front; zeros after its end.
class bytes {
 public:
  bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  template <class T>
  T take() {
    T value{};
    const std::size_t count = std::min(sizeof(T), left_);
    std::memcpy(&value, data_, count);
    data_ += count;
    left_ -= count;
    return value;
  }

  /// A whole number in [low, high].
  std::size_t number(std::size_t low, std::size_t high) { return low + take<std::uint16_t>() % (high - low + 1); }

  bool flag() { return (take<std::uint8_t>() & 1) != 0; }

  /// Any double or, in three cases of four, one of a parameter's usual size.
  double parameter() {
    const auto kind = take<std::uint8_t>();
    if (kind % 4 == 0) return take<double>();
    return static_cast<double>(take<std::int16_t>()) / (kind % 4 == 1 ? 32768.0 : kind % 4 == 2 ? 1024.0 : 16.0);
  }

  /// Any T, NaN and infinities included, or, in seven cases of eight, a logit that a network could return.
  template <class T>
  T logit() {
    const auto kind = take<std::uint8_t>();
    if (kind % 8 == 0) return take<T>();
    if (kind % 32 == 1) return -std::numeric_limits<T>::infinity();
    return static_cast<T>(take<std::int16_t>()) / (kind % 2 == 0 ? T(1024) : T(256));
  }

  std::size_t left() const { return left_; }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// Aborts the program, which libFuzzer reports as a finding, unless the condition holds.
inline void demand(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

#endif
