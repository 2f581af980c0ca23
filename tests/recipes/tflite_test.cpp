// SPDX-License-Identifier: MIT
#include "expected.hpp"
#include "tflite_recipe.hpp"

int main() {
  std::vector<float> logits = batch;
  TfLiteIntArray shape{2, {2, 3}};
  const tflite::Interpreter float_interpreter{
      {kTfLiteFloat32, &shape, {}, logits.size() * sizeof(float), logits.data()}};
  std::vector<std::int8_t> codes{-20, 40, 90};
  TfLiteIntArray row{2, {1, 3}};
  const tflite::Interpreter int8_interpreter{{kTfLiteInt8, &row, {0.05f, 3}, codes.size(), codes.data()}};
  std::vector<std::int8_t> expected(3);
  chaff::int8::dcp({.input_scale = 0.05f})(codes, expected);
  return result(defended(float_interpreter) == answers_to(batch, 3) && defended_int8(int8_interpreter) == expected &&
                expected[2] > expected[1]);
}
