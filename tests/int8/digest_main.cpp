// SPDX-License-Identifier: MIT
/// The digest of the edge path's answers on the machine that this is built for.
#include <cstdio>

#include "int8/digest.hpp"

int main() {
  const std::uint64_t found = digest_of(digest_rows);
  std::printf("digest %08lx%08lx, expected %08lx%08lx\n", static_cast<unsigned long>(found >> 32),
              static_cast<unsigned long>(found & 0xffffffffu), static_cast<unsigned long>(expected_digest >> 32),
              static_cast<unsigned long>(expected_digest & 0xffffffffu));
  return found == expected_digest ? 0 : 1;
}
