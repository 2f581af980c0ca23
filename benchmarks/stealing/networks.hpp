// SPDX-License-Identifier: MIT
/// The networks of victims and clones, and the generator of the data-free attacks.
#ifndef CHAFF_BENCHMARKS_STEALING_NETWORKS_HPP
#define CHAFF_BENCHMARKS_STEALING_NETWORKS_HPP

#include <torch/torch.h>

#include <cstdint>
#include <stdexcept>
#include <string>

/// LeNet-5 with rectifiers and maxima: N x 1 x 28 x 28 -> N x classes logits.
/// Its convolutions keep the channels of a pixel together, which is half as fast again to train.
inline torch::nn::Sequential lenet(std::int64_t classes) {
  namespace nn = torch::nn;
  nn::Sequential all(nn::Conv2d(1, 6, 5), nn::MaxPool2d(2), nn::ReLU(), nn::Conv2d(6, 16, 5), nn::MaxPool2d(2),
                     nn::ReLU(), nn::Flatten(), nn::Linear(16 * 4 * 4, 120), nn::ReLU(), nn::Linear(120, 84),
                     nn::ReLU(), nn::Linear(84, classes));
  for (torch::Tensor& each : all->parameters()) {
    if (each.dim() == 4) each.set_data(each.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  return all;
}

/// Two 3 x 3 convolutions and a way past them.
struct residual_block : torch::nn::Module {
  residual_block(std::int64_t in, std::int64_t out, std::int64_t stride) {
    namespace nn = torch::nn;
    const auto convolution = [](std::int64_t from, std::int64_t to, std::int64_t size, std::int64_t step) {
      return nn::Conv2d(nn::Conv2dOptions(from, to, size).stride(step).padding(size / 2).bias(false));
    };
    body = register_module("body", nn::Sequential(convolution(in, out, 3, stride), nn::BatchNorm2d(out), nn::ReLU(),
                                                  convolution(out, out, 3, 1), nn::BatchNorm2d(out)));
    if (in != out || stride != 1) {
      past = register_module("past", nn::Sequential(convolution(in, out, 1, stride), nn::BatchNorm2d(out)));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return torch::relu(body->forward(x) + (past.is_empty() ? x : past->forward(x)));
  }

  torch::nn::Sequential body{nullptr}, past{nullptr};
};

/// ResNet-18 (He et al. 2016, arXiv 1512.03385), for 32 x 32 images: N x channels x size x size -> N x classes logits.
/// A smaller image, of even size, gets a frame of zeros: the first convolution is padded by more.
inline torch::nn::Sequential resnet18(std::int64_t channels, std::int64_t classes, std::int64_t size = 32) {
  namespace nn = torch::nn;
  nn::Sequential all(nn::Conv2d(nn::Conv2dOptions(channels, 64, 7).stride(2).padding(3 + (32 - size) / 2).bias(false)),
                     nn::BatchNorm2d(64), nn::ReLU(), nn::MaxPool2d(nn::MaxPool2dOptions(3).stride(2).padding(1)));
  std::int64_t in = 64;
  for (const std::int64_t out : {64, 128, 256, 512}) {
    all->push_back(residual_block(in, out, out == 64 ? 1 : 2));
    all->push_back(residual_block(out, out, 1));
    in = out;
  }
  all->push_back(nn::AdaptiveAvgPool2d(1));
  all->push_back(nn::Flatten());
  all->push_back(nn::Linear(512, classes));
  return all;
}

/// A victim's or a clone's network, lenet or resnet18: N x 1 x 28 x 28 -> N x classes logits.
/// Raises std::invalid_argument for another name.
inline torch::nn::Sequential network_of(const std::string& name, std::int64_t classes) {
  if (name == "lenet") return lenet(classes);
  if (name == "resnet18") return resnet18(1, classes, 28);
  throw std::invalid_argument("no network is called " + name);
}

/// Noise to images: N x 100 -> N x 1 x 28 x 28, before they are squashed into [0, 1].
inline torch::nn::Sequential generator() {
  namespace nn = torch::nn;
  const auto twice = [] {
    return nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kNearest));
  };
  return nn::Sequential(nn::Linear(100, 64 * 7 * 7), nn::Unflatten(nn::UnflattenOptions(1, {64, 7, 7})),
                        nn::BatchNorm2d(64), twice(), nn::Conv2d(nn::Conv2dOptions(64, 32, 3).padding(1)),
                        nn::BatchNorm2d(32), nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)), twice(),
                        nn::Conv2d(nn::Conv2dOptions(32, 1, 3).padding(1)),
                        nn::BatchNorm2d(nn::BatchNorm2dOptions(1).affine(false)));
}

#endif
