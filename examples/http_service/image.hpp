// SPDX-License-Identifier: MIT
/// Parses the body of a request as an image for the network.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_IMAGE_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_IMAGE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <string_view>
#include <variant>

#include "png.hpp"
#include "refusal.hpp"

namespace service {

inline constexpr int side = 28;
inline constexpr std::size_t max_body_bytes = 1 << 20;

/// The mean of the pixels under each of 28 x 28 equal areas, in [0, 1]; an image of that size stays as it is.
inline Eigen::VectorXf scale(const grey_image& grey) {
  Eigen::VectorXf image(side * side);
  const auto start_of = [](std::size_t i, std::size_t size) { return i * size / side; };
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const std::size_t top = start_of(y, grey.height), bottom = std::max(top + 1, start_of(y + 1, grey.height));
      const std::size_t left = start_of(x, grey.width), right = std::max(left + 1, start_of(x + 1, grey.width));
      double sum = 0;
      for (std::size_t v = top; v < bottom; ++v) {
        for (std::size_t u = left; u < right; ++u) sum += grey.pixels[v * grey.width + u];
      }
      image[static_cast<Eigen::Index>(y * side + x)] =
          static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left)) / 255);
    }
  }
  return image;
}

/// Takes a PNG of any kind, or 784 bytes: the grey pixels themselves, row by row.
inline std::variant<Eigen::VectorXf, refusal> parse_image(std::string_view body) {
  constexpr std::string_view png_signature("\x89PNG\r\n\x1a\n", 8);
  if (body.empty()) return refusal{400, "empty", "the body is empty: send a PNG, or 784 bytes"};
  if (body.size() > max_body_bytes) return refusal{413, "too_large", "the body is larger than 1 MiB"};
  if (body.substr(0, 8) != png_signature) {
    if (body.size() != side * side) {
      return refusal{415, "unknown_format", "the body is neither a PNG nor 784 bytes, one a pixel"};
    }
    return scale({side, side, {body.begin(), body.end()}});
  }
  const auto image = read_png(body);
  if (const auto* why = std::get_if<refusal>(&image)) return *why;
  return scale(std::get<grey_image>(image));
}

}  // namespace service

#endif
