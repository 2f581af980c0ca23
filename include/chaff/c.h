/* SPDX-License-Identifier: MIT */
/* Defends the outputs of a served classifier, from C and from languages that call C: the library chaff::c, libchaff.so.
 *
 *     chaff_defense* defense;
 *     if (chaff_defense_create("dcp(beta=1.2) | top_k(k=5)", "label_margin=0.011", &defense) != CHAFF_OK) {
 *       puts(chaff_last_error());
 *     }
 *     chaff_apply_f32(defense, logits, rows, classes, output);
 *     chaff_defense_destroy(defense);
 *
 * Many threads may use one defense at once. No C++ exception leaves a function. The outputs are those of the C++
 * library, compiled for the instruction set that chaff_version names. */
#ifndef CHAFF_C_H
#define CHAFF_C_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function returns. */
enum {
  CHAFF_OK = 0,
  CHAFF_INVALID_ARGUMENT = 1, /* a text, a parameter, a pointer or a size */
  CHAFF_INVALID_ROW = 2,      /* NaN or +inf, a row of only -inf, or no distribution where the policy says so */
  CHAFF_OUT_OF_MEMORY = 3
};

/* A defense and its policy. Nothing changes it once it is created. */
typedef struct chaff_defense chaff_defense;

/* Creates a defense from text such as "dcp(beta=1.2, gamma=0.2) | top_k(k=5)", and its policy from text such as
 * "label_margin=0.011, max_l1=0.5"; NULL and "" are the default policy. chaff/any_defense.hpp says what text may hold.
 * If the policy has `classes`, all calls must have as many. On failure, *created is NULL. */
int chaff_defense_create(const char* defense, const char* policy, chaff_defense** created);

/* Answers rows of logits, one after another in memory, `classes` numbers each, with as many numbers in `output`.
 * `output` is the same memory as `logits` or apart from it. Both are aligned as their type is. With 0 rows they may be
 * NULL. On failure, all rows * classes numbers of the output are 0, unless `output` is NULL or the product is more
 * than memory can hold. Allocates nothing. */
int chaff_apply_f32(const chaff_defense* defense, const float* logits, size_t rows, size_t classes, float* output);
int chaff_apply_f64(const chaff_defense* defense, const double* logits, size_t rows, size_t classes, double* output);

/* Frees a defense that no thread uses any longer; NULL is allowed. */
void chaff_defense_destroy(chaff_defense* defense);

/* Why the last call of chaff_defense_create, chaff_apply_f32 or chaff_apply_f64 on this thread failed, as one sentence
 * without values of rows; empty after a success. It stays until the thread's next call of one of them. */
const char* chaff_last_error(void);

/* The version, and the instruction set that the library was compiled for, such as "0.1.0 (avx2_fma_bmi2)". */
const char* chaff_version(void);

#ifdef __cplusplus
}
#endif

#endif
