// SPDX-License-Identifier: MIT
/// Reads PNGs as grey images, by libpng's row interface.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_PNG_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_PNG_HPP

#include <png.h>
#include <csetjmp>
#include <cstring>
#include <new>
#include <string_view>
#include <variant>
#include <vector>

#include "refusal.hpp"

namespace service {

inline constexpr unsigned max_side_pixels = 2048;  ///< of an image's width, and of its height

struct grey_image {
  std::size_t width = 0, height = 0;
  std::vector<png_byte> pixels;  ///< row by row
};

/// The grey of one pixel of 1 to 4 samples: grey or RGB, then alpha if the count is even; blend with black.
/// Formula: the luma of ITU-R BT.601, in 16 fractional bits whose weights sum to 1, so that equal samples stay as they
/// are; times alpha, rounded to nearest.
inline png_byte grey_of(const png_byte* samples, int channels) {
  unsigned grey = samples[0];
  if (channels >= 3) grey = (19595u * samples[0] + 38470u * samples[1] + 7471u * samples[2] + 32768u) >> 16;
  if (channels % 2 == 0) grey = (grey * samples[channels - 1] + 127) / 255;
  return static_cast<png_byte>(grey);
}

/// One PNG in memory. libpng leaves a function at an error by a longjmp to the setjmp of read_header or read_pixels, so
/// between the two no object with a destructor may be alive.
class png_reader {
 public:
  /// The bytes must outlive the reader.
  explicit png_reader(std::string_view bytes) : unread_(bytes) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, nullptr, [](png_structp png, png_const_charp) { png_longjmp(png, 1); },
        [](png_structp, png_const_charp) {});
    if (png_ == nullptr) throw std::bad_alloc();
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png_, &unread_, copy);
  }
  ~png_reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;

  /// Reads up to the pixels; returns false for what is no PNG.
  bool read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    // samples count as they are stored: text, profiles and gamma are skipped unread
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_scale_16(png_);
    return true;
  }
  png_uint_32 width() const { return png_get_image_width(png_, info_); }
  png_uint_32 height() const { return png_get_image_height(png_, info_); }

  /// Shapes: `row` has room for 4 * width(), `grey` for width() * height().
  /// Returns false for a damaged PNG.
  bool read_pixels(png_byte* row, png_byte* grey) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_update_info(png_, info_);
    const int channels = png_get_channels(png_, info_);
    if (png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE) {
      for (png_uint_32 y = 0; y < height(); ++y) read_row(row, grey + y * width(), width(), 1, channels);
      return true;
    }
    // each pass is an image of its own, so that one row is all that has to be held unpacked
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
      const png_uint_32 columns = PNG_PASS_COLS(width(), pass);
      if (columns == 0) continue;
      for (png_uint_32 i = 0; i < PNG_PASS_ROWS(height(), pass); ++i) {
        const std::size_t y = PNG_ROW_FROM_PASS_ROW(i, pass);
        read_row(row, grey + y * width() + PNG_PASS_START_COL(pass), columns, PNG_PASS_COL_OFFSET(pass), channels);
      }
    }
    return true;
  }

 private:
  static void copy(png_structp png, png_bytep to, std::size_t count) {
    auto* unread = static_cast<std::string_view*>(png_get_io_ptr(png));
    if (unread->size() < count) png_error(png, "truncated");
    std::memcpy(to, unread->data(), count);
    unread->remove_prefix(count);
  }

  /// Reads the next row, and writes the grey of its pixels `step` apart.
  void read_row(png_byte* row, png_byte* grey, png_uint_32 columns, std::size_t step, int channels) {
    png_read_row(png_, row, nullptr);
    for (std::size_t x = 0; x < columns; ++x)
      grey[x * step] = grey_of(row + x * static_cast<unsigned>(channels), channels);
  }

  std::string_view unread_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

/// Reads a PNG of any colour type, bit depth and interlacing. 16-bit samples are scaled to 8 bits.
/// Allocates: a byte for each pixel, and a row; nothing before the limit on width and height has been checked.
inline std::variant<grey_image, refusal> read_png(std::string_view bytes) {
  constexpr refusal bad_png{400, "bad_png", "the PNG cannot be read"};
  png_reader reader(bytes);
  if (!reader.read_header()) return bad_png;
  grey_image image{reader.width(), reader.height(), {}};
  if (image.width > max_side_pixels || image.height > max_side_pixels) {
    return refusal{413, "too_many_pixels", "the image is wider or higher than 2048 pixels"};
  }
  image.pixels.resize(image.width * image.height);
  std::vector<png_byte> row(4 * image.width);
  if (!reader.read_pixels(row.data(), image.pixels.data())) return bad_png;
  return image;
}

}  // namespace service

#endif
