// SPDX-License-Identifier: MIT
/// Requests and responses of the Open Inference Protocol (KServe v2, REST): tensors as JSON.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_INFERENCE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_INFERENCE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "image.hpp"
#include "refusal.hpp"

namespace service {

inline constexpr std::string_view protocol_prefix = "/v2";
inline constexpr std::string_view model_path = "/v2/models/fashion_mnist";
inline constexpr std::string_view infer_path = "/v2/models/fashion_mnist/infer";
inline constexpr std::size_t max_batch = 64;

/// Whether errors on this path have the form that the protocol wants.
inline bool is_protocol_path(std::string_view path) {
  return path.starts_with(protocol_prefix) &&
         (path.size() == protocol_prefix.size() || path[protocol_prefix.size()] == '/');
}

struct inference_request {
  std::string id;  ///< empty, or up to 128 letters, digits and . _ : -
  std::vector<Eigen::VectorXf> images;
  bool wants_probabilities = false;
  bool wants_logits = false;
};

namespace detail {

inline constexpr refusal bad_tensor{400, "tensor", "send one input: image, FP32 or UINT8, with a shape and data"};

inline bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("._:-").find(c) != std::string_view::npos;
  });
}

/// The member of an object, or null.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

/// The number of images of a shape [N, 28, 28], [N, 784] or [N, 1, 28, 28]; 0 if it is none of them.
inline std::uint64_t batch_of(const nlohmann::json& shape) {
  if (!shape.is_array() || shape.empty() ||
      !std::ranges::all_of(shape, [](const auto& n) { return n.is_number_unsigned(); }))
    return 0;
  const auto sizes = shape.get<std::vector<std::uint64_t>>();
  const std::vector<std::uint64_t> of_one(sizes.begin() + 1, sizes.end());
  const bool is_image = of_one == std::vector<std::uint64_t>{side, side} ||
                        of_one == std::vector<std::uint64_t>{side * side} ||
                        of_one == std::vector<std::uint64_t>{1, side, side};
  return is_image ? sizes.front() : 0;
}

/// A pixel in [0, 1], or a negative number if it is none.
inline float pixel_of(const nlohmann::json& value, bool is_byte) {
  if (is_byte) {
    const bool is_in_range = value.is_number_unsigned() && value.get<std::uint64_t>() <= 255;
    return is_in_range ? static_cast<float>(value.get<std::uint64_t>()) / 255 : -1;
  }
  if (!value.is_number()) return -1;
  const double number = value.get<double>();
  return number >= 0 && number <= 1 ? static_cast<float>(number) : -1;
}

inline std::variant<std::vector<Eigen::VectorXf>, refusal> images_of(const nlohmann::json& inputs) {
  if (!inputs.is_array() || inputs.size() != 1) return bad_tensor;
  const auto& input = inputs.front();
  const auto& type = member(input, "datatype");
  const auto& data = member(input, "data");
  const bool is_byte = type == "UINT8";
  if (member(input, "name") != "image" || (!is_byte && type != "FP32") || !data.is_array()) return bad_tensor;
  const std::uint64_t batch = batch_of(member(input, "shape"));
  if (batch == 0) return refusal{400, "shape", "the shape is none of [N, 28, 28], [N, 784] and [N, 1, 28, 28]"};
  if (batch > max_batch) return refusal{400, "batch", "a batch has up to 64 images"};
  constexpr std::size_t pixels = side * side;
  if (data.size() != batch * pixels)
    return refusal{400, "data", "send as many numbers as the shape says, as a flat array"};
  std::vector<Eigen::VectorXf> images(batch, Eigen::VectorXf(pixels));
  for (std::size_t i = 0; i < data.size(); ++i) {
    const float pixel = pixel_of(data[i], is_byte);
    if (pixel < 0) return refusal{400, "pixel", "a pixel is a number from 0 to 1 in FP32, and from 0 to 255 in UINT8"};
    images[i / pixels][static_cast<Eigen::Index>(i % pixels)] = pixel;
  }
  return images;
}

