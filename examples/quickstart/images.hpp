// SPDX-License-Identifier: MIT
/// Reads labelled images in the IDX format of MNIST and Fashion-MNIST.
#ifndef CHAFF_EXAMPLES_QUICKSTART_IMAGES_HPP
#define CHAFF_EXAMPLES_QUICKSTART_IMAGES_HPP

#include <Eigen/Core>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

/// A row of 28 x 28 values in [0, 1] for each image, and the class that it shows.
struct labelled_images {
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> pixels;
  std::vector<int> labels;

  /// Raises std::runtime_error where a file is missing or is not what it should be.
  labelled_images(const std::string& images_path, const std::string& labels_path) {
    const std::vector<unsigned char> images = bytes_of(images_path, 16);
    const std::vector<unsigned char> names = bytes_of(labels_path, 8);
    const std::size_t count = names.size() - 8;
    if (count == 0 || images.size() != 16 + count * 28 * 28) {
      throw std::runtime_error(images_path + " and " + labels_path + " do not belong together");
    }
    pixels.resize(static_cast<Eigen::Index>(count), 28 * 28);
    for (Eigen::Index i = 0; i < pixels.size(); ++i) {
      pixels.data()[i] = static_cast<float>(images[16 + static_cast<std::size_t>(i)]) / 255.0f;
    }
    labels.assign(names.begin() + 8, names.end());
  }

 private:
  static std::vector<unsigned char> bytes_of(const std::string& path, std::size_t header) {
    std::ifstream file(path, std::ios::binary);
    std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < header || bytes[2] != 8) throw std::runtime_error(path + " is missing or no IDX file of bytes");
    return bytes;
  }
};

#endif
