// SPDX-License-Identifier: MIT
/// Turns the body of a request into an image for the network, or into the reason why it is none.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_REQUEST_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_REQUEST_HPP

#include <png.h>
#include <Eigen/Core>
#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace service {

inline constexpr int side = 28;
inline constexpr std::size_t most_bytes = 1 << 20;  ///< of a body
inline constexpr unsigned most_pixels = 2048;       ///< of an image's width, and of its height

/// A status of HTTP and what the caller is told: fixed words, so that nothing of an answer can get into them.
struct refusal {
  int status;
  const char* code;
  const char* message;
};

/// The mean of the pixels under each of 28 x 28 equal areas, in [0, 1]; an image of that size stays as it is.
inline Eigen::VectorXf scaled(const std::vector<png_byte>& grey, std::size_t width, std::size_t height) {
  Eigen::VectorXf image(side * side);
  const auto from = [](std::size_t i, std::size_t size) { return i * size / side; };
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const std::size_t top = from(y, height), bottom = std::max(top + 1, from(y + 1, height));
      const std::size_t left = from(x, width), right = std::max(left + 1, from(x + 1, width));
      double sum = 0;
      for (std::size_t v = top; v < bottom; ++v) {
        for (std::size_t u = left; u < right; ++u) sum += grey[v * width + u];
      }
      image[static_cast<Eigen::Index>(y * side + x)] =
          static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left)) / 255);
    }
  }
  return image;
}

/// A PNG of any kind, as grey, transparent parts black; or 784 bytes, the pixels themselves, row by row.
inline std::variant<Eigen::VectorXf, refusal> parse_image(std::string_view body) {
  constexpr std::string_view png_signature("\x89PNG\r\n\x1a\n", 8);
  if (body.empty()) return refusal{400, "empty", "the body is empty: send a PNG, or 784 bytes"};
  if (body.size() > most_bytes) return refusal{413, "too_large", "the body is larger than 1 MiB"};
  if (body.substr(0, 8) != png_signature) {
    if (body.size() != side * side) {
      return refusal{415, "unknown_format", "the body is neither a PNG nor 784 bytes, one a pixel"};
    }
    return scaled(std::vector<png_byte>(body.begin(), body.end()), side, side);
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, body.data(), body.size()) == 0) {
    return refusal{400, "bad_png", "the PNG cannot be read"};
  }
  if (image.width > most_pixels || image.height > most_pixels) {
    png_image_free(&image);
    return refusal{413, "too_many_pixels", "the image is wider or higher than 2048 pixels"};
  }
  image.format = PNG_FORMAT_GRAY;
  std::vector<png_byte> grey(PNG_IMAGE_SIZE(image));
  const png_color black{};
  if (png_image_finish_read(&image, &black, grey.data(), 0, nullptr) == 0) {
    png_image_free(&image);
    return refusal{400, "bad_png", "the PNG cannot be read"};
  }
  return scaled(grey, image.width, image.height);
}

}  // namespace service

#endif
