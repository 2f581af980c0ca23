// SPDX-License-Identifier: MIT
/// Counts instructions on a Cortex-M under `qemu-system-arm -icount shift=0`, where one takes a nanosecond: SysTick
/// runs at 25 MHz on Arm's MPS2 boards, so a tick is 40 of them. On a real board these are cycles of that clock
/// instead.
#ifndef CHAFF_EXAMPLES_EDGE_INSTRUCTIONS_HPP
#define CHAFF_EXAMPLES_EDGE_INSTRUCTIONS_HPP

#include <cstdint>

namespace instructions {

inline constexpr std::uint32_t per_tick = 40;

/// Of work(), rounded to a tick; at most 671 million, then SysTick's 24 bits are used up.
template <class Work>
std::uint32_t of(Work work) {
#if defined(__arm__)
  const auto systick = reinterpret_cast<volatile std::uint32_t*>(0xE000E010);
  systick[1] = 0xFFFFFF;
  systick[2] = 0;
  systick[0] = 5;  // from the processor's clock, without interrupt
  const std::uint32_t before = systick[2];
  work();
  return ((before - systick[2]) & 0xFFFFFF) * per_tick;
#else
  work();
  return 0;
#endif
}

}  // namespace instructions

#endif
