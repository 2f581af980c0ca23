// SPDX-License-Identifier: MIT
/// An int8 network classifies real images, and its answers are defended, on integers alone: on a Cortex-M, or on the
/// host. Exits with 1 where a label changed, or where the defense takes 1 % of an inference or more.
#include <chaff/int8/dcp.hpp>
#include <chaff/int8/softmax.hpp>
#include <cstdio>

#include "instructions.hpp"
#include "int8_network.hpp"

namespace {

using int8_network::logit_scale;
constexpr int classes = edge::network::classes;
constexpr int pixels = edge::network::side * edge::network::side;

// Firmware adds this alone: a table in flash in place of the softmax kernel's multiplier and shift.
constexpr chaff::int8::softmax undefended(logit_scale);
constexpr chaff::int8::dcp defended({.input_scale = logit_scale});

using codes = std::int8_t[classes];

/// The predicted label: the lowest index of the largest code.
int predicted_label(const codes& row) {
  int label = 0;
  for (int i = 1; i < classes; ++i) label = row[i] > row[label] ? i : label;
  return label;
}

void show(const char* name, const codes& answer) {
  std::printf("%-12s", name);
  for (const std::int8_t code : answer) std::printf(" %4d", code);
  std::printf("\n");
}

}  // namespace

int main() {
  constexpr int total = sizeof int8_network::labels;
  int correct_undefended = 0, correct_defended = 0, label_changes = 0, perturbed = 0;
  int most_confident = 0, least_confident = 0;
  std::int8_t highest = -128, lowest = 127;
  std::uint32_t inference = 0, defense = 0, softmax = 0;
  for (int i = 0; i < total; ++i) {
    codes logits, clean, answer;
    inference += instructions::of([&] { int8_network::model(int8_network::images + i * pixels, logits); }) / total;
    softmax += instructions::of([&] { undefended(logits, clean); });
    defense += instructions::of([&] { defended(logits, answer); });
    const int label = predicted_label(answer);
    correct_undefended += predicted_label(logits) == int8_network::labels[i];
    correct_defended += label == int8_network::labels[i];
    label_changes += label != predicted_label(logits);
    bool differs = false;
    for (int j = 0; j < classes; ++j) differs = differs || answer[j] != clean[j];
    perturbed += differs;
    if (clean[label] > highest) highest = clean[label], most_confident = i;
    if (clean[label] < lowest) lowest = clean[label], least_confident = i;
  }
  std::printf("%d images: %d correct undefended, %d correct defended; label changes: %d; rows perturbed: %d\n\n", total,
              correct_undefended, correct_defended, label_changes, perturbed);
  for (const int i : {most_confident, least_confident}) {
    codes logits, clean, answer;
    int8_network::model(int8_network::images + i * pixels, logits);
    undefended(logits, clean);
    defended(logits, answer);
    std::printf("%s answer, codes of scale 1/256 and zero point -128\n",
                i == most_confident ? "the most confident" : "the least confident");
    show("undefended", clean);
    show("defended", answer);
  }
  bool light = true;
  if (inference != 0) {
    light = defense / total < inference / 100;
    const std::uint32_t millionths = defense / total * 100 / (inference / 10000);
    std::printf("\ninstructions: %lu per inference, %lu its softmax, %lu its defended answer: %lu.%04lu %% of it\n",
                static_cast<unsigned long>(inference), static_cast<unsigned long>(softmax / total),
                static_cast<unsigned long>(defense / total), static_cast<unsigned long>(millionths / 10000),
                static_cast<unsigned long>(millionths % 10000));
  }
  return label_changes == 0 && correct_undefended == correct_defended && light ? 0 : 1;
}
