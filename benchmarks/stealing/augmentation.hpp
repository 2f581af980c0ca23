// SPDX-License-Identifier: MIT
/// Images that are turned and shifted, as training draws them.
#ifndef CHAFF_BENCHMARKS_STEALING_AUGMENTATION_HPP
#define CHAFF_BENCHMARKS_STEALING_AUGMENTATION_HPP

#include <torch/torch.h>

#include <numbers>

/// Images that are turned about their centre and then shifted, by bilinear interpolation; what enters from outside is
/// 0. Shapes: N x channels x side x side pixels, N turns, N x 2 shifts. Units: turns in radians, clockwise; shifts in
/// pixels, to the right and downwards.
inline torch::Tensor moved(const torch::Tensor& pixels, const torch::Tensor& turns, const torch::Tensor& shifts) {
  namespace fn = torch::nn::functional;
  const torch::Tensor c = turns.cos(), s = turns.sin();
  // a grid's coordinates are in [-1, 1], and say from where each pixel of the result comes
  const torch::Tensor right = shifts.select(1, 0) * 2 / pixels.size(3), down = shifts.select(1, 1) * 2 / pixels.size(2);
  const torch::Tensor from =
      torch::stack({c, s, -(c * right + s * down), -s, c, s * right - c * down}, 1).view({-1, 2, 3});
  return fn::grid_sample(pixels, fn::affine_grid(from, pixels.sizes(), false),
                         fn::GridSampleFuncOptions().align_corners(false));
}

/// Images with a random turn of at most 10 degrees and a random shift of at most 2 pixels.
inline torch::Tensor augmented(const torch::Tensor& pixels) {
  const std::int64_t count = pixels.size(0);
  return moved(pixels, (torch::rand({count}) * 2 - 1) * (10 * std::numbers::pi / 180),
               (torch::rand({count, 2}) * 2 - 1) * 2);
}

/// Images of which each is turned anticlockwise by its own number of quarter turns, 0 to 3.
inline torch::Tensor quarter_turned(const torch::Tensor& pixels, const torch::Tensor& quarters) {
  torch::Tensor turned = pixels.clone();
  for (std::int64_t k = 1; k < 4; ++k) {
    const torch::Tensor chosen = quarters.eq(k).nonzero().flatten();
    turned.index_copy_(0, chosen, pixels.index_select(0, chosen).rot90(k, {2, 3}));
  }
  return turned;
}

#endif
