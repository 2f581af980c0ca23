// SPDX-License-Identifier: MIT
/// Quantises the quickstart's network after training, and writes it down as C++ together with some images.
///
/// quantise WEIGHTS IMAGES LABELS > int8_network.hpp
/// Weights: int8, symmetric, a scale for each output channel. Activations: int8, their ranges calibrated on the first
/// 100 images. Every tenth image after these is written down for the target.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

constexpr Eigen::Index calibrated = 100, embedded = 40;

template <class Value>
void print_array(const char* type, const std::string& name, const std::vector<Value>& values) {
  std::printf("inline constexpr %s %s[%zu] = {", type, name.c_str(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%ld", i % 24 == 0 ? "\n" : "", static_cast<long>(values[i]));
    std::printf(",");
  }
  std::printf("};\n");
}

/// One layer between activations of the scales `in` and `out`.
void print_layer(const std::string& name, const network::maps& weights, const Eigen::VectorXf& bias, double in,
                 double out) {
  std::vector<int> w, shifts;
  std::vector<long> biases, multipliers;
  for (Eigen::Index row = 0; row < weights.rows(); ++row) {
    const double scale = static_cast<double>(weights.row(row).cwiseAbs().maxCoeff()) / 127;
    for (Eigen::Index i = 0; i < weights.cols(); ++i) {
      w.push_back(static_cast<int>(std::lround(static_cast<double>(weights(row, i)) / scale)));
    }
    biases.push_back(std::lround(static_cast<double>(bias[row]) / (in * scale)));
    int exponent = 0;
    const double fraction = std::frexp(in * scale / out, &exponent);
    multipliers.push_back(std::min(std::lround(fraction * 0x1p31), 0x7fffffffl));
    shifts.push_back(-exponent);
  }
  print_array("std::int8_t", name + "_weights", w);
  print_array("std::int32_t", name + "_bias", biases);
  print_array("std::int32_t", name + "_multiplier", multipliers);
  print_array("std::int8_t", name + "_shift", shifts);
}

int run(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: quantise WEIGHTS IMAGES LABELS\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);

  float first = 0, second = 0, hidden = 0, lowest = 0, highest = 0;
  for (Eigen::Index i = 0; i < calibrated; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const network::maps maps = model.first(image);
    const Eigen::VectorXf logits = model(image);
    first = std::max(first, maps.maxCoeff());
    second = std::max(second, model.second(maps).maxCoeff());
    hidden = std::max(hidden, model.features(image).maxCoeff());
    lowest = std::min(lowest, logits.minCoeff());
    highest = std::max(highest, logits.maxCoeff());
  }
  const auto scale_of = [](float range) { return static_cast<double>(range) / 255; };
  const double logit_scale = scale_of(highest - lowest);
  const long zero_point = -128 - std::lround(static_cast<double>(lowest) / logit_scale);

  std::printf(
      "// SPDX-License-Identifier: MIT\n// Written by quantise; do not edit.\n#pragma once\n#include <cstdint>\n");
  std::printf("#include \"network.hpp\"\nnamespace int8_network {\n");
  print_layer("conv1", model.conv1, model.conv1_bias, 1.0 / 255, scale_of(first));
  print_layer("conv2", model.conv2, model.conv2_bias, scale_of(first), scale_of(second));
  print_layer("dense1", model.dense1, model.dense1_bias, scale_of(second), scale_of(hidden));
  print_layer("dense2", model.dense2, model.dense2_bias, scale_of(hidden), logit_scale);
  std::printf("inline constexpr float logit_scale = %.9gf;\n", logit_scale);
  std::printf("inline constexpr edge::network model = {\n");
  for (const char* name : {"conv1", "conv2", "dense1", "dense2"}) {
    std::printf("{%s_weights, %s_bias, %s_multiplier, %s_shift},\n", name, name, name, name);
  }
  std::printf("%ld};\n", zero_point);

  std::vector<int> pixels, labels;
  for (Eigen::Index i = 0; i < embedded; ++i) {
    const Eigen::Index at = calibrated + 10 * i;
    for (Eigen::Index j = 0; j < images.pixels.cols(); ++j) {
      pixels.push_back(static_cast<int>(std::lround(images.pixels(at, j) * 255)));
    }
    labels.push_back(images.labels[static_cast<std::size_t>(at)]);
  }
  print_array("std::uint8_t", "images", pixels);
  print_array("std::uint8_t", "labels", labels);
  std::printf("}\n");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quantise: %s\n", error.what());
    return 1;
  }
}
