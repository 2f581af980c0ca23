// SPDX-License-Identifier: MIT
/// Writes what an audit reads: the logits of the quickstart's network on real images, as CSV.
///
/// sample_logits WEIGHTS IMAGES LABELS FOLDER
/// Writes to FOLDER logits.csv and labels.csv of every second image, other_logits.csv and other_labels.csv of the other
/// images, and ood.csv: the logits of the first ones upside down and as negatives, which no benign user sends.
#include <cstdio>
#include <exception>
#include <fstream>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

int run(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: sample_logits WEIGHTS IMAGES LABELS FOLDER\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);
  const std::string folder = arguments[4];
  const auto open = [&](const char* name) {
    std::ofstream file(folder + "/" + name);
    if (!file) throw std::runtime_error(folder + "/" + name + " cannot be written");
    file.precision(9);
    return file;
  };
  std::ofstream logits[] = {open("logits.csv"), open("other_logits.csv")};
  std::ofstream labels[] = {open("labels.csv"), open("other_labels.csv")};
  std::ofstream ood = open("ood.csv");
  const Eigen::IOFormat csv(Eigen::FullPrecision, Eigen::DontAlignCols, ",", ",", "", "", "", "\n");
  for (Eigen::Index i = 0; i < images.pixels.rows(); ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    logits[i % 2] << model(image).transpose().format(csv);
    labels[i % 2] << images.labels[static_cast<std::size_t>(i)] << "\n";
    if (i % 2 == 0) ood << model((1 - image.reverse().array()).matrix()).transpose().format(csv);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample_logits: %s\n", error.what());
    return 1;
  }
}
