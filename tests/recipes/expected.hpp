// SPDX-License-Identifier: MIT
/// The logits that each recipe's code answers, and the expected answers.
#ifndef CHAFF_TESTS_RECIPES_EXPECTED_HPP
#define CHAFF_TESTS_RECIPES_EXPECTED_HPP

#include <chaff/chaff.hpp>
#include <cstdio>
#include <vector>

inline const std::vector<float> batch{1, 2, 3, 0.5f, 0.25f, 0.75f};  // two rows of three classes

inline std::vector<float> answers_to(const std::vector<float>& logits, std::size_t classes) {
  std::vector<float> answers(logits.size());
  chaff::apply_rows(chaff::dcp{}, logits, classes, answers);
  return answers;
}

/// The program's exit code.
inline int result(bool is_as_expected) {
  if (!is_as_expected) std::fprintf(stderr, "the answer of the recipe is not the expected one\n");
  return is_as_expected ? 0 : 1;
}

#endif
