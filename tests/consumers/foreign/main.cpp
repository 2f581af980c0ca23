// SPDX-License-Identifier: MIT
/// A small part of the library, since many builds compile this. Eigen must be there, but is not compiled.
#include <chaff/posterior/argmax.hpp>
#include <cstdio>

#if !__has_include(<Eigen/Core>)
#error "chaff::chaff does not lead to Eigen"
#endif

int main() {
  const float logits[] = {0.5f, 2.0f, 1.0f};
  std::printf("class %d\n", static_cast<int>(chaff::argmax<float>(logits)));
}
