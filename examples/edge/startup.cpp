// SPDX-License-Identifier: MIT
/// From reset to main on a bare Cortex-M: memory, the floating-point unit where there is one, and semihosting for
/// output.
#include <cstdint>
#include <cstdlib>

extern "C" {
extern std::uint32_t data_image, data_start, data_end, bss_start, bss_end, stack_top;
void initialise_monitor_handles();
void __libc_init_array();
void _init() {}
void _fini() {}
int main();

[[noreturn]] void reset() {
#if defined(__ARM_FP)
  *reinterpret_cast<volatile std::uint32_t*>(0xE000ED88) |= 0xFu << 20;  // full access to coprocessors 10 and 11
  __asm volatile("dsb\n isb");
#endif
  const std::uint32_t* from = &data_image;
  for (std::uint32_t* to = &data_start; to != &data_end;) *to++ = *from++;
  for (std::uint32_t* to = &bss_start; to != &bss_end;) *to++ = 0;
  initialise_monitor_handles();
  __libc_init_array();
  std::exit(main());
}

/// Any fault ends the program with a code that is not 0.
[[noreturn]] void fault() {
  std::_Exit(70);
}

[[gnu::section(".vectors"), gnu::used]] const void* const vectors[16] = {
    &stack_top,
    reinterpret_cast<const void*>(&reset),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
    reinterpret_cast<const void*>(&fault),
};
}
