// SPDX-License-Identifier: MIT
/// Every reduction and chains of them, after an open and a closed defense. Guards: as apply_fuzz, but for the L1
/// budget, which speaks of answers before reductions.
#include "lawful.hpp"

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

  explicit some_reductions(bytes& from) : chain(from.number(1, 3)) {
    for (one& part : chain)
      part = {from.number(0, 4), from.number(0, 40), static_cast<int>(from.number(0, 9)) - 1, from.parameter()};
  }

  static chaff::gaussian_noise noise(double sigma) { return {sigma, chaff::key("000102030405060708090a0b0c0d0e0f")}; }

  void check(const chaff::policy& promised) const {
    for (const one& part : chain) {
      if (part.kind == 0) chaff::top_k{part.k}.check(promised);
      if (part.kind == 1) chaff::rounded{part.decimals}.check(promised);
      if (part.kind == 2) chaff::high_confidence{part.amount}.check(promised);
      if (part.kind == 3) noise(part.amount).check(promised);
    }
  }

  template <class T>
  auto of_row(const chaff::row<T>& seen) const {
    using on_answer = std::function<void(std::span<T>, chaff::kept_label)>;
    std::vector<on_answer> parts;
    for (const one& part : chain) {
      if (part.kind == 0) parts.push_back(chaff::top_k{part.k});
      if (part.kind == 1) parts.push_back(chaff::rounded{part.decimals});
      if (part.kind == 2) parts.push_back(chaff::high_confidence{part.amount});
      if (part.kind == 3) parts.push_back(chaff::of_row(noise(part.amount), seen));
      if (part.kind == 4) parts.push_back(chaff::label_only{});
    }
    return [parts](std::span<T> answer, chaff::kept_label kept) {
      for (const on_answer& part : parts) part(answer, kept);
    };
  }
};

template <class T>
void try_rows(bytes& from) {
  const chaff::policy promised = some_policy(from);
  const some_reductions chain(from);
  const chaff::dcp used{.tau = from.flag() ? 0.0 : 10.0};
  const std::size_t classes = from.number(1, 100);
  answer_and_demand<T>(used | chain, some_rows<T>(from, classes, promised.input), classes, promised, true);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes from(data, size);
  from.flag() ? try_rows<float>(from) : try_rows<double>(from);
  return 0;
}
