/* SPDX-License-Identifier: MIT */
/** The edge path as C calls it. */
#include <chaff/int8/c.h>
#include <stdio.h>
#include <string.h>

#define EXPECT(condition) \
  if (!(condition)) return printf("line %d: %s\n", __LINE__, #condition), 1

int main(void) {
  static chaff_int8_table dcp, open, plain;
  EXPECT(chaff_int8_dcp_table(&dcp, 0.1f, 0.9f, 0.2f, 1000, 0.9f, 0) == 0);
  EXPECT(chaff_int8_reverse_sigmoid_table(&open, 0.1f, 0.9f, 0.2f, 1) == 0);
  EXPECT(chaff_int8_softmax_table(&plain, 0.1f) == 0);
  const chaff_int8_table before = dcp;
  EXPECT(chaff_int8_dcp_table(&dcp, -1, 0.9f, 0.2f, 1000, 0.9f, 0) == 1);
  EXPECT(memcmp(&before, &dcp, sizeof dcp) == 0);

  /* two rows: one sure, one not */
  const int8_t q[8] = {100, 0, -50, 3, 10, 8, 9, 7};
  uint8_t u[8], u_answer[8];
  int8_t s[8], clean[8];
  int16_t s16[8];
  for (int i = 0; i < 8; ++i) u[i] = (uint8_t)(q[i] + 128);
  chaff_int8_answer_s8(q, 2, 4, &dcp, s);
  chaff_int8_answer_s8(q, 2, 4, &plain, clean);
  chaff_int8_answer_u8(u, 2, 4, &dcp, u_answer);
  chaff_int8_answer_s8_s16(q, 2, 4, &dcp, s16);
  EXPECT(memcmp(s, clean, 4) == 0);         /* the sure row is as it was */
  EXPECT(memcmp(s + 4, clean + 4, 4) != 0); /* the other one is not */
  for (int row = 0; row < 8; row += 4) {
    for (int i = 1; i < 4; ++i) EXPECT(s[row] > s[row + i] && s16[row] > s16[row + i]);
  }
  for (int i = 0; i < 8; ++i) {
    EXPECT(u_answer[i] == s[i] + 128);
    EXPECT((s16[i] + 32768) / 256 - (s[i] + 128) <= 1 && (s[i] + 128) - (s16[i] + 32768) / 256 <= 1);
  }
  /* in place */
  int8_t in_place[8];
  memcpy(in_place, q, sizeof q);
  chaff_int8_answer_s8(in_place, 2, 4, &dcp, in_place);
  EXPECT(memcmp(in_place, s, sizeof s) == 0);

  /* TensorFlow Lite's multiplier for a scale of 0.5 is 2^25: 1/2 in q31, shifted by 26 */
  EXPECT(chaff_int8_scale_of(1 << 30, 26) == 0.5f);
  return 0;
}
