// SPDX-License-Identifier: MIT
/// The service's parser of a request's body. Guards: the result is an image of 28 x 28 values in [0, 1], or a refusal
/// with a status of 4xx.
#include "http_service/image.hpp"

#include "bytes.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = service::parse_image({reinterpret_cast<const char*>(data), size});
  if (const auto* why = std::get_if<service::refusal>(&parsed)) {
    demand(why->status >= 400 && why->status < 500 && why->code != nullptr && why->message != nullptr, "a refusal");
    return 0;
  }
  const Eigen::VectorXf& image = std::get<Eigen::VectorXf>(parsed);
  demand(image.size() == service::side * service::side, "28 x 28 values");
  for (const float value : image) demand(value >= 0 && value <= 1, "values in [0, 1]");
  return 0;
}
