// SPDX-License-Identifier: MIT
/// A small convolutional network for 28 x 28 images, in plain Eigen: the model that the examples defend.
#ifndef CHAFF_EXAMPLES_QUICKSTART_NETWORK_HPP
#define CHAFF_EXAMPLES_QUICKSTART_NETWORK_HPP

#include <Eigen/Core>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

/// 28 x 28 x 1 -> conv 16 -> relu -> pool -> conv 32 -> relu -> pool -> dense 32 -> relu -> dense 10 -> logits; as
/// train.py has it.
class network {
 public:
  static constexpr int side = 28;
  static constexpr int classes = 10;

  /// Reads weights.bin; raises std::runtime_error where it is missing or not of the right size.
  explicit network(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const auto read = [&](auto& tensor, Eigen::Index rows, Eigen::Index columns) {
      tensor.resize(rows, columns);
      file.read(reinterpret_cast<char*>(tensor.data()), static_cast<std::streamsize>(sizeof(float)) * tensor.size());
    };
    read(conv1_, 16, 9);
    read(conv1_bias_, 16, 1);
    read(conv2_, 32, 16 * 9);
    read(conv2_bias_, 32, 1);
    read(dense1_, 32, 32 * 7 * 7);
    read(dense1_bias_, 32, 1);
    read(dense2_, classes, 32);
    read(dense2_bias_, classes, 1);
    if (!file || file.peek() != std::ifstream::traits_type::eof()) {
      throw std::runtime_error(path + " is missing or holds other weights");
    }
  }

  /// The logits of one image of 28 x 28 values in [0, 1], row-major.
  Eigen::VectorXf operator()(const Eigen::VectorXf& image) const { return dense2_ * features(image) + dense2_bias_; }

  /// What the last, linear layer sees of it.
  Eigen::VectorXf features(const Eigen::VectorXf& image) const {
    const maps first = pooled(convolved(maps(image.transpose()), side, conv1_, conv1_bias_), side);
    const maps second = pooled(convolved(first, side / 2, conv2_, conv2_bias_), side / 2);
    const Eigen::Map<const Eigen::VectorXf> flat(second.data(), second.size());
    return (dense1_ * flat + dense1_bias_).cwiseMax(0.0f);
  }

 private:
  /// A row for each channel, a column for each pixel.
  using maps = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

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

  maps conv1_, conv2_, dense1_, dense2_;
  Eigen::VectorXf conv1_bias_, conv2_bias_, dense1_bias_, dense2_bias_;
};

#endif
