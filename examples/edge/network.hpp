// SPDX-License-Identifier: MIT
/// The quickstart's network on int8, integers only: what a firmware's inference library does.
#ifndef CHAFF_EXAMPLES_EDGE_NETWORK_HPP
#define CHAFF_EXAMPLES_EDGE_NETWORK_HPP

#include <cstddef>
#include <cstdint>

namespace edge {

/// One layer: int8 weights with a scale for each output channel, folded with the activations' scales into a multiplier
/// of at most 1 in q31 and a shift; the bias in the accumulator's units. Activations have the zero point -128.
struct layer {
  const std::int8_t* weights;
  const std::int32_t* bias;
  const std::int32_t* multiplier_q31;
  const std::int8_t* shift;
};

struct network {
  static constexpr int side = 28;
  static constexpr int classes = 10;

  layer conv1, conv2, dense1, dense2;
  std::int32_t logits_zero_point;

  /// Eight bits of `accumulator` times the channel's scale, clamped. No overflow: |accumulator| < 2^28.
  static std::int8_t requantised(std::int32_t accumulator, const layer& of, int channel, std::int32_t zero_point) {
    const int shift = 31 + of.shift[channel];
    const std::int64_t product = static_cast<std::int64_t>(accumulator) * of.multiplier_q31[channel];
    const auto value = static_cast<std::int32_t>((product + (std::int64_t{1} << (shift - 1))) >> shift) + zero_point;
    return static_cast<std::int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
  }

  /// 3 x 3 convolution with zero padding of 1, relu and 2 x 2 pooling. Maps are channel by channel, `width` squared.
  static void convolve_and_pool(const layer& of, const std::int8_t* in, int in_channels, int width, int out_channels,
                                std::int8_t* out) {
    for (int channel = 0; channel < out_channels; ++channel) {
      const std::int8_t* const kernels = of.weights + channel * in_channels * 9;
      for (int y = 0; y < width; y += 2) {
        for (int x = 0; x < width; x += 2) {
          std::int8_t best = -128;  // which is 0, so relu and the maximum are one
          for (int corner = 0; corner < 4; ++corner) {
            const int cy = y + corner / 2, cx = x + corner % 2;
            std::int32_t sum = of.bias[channel];
            for (int from = 0; from < in_channels; ++from) {
              for (int dy = -1; dy <= 1; ++dy) {
                for (int dx = -1; dx <= 1; ++dx) {
                  const int py = cy + dy, px = cx + dx;
                  if (py < 0 || py >= width || px < 0 || px >= width) continue;
                  sum += (in[(from * width + py) * width + px] + 128) * kernels[from * 9 + (dy + 1) * 3 + dx + 1];
                }
              }
            }
            const std::int8_t value = requantised(sum, of, channel, -128);
            if (value > best) best = value;
          }
          *out++ = best;
        }
      }
    }
  }

  static void multiply(const layer& of, const std::int8_t* in, int inputs, int outputs, std::int32_t zero_point,
                       std::int8_t* out) {
    for (int row = 0; row < outputs; ++row) {
      std::int32_t sum = of.bias[row];
      for (int i = 0; i < inputs; ++i) sum += (in[i] + 128) * of.weights[row * inputs + i];
      out[row] = requantised(sum, of, row, zero_point);
    }
  }

  /// The int8 logits of one image of 28 x 28 pixels, 0 to 255.
  void operator()(const std::uint8_t* image, std::int8_t (&logits)[classes]) const {
    static std::int8_t pixels[side * side], first[16 * 14 * 14], second[32 * 7 * 7], hidden[32];
    for (int i = 0; i < side * side; ++i) pixels[i] = static_cast<std::int8_t>(image[i] - 128);
    convolve_and_pool(conv1, pixels, 1, side, 16, first);
    convolve_and_pool(conv2, first, 16, side / 2, 32, second);
    multiply(dense1, second, 32 * 7 * 7, 32, -128, hidden);
    multiply(dense2, hidden, 32, classes, logits_zero_point, logits);
  }
};

}  // namespace edge

#endif
