// SPDX-License-Identifier: MIT
/// A small convolutional network for 28 x 28 images, in plain Eigen: the model that the examples defend.
#ifndef CHAFF_EXAMPLES_QUICKSTART_NETWORK_HPP
#define CHAFF_EXAMPLES_QUICKSTART_NETWORK_HPP

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

/// 28 x 28 x 1 -> conv 16 -> relu -> pool -> conv 32 -> relu -> pool -> dense 32 -> relu -> dense 10 -> logits; as
/// train.py has it.
struct network {
  static constexpr int side = 28;
  static constexpr int classes = 10;

  /// Reads weights.bin; raises std::runtime_error where it is missing or not of the right size.
  explicit network(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const auto read = [&](auto& tensor, Eigen::Index rows, Eigen::Index columns) {
      tensor.resize(rows, columns);
      char* const bytes = reinterpret_cast<char*>(tensor.data());
      const auto size = static_cast<std::streamsize>(sizeof(float)) * tensor.size();
      file.read(bytes, size);
      if constexpr (std::endian::native == std::endian::big) {  // the file's numbers are little-endian
        for (char* at = bytes; at != bytes + size; at += sizeof(float)) std::reverse(at, at + sizeof(float));
      }
    };
    read(conv1, 16, 9);
    read(conv1_bias, 16, 1);
    read(conv2, 32, 16 * 9);
    read(conv2_bias, 32, 1);
    read(dense1, 32, 32 * 7 * 7);
    read(dense1_bias, 32, 1);
    read(dense2, classes, 32);
    read(dense2_bias, classes, 1);
    if (!file || file.peek() != std::ifstream::traits_type::eof()) {
      throw std::runtime_error(path + " is missing or holds other weights");
    }
  }

  /// The logits of one image of 28 x 28 values in [0, 1], row-major.
  Eigen::VectorXf operator()(const Eigen::VectorXf& image) const { return dense2 * features(image) + dense2_bias; }

  /// The inputs of the last, linear layer.
  Eigen::VectorXf features(const Eigen::VectorXf& image) const {
    const maps last = second(first(image));
    const Eigen::Map<const Eigen::VectorXf> flat(last.data(), last.size());
    return (dense1 * flat + dense1_bias).cwiseMax(0.0f);
  }

  /// A row for each channel, a column for each pixel.
  using maps = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// The maps after each convolution, relu and pooling.
  maps first(const Eigen::VectorXf& image) const {
    return pooled(convolved(maps(image.transpose()), side, conv1, conv1_bias), side);
  }
  maps second(const maps& in) const { return pooled(convolved(in, side / 2, conv2, conv2_bias), side / 2); }

  maps conv1, conv2, dense1, dense2;
  Eigen::VectorXf conv1_bias, conv2_bias, dense1_bias, dense2_bias;

 private:
  /// 3 x 3 convolution with zero padding of 1, then relu: the shifted images stacked, times the kernels.
  static maps convolved(const maps& in, int width, const maps& kernels, const Eigen::VectorXf& bias) {
    maps stacked = maps::Zero(in.rows() * 9, in.cols());
    for (Eigen::Index channel = 0; channel < in.rows(); ++channel) {
      const Eigen::Map<const maps> image(in.row(channel).data(), width, width);
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
          Eigen::Map<maps> shifted(stacked.row(channel * 9 + (dy + 1) * 3 + dx + 1).data(), width, width);
          const int rows = width - std::abs(dy);
          const int columns = width - std::abs(dx);
          shifted.block(std::max(0, -dy), std::max(0, -dx), rows, columns) =
              image.block(std::max(0, dy), std::max(0, dx), rows, columns);
        }
      }
    }
    return ((kernels * stacked).colwise() + bias).cwiseMax(0.0f);
  }

  /// The maximum of each 2 x 2 square.
  static maps pooled(const maps& in, int width) {
    const int half = width / 2;
    maps out(in.rows(), half * half);
    for (Eigen::Index channel = 0; channel < in.rows(); ++channel) {
      const Eigen::Map<const maps> image(in.row(channel).data(), width, width);
      for (int y = 0; y < half; ++y) {
        for (int x = 0; x < half; ++x) out(channel, y * half + x) = image.block<2, 2>(2 * y, 2 * x).maxCoeff();
      }
    }
    return out;
  }
};

#endif
