// SPDX-License-Identifier: MIT
/// The accuracy of the float network, of the int8 network, and of the int8 network with a defense, on the same images.
///
/// accuracy WEIGHTS IMAGES LABELS
/// Exits with 1 where int8 is more than a point worse, or where a label changed.
#include <chaff/int8/dcp.hpp>
#include <cmath>
#include <cstdio>
#include <exception>

#include "int8_network.hpp"
#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

int run(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: accuracy WEIGHTS IMAGES LABELS\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);
  constexpr chaff::int8::dcp defense({.input_scale = int8_network::logit_scale});
  int correct_float = 0, correct_int8 = 0, correct_defended = 0, label_changes = 0;
  const Eigen::Index total = images.pixels.rows();
  for (Eigen::Index i = 0; i < total; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    std::uint8_t bytes[network::side * network::side];
    for (Eigen::Index j = 0; j < image.size(); ++j) bytes[j] = static_cast<std::uint8_t>(std::lround(image[j] * 255));
    std::int8_t logits[network::classes], answer[network::classes];
    int8_network::model(bytes, logits);
    defense(logits, answer);
    Eigen::Index float_label = 0;
    model(image).maxCoeff(&float_label);
    const auto first = [](const std::int8_t(&row)[network::classes]) {
      return std::max_element(row, row + network::classes) - row;
    };
    const int label = images.labels[static_cast<std::size_t>(i)];
    correct_float += float_label == label;
    correct_int8 += first(logits) == label;
    correct_defended += first(answer) == label;
    label_changes += first(logits) != first(answer);
  }
  const auto percent = [&](int n) { return 100.0 * n / static_cast<double>(total); };
  std::printf("%ld images: float %.2f %%, int8 %.2f %%, int8 defended %.2f %%; label changes: %d\n",
              static_cast<long>(total), percent(correct_float), percent(correct_int8), percent(correct_defended),
              label_changes);
  return label_changes == 0 && correct_int8 == correct_defended && percent(correct_float) - percent(correct_int8) <= 1
             ? 0
             : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy: %s\n", error.what());
    return 1;
  }
}
