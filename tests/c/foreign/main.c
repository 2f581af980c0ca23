/* SPDX-License-Identifier: MIT */
/* A project of C alone that uses an installed libchaff. */
#include <chaff/c.h>
#include <stdio.h>

int main(void) {
  const float logits[3] = {0.5f, 2.0f, -1.0f};
  float output[3];
  chaff_defense* defense;
  if (chaff_defense_create("dcp(beta=1.2)", NULL, &defense) != CHAFF_OK ||
      chaff_apply_f32(defense, logits, 1, 3, output) != CHAFF_OK) {
    puts(chaff_last_error());
    return 1;
  }
  int label = 0;
  for (int i = 1; i < 3; ++i) label = output[i] > output[label] ? i : label;
  printf("class %d, libchaff %s\n", label, chaff_version());
  chaff_defense_destroy(defense);
  return 0;
}