/// Appends the shortest decimal that brings the same float back.
inline void append(std::string& text, float value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  text.append(digits.begin(), end);
}

inline void append_tensor(std::string& text, std::string_view name, const std::vector<Eigen::VectorXf>& rows) {
  text += "{\"name\":\"";
  text += name;
  text += "\",\"datatype\":\"FP32\",\"shape\":[" + std::to_string(rows.size()) + ',' +
          std::to_string(rows.front().size()) + "],\"data\":[";
  for (const auto& row : rows) {
    for (const float value : row) {
      append(text, value);
      text += ',';
    }
  }
  text.back() = ']';
  text += '}';
}

}  // namespace detail

/// Parses the body of a request. Every field that is not named in the README is ignored.
inline std::variant<inference_request, refusal> parse_inference(std::string_view body, bool has_logits) {
  // a request has a dozen arrays and objects, four deep; an array takes many times the memory of its two bytes, so the
  // rest is discarded while it is read
  int parts = 0;
  bool is_small = true;
  const auto json = nlohmann::json::parse(
      body,
      [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json&) {
        using enum nlohmann::json::parse_event_t;
        parts += event == object_start || event == array_start;
        is_small &= depth <= 8 && parts <= 100;
        return is_small;
      },
      false);
  if (!is_small || !json.is_object()) return refusal{400, "json", "the body is no JSON object of a dozen parts"};
  inference_request request;
  if (json.contains("id")) {
    const auto* id = json["id"].get_ptr<const std::string*>();
    if (!id || !detail::is_id(*id))
      return refusal{400, "id", "an id has 1 to 128 letters, digits, dots, colons, hyphens and underscores"};
    request.id = *id;
  }
  if (!json.contains("outputs")) {
    request.wants_probabilities = true;
    request.wants_logits = has_logits;
  } else {
    const auto& outputs = json["outputs"];
    constexpr refusal unknown{400, "output", "there is no such output"};
    if (!outputs.is_array() || outputs.empty() || outputs.size() > 2) return unknown;
    for (const auto& output : outputs) {
      const auto& name = detail::member(output, "name");
      bool& is_wanted = name == "logits" ? request.wants_logits : request.wants_probabilities;
      if (is_wanted || (name != "probabilities" && !(name == "logits" && has_logits))) return unknown;
      is_wanted = true;
    }
  }
  auto images = detail::images_of(detail::member(json, "inputs"));
  if (const auto* why = std::get_if<refusal>(&images)) return *why;
  request.images = std::move(std::get<std::vector<Eigen::VectorXf>>(images));
  return request;
}

/// The body of a response. Of the request it has the id alone.
inline std::string body_of(const inference_request& request, const std::vector<Eigen::VectorXf>& probabilities,
                           const std::vector<Eigen::VectorXf>& logits) {
  std::string text = "{\"model_name\":\"fashion_mnist\",\"model_version\":\"1\",";
  if (!request.id.empty()) text += "\"id\":" + nlohmann::json(request.id).dump() + ',';
  text += "\"outputs\":[";
  if (request.wants_probabilities) detail::append_tensor(text, "probabilities", probabilities);
  if (request.wants_probabilities && request.wants_logits) text += ',';
  if (request.wants_logits) detail::append_tensor(text, "logits", logits);
  return text + "]}\n";
}

/// The model's metadata.
inline std::string metadata_of(bool has_logits) {
  const std::string output = R"(","datatype":"FP32","shape":[-1,10]})";
  return R"({"name":"fashion_mnist","versions":["1"],"platform":"chaff","inputs":[{"name":"image","datatype":"FP32",)"
         R"("shape":[-1,28,28]}],"outputs":[{"name":"probabilities)" +
         output + (has_logits ? R"(,{"name":"logits)" + output : "") + "]}\n";
}

}  // namespace service

#endif
