// SPDX-License-Identifier: MIT
/// Labelled images in memory, and the parts that a data set is split into.
#ifndef CHAFF_BENCHMARKS_STEALING_IMAGE_SET_HPP
#define CHAFF_BENCHMARKS_STEALING_IMAGE_SET_HPP

#include <torch/torch.h>

#include <cstdint>
#include <string>

/// N images of 1 x 28 x 28 values in [0, 1], and the class of each.
struct image_set {
  torch::Tensor pixels;  ///< N x 1 x 28 x 28, float
  torch::Tensor labels;  ///< N, int64

  std::int64_t size() const { return labels.size(0); }

  image_set part(std::int64_t first, std::int64_t count) const {
    return {pixels.narrow(0, first, count), labels.narrow(0, first, count)};
  }

  image_set at(const torch::Tensor& indices) const {
    return {pixels.index_select(0, indices), labels.index_select(0, indices)};
  }
};

/// What a victim is trained on, the benign images by which its owner sets thresholds, and what all figures are measured
/// on.
struct data_set {
  std::int64_t classes;
  image_set train, held_out, test;

  /// A copy with at most `max_images` images in each part.
  data_set first(std::int64_t max_images) const {
    const auto cut = [&](const image_set& whole) { return whole.part(0, std::min(max_images, whole.size())); };
    return {classes, cut(train), cut(held_out), cut(test)};
  }

  /// Another division of the images that are not test images, into parts of the same sizes. Seed 1 leaves it as it is.
  data_set divided(std::int64_t seed) const {
    if (seed == 1) return *this;
    const image_set all{torch::cat({train.pixels, held_out.pixels}), torch::cat({train.labels, held_out.labels})};
    auto random = torch::make_generator<torch::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed));
    const torch::Tensor order = torch::randperm(all.size(), random, torch::kLong);
    return {classes, all.at(order.narrow(0, 0, train.size())), all.at(order.narrow(0, train.size(), held_out.size())),
            test};
  }
};

#endif
