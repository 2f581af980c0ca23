/* SPDX-License-Identifier: MIT */
/**
 * The edge path for C, and for kernels that are called as C: in place of CMSIS-NN's arm_softmax_s8, arm_softmax_u8 and
 * arm_softmax_s8_s16, and of ESP-NN's esp_nn_softmax_s8. The arguments have their order; a table stands where mult,
 * shift and diff_min do.
 *
 * One C++ file of the program defines CHAFF_INT8_IMPLEMENTATION before it includes this header.
 */
#ifndef CHAFF_INT8_C_H
#define CHAFF_INT8_C_H

#include "chaff/int8/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Answers num_rows rows of row_size logits each, 1 <= row_size <= 65535. Integers only. Output may be the input. */
void chaff_int8_answer_s8(const int8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                          int8_t* output);
/** Answers rows of uint8 logits in uint8 codes of scale 1/256 and zero point 0; all else is as for
 * chaff_int8_answer_s8. */
void chaff_int8_answer_u8(const uint8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                          uint8_t* output);
/** Answers rows of int8 logits in int16 codes of scale 1/65536 and zero point -32768; all else is as for
 * chaff_int8_answer_s8. */
void chaff_int8_answer_s8_s16(const int8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                              int16_t* output);

/** Makes a table, once, before any row is answered: here floating point is used. Parameters are those of
 * chaff::int8::parameters. Returns 0, or 1 for a parameter out of range; the table is then left as it was. */
int chaff_int8_dcp_table(chaff_int8_table* table, float input_scale, float beta, float gamma, float nu, float tau,
                         int exact_odds);
int chaff_int8_reverse_sigmoid_table(chaff_int8_table* table, float input_scale, float beta, float gamma,
                                     int exact_odds);
/** Makes the table of a plain softmax, without a defense. Returns 0, or 1 for an input_scale out of range; the table is
 * then left as it was. */
int chaff_int8_softmax_table(chaff_int8_table* table, float input_scale);

/** The input_scale that belongs to the mult and shift which TensorFlow Lite Micro's Prepare computes for a softmax. */
float chaff_int8_scale_of(int32_t mult, int32_t shift);

#ifdef __cplusplus
}
#endif

#endif

/* The implementation has its own guard: in a unity build, another file may have included the declarations before. */
#if defined(CHAFF_INT8_IMPLEMENTATION) && !defined(CHAFF_INT8_C_H_IMPLEMENTED)
#define CHAFF_INT8_C_H_IMPLEMENTED
#ifndef __cplusplus
#error "CHAFF_INT8_IMPLEMENTATION belongs in a C++ file"
#endif
#include "chaff/int8/answer.hpp"
#include "chaff/int8/parameters.hpp"

namespace chaff::int8 {

template <int bits, int zero_point, class Logit, class Code>
void answer_rows(const Logit* input, std::int32_t num_rows, std::int32_t row_size, const chaff_int8_table* table,
                 Code* output) {
  const auto classes = static_cast<std::size_t>(row_size);
  for (std::int32_t i = 0; i < num_rows; ++i, input += classes, output += classes) {
    answer_row<bits, zero_point>(*table, std::span<const Logit>(input, classes), std::span<Code>(output, classes));
  }
}

inline int make_table_at(chaff_int8_table* table, const parameters& given, int gate) {
  for (const limit& each : limits(given)) {
    if (!each.holds()) return 1;
  }
  *table = make_table(given, gate);
  return 0;
}

}  // namespace chaff::int8

extern "C" {
void chaff_int8_answer_s8(const int8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                          int8_t* output) {
  chaff::int8::answer_rows<8, -128>(input, num_rows, row_size, table, output);
}
void chaff_int8_answer_u8(const uint8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                          uint8_t* output) {
  chaff::int8::answer_rows<8, 0>(input, num_rows, row_size, table, output);
}
void chaff_int8_answer_s8_s16(const int8_t* input, int32_t num_rows, int32_t row_size, const chaff_int8_table* table,
                              int16_t* output) {
  chaff::int8::answer_rows<16, -32768>(input, num_rows, row_size, table, output);
}
int chaff_int8_dcp_table(chaff_int8_table* table, float input_scale, float beta, float gamma, float nu, float tau,
                         int exact_odds) {
  const auto rule = exact_odds != 0 ? chaff::int8::odds::exact : chaff::int8::odds::clamped;
  return chaff::int8::make_table_at(table, {input_scale, beta, gamma, nu, tau, rule}, 1);
}
int chaff_int8_reverse_sigmoid_table(chaff_int8_table* table, float input_scale, float beta, float gamma,
                                     int exact_odds) {
  const auto rule = exact_odds != 0 ? chaff::int8::odds::exact : chaff::int8::odds::clamped;
  return chaff::int8::make_table_at(table, {.input_scale = input_scale, .beta = beta, .gamma = gamma, .rule = rule}, 2);
}
int chaff_int8_softmax_table(chaff_int8_table* table, float input_scale) {
  return chaff::int8::make_table_at(table, {.input_scale = input_scale}, 0);
}
float chaff_int8_scale_of(int32_t mult, int32_t shift) {
  return chaff::int8::scale_of(mult, shift);
}
}
#endif
