// SPDX-License-Identifier: MIT
/// The service's parser of the Open Inference Protocol. Guards: the result is 1 to 64 images of 28 x 28 values in [0,
/// 1] with an id that needs no escapes and outputs that the service has, or a refusal with a status of 4xx.
#include "http_service/inference.hpp"

#include "bytes.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const bool has_logits : {false, true}) {
    const auto parsed = service::parse_inference(body, has_logits);
    if (const auto* why = std::get_if<service::refusal>(&parsed)) {
      demand(why->status >= 400 && why->status < 500 && why->message != nullptr, "a refusal");
      continue;
    }
    const auto& request = std::get<service::inference_request>(parsed);
    demand(!request.images.empty() && request.images.size() <= service::max_batch, "a batch");
    demand(request.wants_probabilities || request.wants_logits, "an output");
    demand(has_logits || !request.wants_logits, "no logits where there are none");
    demand(request.id.size() <= 128, "a short id");
    for (const char c : request.id) demand(c > ' ' && c < '\x7f' && c != '"' && c != '\\', "an id without escapes");
    for (const auto& image : request.images) {
      demand(image.size() == service::side * service::side, "28 x 28 values");
      for (const float value : image) demand(value >= 0 && value <= 1, "values in [0, 1]");
    }
    const std::vector<Eigen::VectorXf> rows(request.images.size(), Eigen::VectorXf::Constant(10, 0.1f));
    demand(nlohmann::json::accept(service::body_of(request, rows, rows)), "a response in JSON");
  }
  return 0;
}
