// SPDX-License-Identifier: MIT
#include "expected.hpp"
#include "llama_cpp_recipe.hpp"

int main() {
  llama_context context{{{3}}, batch};
  const std::vector<float> told = told_logprobs(&context, 1, 2);
  const std::vector<float> row(batch.begin() + 3, batch.end());
  std::vector<float> expected(3);
  chaff::apply(chaff::dcp{} | chaff::top_k{.k = 2}, row, expected, {.answer = chaff::form::log_probabilities});
  return result(told == expected && told[2] > told[0] && told[1] < -1e30f);
}
