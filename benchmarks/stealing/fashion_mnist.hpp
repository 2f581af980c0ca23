// SPDX-License-Identifier: MIT
/// Fashion-MNIST as Debian's package dataset-fashion-mnist has it: compressed IDX files.
#ifndef CHAFF_BENCHMARKS_STEALING_FASHION_MNIST_HPP
#define CHAFF_BENCHMARKS_STEALING_FASHION_MNIST_HPP

#include <zlib.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "image_set.hpp"

/// The bytes after a header, of a compressed IDX file of bytes.
/// Raises std::runtime_error where it is missing or is no such file.
inline std::vector<std::uint8_t> idx_bytes(const std::string& path, std::size_t header) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> some(1 << 20);
  int count = 0;
  while (file && (count = gzread(file.get(), some.data(), static_cast<unsigned>(some.size()))) > 0) {
    bytes.insert(bytes.end(), some.begin(), some.begin() + count);
  }
  if (bytes.size() < header || bytes[2] != 8) {
    throw std::runtime_error(path + " is missing or no compressed IDX file of bytes");
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return bytes;
}

inline image_set idx_images(const std::string& path) {
  std::vector<std::uint8_t> pixels = idx_bytes(path + "-images-idx3-ubyte.gz", 16);
  std::vector<std::uint8_t> labels = idx_bytes(path + "-labels-idx1-ubyte.gz", 8);
  const auto count = static_cast<std::int64_t>(labels.size());
  if (pixels.size() != labels.size() * 28 * 28) throw std::runtime_error(path + ": images and labels do not match");
  return {torch::from_blob(pixels.data(), {count, 1, 28, 28}, torch::kByte).to(torch::kFloat) / 255,
          torch::from_blob(labels.data(), {count}, torch::kByte).to(torch::kLong)};
}

/// The first 55,000 of its images to train on, the other 5,000 held out, and its 10,000 test images.
inline data_set fashion_mnist(const std::string& folder = "/usr/share/datasets/fashion-mnist") {
  const image_set all = idx_images(folder + "/train");
  return {10, all.part(0, 55000), all.part(55000, 5000), idx_images(folder + "/t10k")};
}

#endif
