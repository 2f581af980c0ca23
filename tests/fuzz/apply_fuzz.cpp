// SPDX-License-Identifier: MIT
/// apply and apply_rows: any bytes as logits, any parameters, any policy. Guards: an error with the answer cleared, or
/// answers that keep every promise and have the same bits alone as in a batch.
#include "lawful.hpp"

namespace {

template <class T>
void try_rows(bytes& from) {
  const chaff::policy promised = some_policy(from);
  with_some_defense(from, [&](const auto& used) {
    const std::size_t classes = from.number(1, 300);
    answer_and_demand<T>(used, some_rows<T>(from, classes, promised.input), classes, promised, false);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes from(data, size);
  from.flag() ? try_rows<float>(from) : try_rows<double>(from);
  return 0;
}
