// SPDX-License-Identifier: MIT
/// Fuzzes the edge path with any parameters, any codes, any K and every output type. Checks: an error for a parameter
/// out of range, and otherwise a label strictly first, a sum of about 1, and the same codes in place.
#include <chaff/int8/dcp.hpp>
#include <span>
#include <stdexcept>

#include "bytes.hpp"

namespace {

template <class Code>
void try_codes(const chaff::int8::dcp& defense, std::span<const std::int8_t> logits, double zero, double one) {
  std::vector<Code> answer(logits.size() + 2, Code(77));
  defense(logits, std::span<Code>(answer).subspan(1, logits.size()));
  demand(answer.front() == Code(77) && answer.back() == Code(77), "no code past the answer");
  if (logits.empty()) return;
  const std::span<const Code> codes = std::span<const Code>(answer).subspan(1, logits.size());
  const auto k = std::max_element(logits.begin(), logits.end()) - logits.begin();
  double sum = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    sum += (static_cast<double>(codes[i]) - zero) / one;
    if (static_cast<std::ptrdiff_t>(i) != k)
      demand(codes[i] < codes[static_cast<std::size_t>(k)], "the label strictly first");
  }
  if (logits.size() == 1) return;
  // each code is within one of its exact value, and may step down by one more to stay below the label
  demand(std::abs(sum - 1) <= (2 * static_cast<double>(logits.size()) + 2) / one, "a sum of about 1");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes source(data, size);
  chaff::int8::parameters some{.input_scale = static_cast<float>(source.parameter())};
  some.beta = static_cast<float>(source.parameter());
  some.gamma = static_cast<float>(source.parameter());
  if (source.flag()) some.nu = static_cast<float>(source.parameter());
  some.tau = source.flag() ? some.beta : static_cast<float>(source.parameter());
  try {
    const chaff::int8::dcp defense(some);
    const auto repeats = static_cast<std::size_t>(source.flag() ? source.number(1, 2000) : 1);
    const std::size_t given = std::min<std::size_t>(source.left(), 300);
    std::vector<std::int8_t> logits(std::min<std::size_t>(given * repeats, 65535));
    for (std::size_t i = 0; i < logits.size(); ++i)
      logits[i] = i < given ? source.take<std::int8_t>() : logits[i % given];
    try_codes<std::int8_t>(defense, logits, -128, 256);
    try_codes<std::uint8_t>(defense, logits, 0, 256);
    try_codes<std::int16_t>(defense, logits, -32768, 65536);
    std::vector<std::int8_t> apart(logits.size());
    defense(logits, std::span<std::int8_t>(apart));
    defense(logits, std::span<std::int8_t>(logits));
    demand(logits == apart, "the same codes in place");
  } catch (const std::invalid_argument&) {
    // a parameter out of range
  }
  return 0;
}
