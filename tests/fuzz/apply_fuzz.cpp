// SPDX-License-Identifier: MIT
/// Fuzzes apply and apply_rows with any bytes as logits, any parameters and any policy. Checks: an error and a zeroed
/// output, or outputs that keep every guarantee and have the same bits alone as in a batch.
#include "guarantees.hpp"

namespace {

template <class T>
void try_rows(bytes& source) {
  const chaff::policy policy = some_policy(source);
  with_some_defense(source, [&](const auto& defense) {
    const std::size_t classes = source.number(1, 300);
    answer_and_demand<T>(defense, some_rows<T>(source, classes, policy.input), classes, policy, false);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes source(data, size);
  source.flag() ? try_rows<float>(source) : try_rows<double>(source);
  return 0;
}
