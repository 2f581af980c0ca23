/* SPDX-License-Identifier: MIT */
/* The C interface as C11 calls it: outputs, codes and sentences of every error, and what is left in the output. */
#include <chaff/c.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                           \
  do {                                                                              \
    if (!(condition)) {                                                             \
      ++failures;                                                                   \
      printf("%d: %s; last error: %s\n", __LINE__, #condition, chaff_last_error()); \
    }                                                                               \
  } while (0)

/* Whether the call failed with this code and a sentence that contains these words. */
static int failed_with(int result, int code, const char* words) {
  const char* const error = chaff_last_error();
  return result == code && strncmp(error, "chaff: ", 7) == 0 && strstr(error, words) != NULL;
}

static chaff_defense* created(const char* text, const char* policy) {
  chaff_defense* defense = NULL;
  EXPECT(chaff_defense_create(text, policy, &defense) == CHAFF_OK);
  EXPECT(defense != NULL);
  EXPECT(chaff_last_error()[0] == '\0');
  return defense;
}

static void test_outputs(void) {
  const float logits[6] = {1, 2, 3, 0, -1, 0.5f};
  const double logits_f64[6] = {1, 2, 3, 0, -1, 0.5};
  float output[6], in_place[6];
  double output_f64[6];
  chaff_defense* const none = created("none", NULL);
  EXPECT(chaff_apply_f32(none, logits, 2, 3, output) == CHAFF_OK);
  EXPECT(chaff_apply_f64(none, logits_f64, 2, 3, output_f64) == CHAFF_OK);
  for (int row = 0; row < 2; ++row) {
    double mass = 0;
    for (int i = 0; i < 3; ++i) mass += exp(logits_f64[3 * row + i]);
    for (int i = 0; i < 3; ++i) {
      const double p = exp(logits_f64[3 * row + i]) / mass;
      EXPECT(fabs(output[3 * row + i] - p) < 1e-6);
      EXPECT(fabs(output_f64[3 * row + i] - p) < 1e-14);
    }
  }
  memcpy(in_place, logits, sizeof logits);
  EXPECT(chaff_apply_f32(none, in_place, 2, 3, in_place) == CHAFF_OK);
  EXPECT(memcmp(in_place, output, sizeof output) == 0);
  EXPECT(chaff_apply_f32(none, NULL, 0, 3, NULL) == CHAFF_OK);
  chaff_defense_destroy(none);

  /* the reverse sigmoid of the two classes' p with exact odds, by its formula */
  chaff_defense* const reversed = created("reverse_sigmoid(beta=1, gamma=0.2, rule=exact)", "keep_label=false");
  const double two[2] = {0, 1};
  double answer[2], weights[2];
  EXPECT(chaff_apply_f64(reversed, two, 1, 2, answer) == CHAFF_OK);
  for (int i = 0; i < 2; ++i) {
    const double log_odds = i == 0 ? -1 : 1;
    weights[i] = 1 / (1 + exp(-log_odds)) - (1 / (1 + exp(-0.2 * log_odds)) - 0.5);
  }
  EXPECT(fabs(answer[0] - weights[0] / (weights[0] + weights[1])) < 1e-14);
  EXPECT(fabs(answer[1] - weights[1] / (weights[0] + weights[1])) < 1e-14);
  chaff_defense_destroy(reversed);

  chaff_defense* const one_hot = created("dcp | label_only", "answer=probabilities");
  EXPECT(chaff_apply_f32(one_hot, logits, 2, 3, output) == CHAFF_OK);
  const float expected[6] = {0, 0, 1, 0, 0, 1};
  EXPECT(memcmp(output, expected, sizeof output) == 0);
  chaff_defense_destroy(one_hot);
  chaff_defense_destroy(NULL);
}

static void test_errors_of_create(void) {
  const struct {
    const char *defense, *policy, *words;
  } cases[] = {{NULL, NULL, "the text of the defense is NULL"},
               {"", NULL, "defense, position 0: read the end of the text"},
               {"dpc", NULL, "defense, position 0: read 'dpc'"},
               {"dcp(beta=-1)", NULL, "defense, position 9: beta is -1, allowed is [0, 1000]"},
               {"mad", NULL, "needs a surrogate model"},
               {"dcp", "max_l1=3", "policy, position 7: policy.max_l1 is 3, allowed is [0, 2]"},
               {"misdirect(key=000102030405060708090a0b0c0d0e0f)", NULL, "policy.keep_label = false"},
               {"energy_dcp(tau=4)", "input=probabilities", "an energy gate needs logits"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    chaff_defense* defense = (chaff_defense*)&failures;
    EXPECT(failed_with(chaff_defense_create(cases[i].defense, cases[i].policy, &defense), CHAFF_INVALID_ARGUMENT,
                       cases[i].words));
    EXPECT(defense == NULL);
  }
  EXPECT(failed_with(chaff_defense_create("dcp", NULL, NULL), CHAFF_INVALID_ARGUMENT, "is NULL"));
  chaff_defense_destroy(created("dcp", ""));
  EXPECT(chaff_last_error()[0] == '\0');
}

static void fill(float* values, size_t size) {
  for (size_t i = 0; i < size; ++i) values[i] = 7;
}

static int is_zeroed(const float* values, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (values[i] != 0) return 0;
  }
  return 1;
}

static void test_errors_of_apply(void) {
  chaff_defense* const defense = created("dcp", "classes=3");
  float logits[6] = {1, 2, 3, 4, 5, 6}, output[7];
  double output_f64[2];

  fill(output, 7);
  EXPECT(failed_with(chaff_apply_f32(NULL, logits, 2, 3, output), CHAFF_INVALID_ARGUMENT, "the defense is NULL"));
  EXPECT(is_zeroed(output, 6) && output[6] == 7);
  fill(output, 7);
  EXPECT(failed_with(chaff_apply_f32(defense, NULL, 2, 3, output), CHAFF_INVALID_ARGUMENT, "the logits are NULL"));
  EXPECT(is_zeroed(output, 6) && output[6] == 7);
  EXPECT(failed_with(chaff_apply_f32(defense, logits, 2, 3, NULL), CHAFF_INVALID_ARGUMENT, "the output is NULL"));
  EXPECT(failed_with(chaff_apply_f32(NULL, NULL, 2, 3, NULL), CHAFF_INVALID_ARGUMENT, "the defense is NULL"));
  EXPECT(failed_with(chaff_apply_f32(defense, logits, 2, 0, output), CHAFF_INVALID_ARGUMENT, "0 classes"));
  EXPECT(failed_with(chaff_apply_f64(defense, NULL, 0, 0, output_f64), CHAFF_INVALID_ARGUMENT, "0 classes"));
  fill(output, 7);
  EXPECT(failed_with(chaff_apply_f32(defense, logits, 3, 2, output), CHAFF_INVALID_ARGUMENT, "the policy says"));
  EXPECT(is_zeroed(output, 6) && output[6] == 7);

  /* sizes that wrap around, and that only their bytes make too large: nothing is written */
  const size_t sizes[][2] = {{SIZE_MAX, 3},     {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX / 3 + 1, 3},
                             {SIZE_MAX / 8, 3}, {1, SIZE_MAX},         {SIZE_MAX, SIZE_MAX}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    fill(output, 7);
    EXPECT(failed_with(chaff_apply_f32(defense, logits, sizes[i][0], sizes[i][1], output), CHAFF_INVALID_ARGUMENT,
                       "more than memory can hold"));
    EXPECT(output[0] == 7 && output[6] == 7);
  }

  /* memory that is not aligned as float is */
  _Alignas(float) unsigned char bytes[8 * sizeof(float)];
  memset(bytes, 1, sizeof bytes);
  float* const crooked = (float*)(void*)(bytes + 1);
  EXPECT(failed_with(chaff_apply_f32(defense, logits, 2, 3, crooked), CHAFF_INVALID_ARGUMENT, "output is not aligned"));
  for (size_t i = 0; i < sizeof bytes; ++i) EXPECT(bytes[i] == (i >= 1 && i <= 6 * sizeof(float) ? 0 : 1));
  fill(output, 7);
  EXPECT(
      failed_with(chaff_apply_f32(defense, crooked, 2, 3, output), CHAFF_INVALID_ARGUMENT, "logits are not aligned"));
  EXPECT(is_zeroed(output, 6) && output[6] == 7);

  float both[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT(failed_with(chaff_apply_f32(defense, both, 2, 3, both + 3), CHAFF_INVALID_ARGUMENT, "overlap in part"));
  EXPECT(is_zeroed(both + 3, 6) && both[0] == 1);

  const struct {
    float value;
    const char* words;
  } rows[] = {{NAN, "logit 1 of row 1 is NaN"}, {INFINITY, "logit 1 of row 1 is +inf"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
    fill(output, 7);
    logits[4] = rows[i].value;
    EXPECT(failed_with(chaff_apply_f32(defense, logits, 2, 3, output), CHAFF_INVALID_ROW, rows[i].words));
    EXPECT(is_zeroed(output, 6) && output[6] == 7);
  }
  logits[3] = logits[4] = logits[5] = -INFINITY;
  fill(output, 7);
  EXPECT(
      failed_with(chaff_apply_f32(defense, logits, 2, 3, output), CHAFF_INVALID_ROW, "every class of row 1 is -inf"));
  EXPECT(is_zeroed(output, 6) && output[6] == 7);
  EXPECT(
      failed_with(chaff_apply_f32(defense, logits, 2, 3, logits), CHAFF_INVALID_ROW, "every class of row 1 is -inf"));
  EXPECT(is_zeroed(logits, 6));

  EXPECT(chaff_apply_f32(defense, logits, 2, 3, output) == CHAFF_OK);
  EXPECT(chaff_last_error()[0] == '\0');
  chaff_defense_destroy(defense);

  chaff_defense* const of_probabilities = created("dcp", "input=probabilities");
  fill(output, 7);
  EXPECT(failed_with(chaff_apply_f32(of_probabilities, both, 1, 3, output), CHAFF_INVALID_ROW, "not a row of"));
  EXPECT(is_zeroed(output, 3) && output[3] == 7);
  chaff_defense_destroy(of_probabilities);
}

int main(void) {
  EXPECT(strncmp(chaff_version(), CHAFF_TEST_VERSION " (", strlen(CHAFF_TEST_VERSION) + 2) == 0);
  EXPECT(chaff_version()[strlen(chaff_version()) - 1] == ')');
  EXPECT(chaff_last_error()[0] == '\0');
  test_outputs();
  test_errors_of_create();
  test_errors_of_apply();
  printf("%d failures\n", failures);
  return failures != 0;
}
