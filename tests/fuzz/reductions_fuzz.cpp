// SPDX-License-Identifier: MIT
/// Fuzzes every reduction and chains of them, after an open and a closed defense. Checks: as apply_fuzz, without the L1
/// budget, which limits outputs before reductions.
#include "guarantees.hpp"

namespace {

/// Up to three reductions, one after another, each with any parameters.
struct some_reductions {
  struct one {
    std::size_t kind;
    std::size_t k;
    int decimals;
    double amount;
  };
  std::vector<one> chain;

  explicit some_reductions(bytes& source) : chain(source.number(1, 3)) {
    for (one& part : chain)
      part = {source.number(0, 4), source.number(0, 40), static_cast<int>(source.number(0, 9)) - 1, source.parameter()};
  }

  static chaff::gaussian_noise noise(double sigma) { return {sigma, chaff::key("000102030405060708090a0b0c0d0e0f")}; }

  chaff::parameter_error check(const chaff::policy& policy) const {
    chaff::parameter_error error;
    for (const one& part : chain) {
      if (error) break;
      if (part.kind == 0) error = chaff::top_k{part.k}.check(policy);
      if (part.kind == 1) error = chaff::rounded{part.decimals}.check(policy);
      if (part.kind == 2) error = chaff::high_confidence{part.amount}.check(policy);
      if (part.kind == 3) error = noise(part.amount).check(policy);
    }
    return error;
  }

  template <class T>
  auto for_row(const chaff::row<T>& row) const {
    return [this, unit_noise = noise(1).for_row(row)](std::span<T> output, chaff::kept_label kept) {
      for (const one& part : chain) {
        if (part.kind == 0) chaff::top_k{part.k}(output, kept);
        if (part.kind == 1) chaff::rounded{part.decimals}(output, kept);
        if (part.kind == 2) chaff::high_confidence{part.amount}(output, kept);
        if (part.kind == 3) {
          auto scaled_noise = unit_noise;
          scaled_noise.sigma = part.amount;
          scaled_noise(output, kept);
        }
        if (part.kind == 4) chaff::label_only{}(output, kept);
      }
    };
  }
};

template <class T>
void try_rows(bytes& source) {
  const chaff::policy policy = some_policy(source);
  const some_reductions chain(source);
  const chaff::dcp defense{.tau = source.flag() ? 0.0 : 10.0};
  const std::size_t classes = source.number(1, 100);
  answer_and_demand<T>(defense | chain, some_rows<T>(source, classes, policy.input), classes, policy, true);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes source(data, size);
  source.flag() ? try_rows<float>(source) : try_rows<double>(source);
  return 0;
}
