// SPDX-License-Identifier: MIT
/// Counts the allocations of a program: it replaces operator new, so one file of a program includes it.
#ifndef CHAFF_TESTS_SUPPORT_ALLOCATIONS_HPP
#define CHAFF_TESTS_SUPPORT_ALLOCATIONS_HPP

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0};
}

// not inlined, since GCC then warns that new and free do not match
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

#endif
