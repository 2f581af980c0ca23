/* SPDX-License-Identifier: MIT */
/** The constants of one defense for one scale of logits: what lies in flash. Plain data, for C and C++. */
#ifndef CHAFF_INT8_TABLE_H
#define CHAFF_INT8_TABLE_H

#include <stdint.h>

/** Made by chaff::int8::dcp, reverse_sigmoid or softmax (C++, at compile time) or by chaff_int8_dcp_table (c.h). */
typedef struct chaff_int8_table {
  int32_t exp2_q30[6]; /**< polynomials, the constant term first: see fixed_point.hpp */
  int32_t rise_q30[10];
  int32_t log1m_q30[9];
  uint64_t coarse_q44[16]; /**< exp(-16 s i), s the logits' scale */
  uint32_t coarse_q31[16]; /**< the same */
  uint32_t fine_q32[16];   /**< exp(-s j), at most 1 - 2^-32 */
  uint32_t scale_q26;      /**< s */
  uint32_t clamped_from;   /**< from this distance on, odds are below 1e-12 */
  uint32_t half_beta_q28;  /**< beta / 2 */
  uint32_t gamma_q26;      /**< gamma / log 2 */
  uint32_t nu_mantissa;    /**< nu / log 2 = nu_mantissa / 2^nu_shift */
  int32_t nu_shift;
  int64_t tau_q31;    /**< tau */
  uint8_t gate;       /**< 0 closed, 1 a confidence gate, 2 open */
  uint8_t exact_odds; /**< 0 clamped, 1 exact */
} chaff_int8_table;

#endif
