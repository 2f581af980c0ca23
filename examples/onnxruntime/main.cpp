// SPDX-License-Identifier: MIT
/// Classifies the images of an IDX file with ONNX Runtime, by a model that ends in chaff.Defend, and prints what each
/// client would get.
///
/// onnxruntime_host MODEL.onnx OPERATOR.so IMAGES.idx3-ubyte LABELS.idx1-ubyte
#define ORT_API_MANUAL_INIT  // runs with runtimes older than the headers, too
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "quickstart/images.hpp"

namespace {

constexpr const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                 "sandal",  "shirt",    "sneaker",  "bag",   "boot"};

void run(const char* model, const char* library, const labelled_images& images) {
  const Ort::Env env;
  Ort::SessionOptions options;
  options.RegisterCustomOpsLibrary(library);  // a user adds this line alone
  Ort::Session session(env, model, options);

  constexpr std::int64_t shape[] = {5, 1, 28, 28};
  std::vector<float> pixels(images.pixels.data(), images.pixels.data() + 5 * 28 * 28);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  const auto input = Ort::Value::CreateTensor<float>(memory, pixels.data(), pixels.size(), shape, std::size(shape));
  const char* const inputs[] = {"images"};
  const char* const outputs[] = {"logits"};  // defended probabilities: the model was changed, and not its names
  const auto answers = session.Run(Ort::RunOptions{}, inputs, &input, 1, outputs, 1);
  const float* answer = answers[0].GetTensorData<float>();
  for (std::size_t i = 0; i < 5; ++i, answer += std::size(names)) {
    const auto* const label = std::max_element(answer, answer + std::size(names));
    std::printf("%s shown, answer %s %.4f\n", names[images.labels[i]], names[label - answer],
                static_cast<double>(*label));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: onnxruntime_host MODEL.onnx OPERATOR.so IMAGES.idx3-ubyte LABELS.idx1-ubyte\n");
    return 2;
  }
  try {
    Ort::InitApi(OrtGetApiBase()->GetApi(17));
    run(arguments[1], arguments[2], {arguments[3], arguments[4]});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "onnxruntime_host: %s\n", error.what());
    return 1;
  }
}
