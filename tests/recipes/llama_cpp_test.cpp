// SPDX-License-Identifier: MIT
#include "expected.hpp"
#include "llama_cpp_recipe.hpp"

int main() {
  llama_context context{{{3}}, batch};
  const std::vector<float> answer = defended_logprobs(&context, 1, 2);
  const std::vector<float> row(batch.begin() + 3, batch.end());
  std::vector<float> expected(3);
  chaff::apply(chaff::dcp{} | chaff::top_k{.k = 2}, row, expected, {.answer = chaff::form::log_probabilities});
  return result(answer == expected && answer[2] > answer[0] && answer[1] < -1e30f);
}
