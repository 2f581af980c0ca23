// SPDX-License-Identifier: MIT
/// Classifies batches of real images with a TorchScript network, defended; half-precision logits become float first.
///
/// libtorch NETWORK.pt IMAGES LABELS [half]
/// Exits with 1 where an answer's label changed.
#include <torch/script.h>
#include <chaff/adapters/torch.hpp>
#include <chaff/chaff.hpp>
#include <cstdio>
#include <exception>

#include "quickstart/images.hpp"

namespace {

int run(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: libtorch NETWORK.pt IMAGES LABELS [half]\n");
    return 2;
  }
  torch::jit::Module network = torch::jit::load(arguments[1]);
  network.eval();
  const labelled_images images(arguments[2], arguments[3]);
  const bool in_half = count > 4 && std::string(arguments[4]) == "half";
  const torch::InferenceMode no_gradients;

  constexpr std::int64_t batch = 64;
  const std::int64_t total = images.pixels.rows();
  std::int64_t correct = 0, label_changes = 0, perturbed = 0;
  for (std::int64_t first = 0; first < total; first += batch) {
    const std::int64_t rows = std::min(batch, total - first);
    const at::Tensor pixels = torch::from_blob(const_cast<float*>(images.pixels.row(first).data()), {rows, 1, 28, 28});
    at::Tensor logits = network.forward({pixels}).toTensor();
    if (in_half) logits = logits.to(at::kHalf);  // as a network on a GPU often returns them

    // A user adds this line alone.
    const at::Tensor answers = chaff::apply(chaff::dcp{}, logits);

    const at::Tensor labels = answers.argmax(1);
    const at::Tensor is_perturbed = (answers - logits.to(at::kFloat).softmax(1)).abs().sum(1) > 1e-5;
    label_changes += (labels != logits.to(at::kFloat).argmax(1)).sum().item<std::int64_t>();
    perturbed += is_perturbed.sum().item<std::int64_t>();
    for (std::int64_t i = 0; i < rows; ++i) {
      correct += labels[i].item<std::int64_t>() == images.labels[static_cast<std::size_t>(first + i)];
    }
  }
  const auto percent = [&](std::int64_t n) { return 100.0 * static_cast<double>(n) / static_cast<double>(total); };
  std::printf(
      "%s logits, %ld images in batches of %ld\naccuracy          %6.2f %%\nrows perturbed    %6.1f %%\n"
      "label changes     %6ld\n",
      in_half ? "half" : "float", static_cast<long>(total), static_cast<long>(batch), percent(correct),
      percent(perturbed), static_cast<long>(label_changes));
  return label_changes == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "libtorch: %s\n", error.what());
    return 1;
  }
}
