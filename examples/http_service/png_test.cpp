// SPDX-License-Identifier: MIT
/// Compares what is read of a PNG with the samples that were written into it, in every form that a PNG can have.
#include "image.hpp"

#include <gtest/gtest.h>
#include <cmath>
#include <random>

namespace {

const unsigned seed = 20240611;

/// Samples of 16 bits, and how they are stored.
struct form {
  png_uint_32 width = 28, height = 28;
  int color = PNG_COLOR_TYPE_GRAY, depth = 8;
  bool is_interlaced = false;
  bool has_color_chunk = false;  ///< gAMA of linear light: says how to show the samples, not what they are

  int channels() const {
    return color == PNG_COLOR_TYPE_PALETTE
               ? 1
               : (color & PNG_COLOR_MASK_COLOR ? 3 : 1) + (color & PNG_COLOR_MASK_ALPHA ? 1 : 0);
  }
  std::string name() const {
    return std::to_string(width) + "x" + std::to_string(height) + ", color type " + std::to_string(color) + ", " +
           std::to_string(depth) + " bits" + (is_interlaced ? ", interlaced" : "");
  }
};

struct palette_entry {
  png_byte red, green, blue, alpha;
};

/// A PNG of samples in the form's depth, one a pixel and channel; of a palette if the form has one.
/// `transparent` makes the value of the first pixel transparent.
std::string png_of(const form& shape, const std::vector<unsigned>& samples,
                   const std::vector<palette_entry>& palette = {}, bool transparent = false) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp p, png_bytep data, std::size_t count) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(data), count);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, shape.width, shape.height, shape.depth, shape.color,
               shape.is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (shape.has_color_chunk) png_set_gAMA(png, info, 1.0);
  if (!palette.empty()) {
    std::vector<png_color> colors;
    std::vector<png_byte> alphas;
    for (const auto& entry : palette) {
      colors.push_back({entry.red, entry.green, entry.blue});
      alphas.push_back(entry.alpha);
    }
    png_set_PLTE(png, info, colors.data(), static_cast<int>(colors.size()));
    png_set_tRNS(png, info, alphas.data(), static_cast<int>(alphas.size()), nullptr);
  } else if (transparent) {
    png_color_16 first{};
    first.gray = first.red = static_cast<png_uint_16>(samples[0]);
    if (shape.channels() == 3) {
      first.green = static_cast<png_uint_16>(samples[1]);
      first.blue = static_cast<png_uint_16>(samples[2]);
    }
    png_set_tRNS(png, info, nullptr, 0, &first);
  }
  png_write_info(png, info);
  if (shape.depth < 8) png_set_packing(png);
  const std::size_t row_samples = std::size_t{shape.width} * static_cast<unsigned>(shape.channels());
  std::vector<std::vector<png_byte>> rows(shape.height);
  std::vector<png_bytep> starts;
  for (std::size_t y = 0; y < shape.height; ++y) {
    for (std::size_t i = 0; i < row_samples; ++i) {
      const unsigned sample = samples[y * row_samples + i];
      if (shape.depth == 16) rows[y].push_back(static_cast<png_byte>(sample >> 8));
      rows[y].push_back(static_cast<png_byte>(sample));
    }
    starts.push_back(rows[y].data());
  }
  png_write_image(png, starts.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

/// The grey of a pixel by its definition: the luma of BT.601 with weights in 16 bits, times alpha.
unsigned grey_of_pixel(unsigned red, unsigned green, unsigned blue, unsigned alpha) {
  const double luma = std::floor((19595.0 * red + 38470.0 * green + 7471.0 * blue) / 65536 + 0.5);
  return static_cast<unsigned>(std::floor(luma * alpha / 255 + 0.5));
}

std::vector<unsigned> random_samples(std::size_t count, unsigned largest, std::mt19937& random) {
  std::vector<unsigned> samples(count);
  for (auto& sample : samples) sample = static_cast<unsigned>(random()) % (largest + 1);
  return samples;
}

void expect_grey(const std::string& png, const std::vector<unsigned>& expected, const form& shape) {
  const auto parsed = service::parse_image(png);
  ASSERT_TRUE(std::holds_alternative<Eigen::VectorXf>(parsed)) << shape.name();
  if (shape.width == 28 && shape.height == 28) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(std::get<Eigen::VectorXf>(parsed)[static_cast<Eigen::Index>(i)],
                static_cast<float>(static_cast<double>(expected[i]) / 255))
          << shape.name() << ", pixel " << i;
    }
  }
  const auto image = std::get<service::grey_image>(service::read_png(png));
  EXPECT_EQ(std::vector<unsigned>(image.pixels.begin(), image.pixels.end()), expected) << shape.name();
}

std::vector<form> forms_of(const std::vector<int>& colors, const std::vector<int>& depths) {
  std::vector<form> all;
  const std::pair<png_uint_32, png_uint_32> sizes[] = {{28, 28}, {1, 1}, {3, 2}, {1, 9}, {9, 1}, {33, 17}};
  for (const auto& [width, height] : sizes) {
    for (const int color : colors) {
      for (const int depth : depths) {
        for (const bool is_interlaced : {false, true}) all.push_back({width, height, color, depth, is_interlaced});
      }
    }
  }
  return all;
}

TEST(Png, InEveryFormHasTheGreyOfItsSamples) {
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (const form& shape : forms_of(
           {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA}, {8, 16})) {
    const auto channels = static_cast<std::size_t>(shape.channels());
    // 16-bit samples are multiples of 257, which are samples of 8 bits
    std::vector<unsigned> samples = random_samples(shape.width * shape.height * channels, 255, random);
    std::vector<unsigned> expected;
    for (std::size_t i = 0; i < samples.size(); i += channels) {
      const unsigned alpha = channels % 2 == 0 ? samples[i + channels - 1] : 255;
      const bool is_rgb = channels >= 3;
      expected.push_back(grey_of_pixel(samples[i], samples[is_rgb ? i + 1 : i], samples[is_rgb ? i + 2 : i], alpha));
    }
    if (shape.depth == 16)
      for (auto& sample : samples) sample *= 257;
    expect_grey(png_of(shape, samples), expected, shape);
    form with_chunk = shape;
    with_chunk.has_color_chunk = true;
    expect_grey(png_of(with_chunk, samples), expected, shape);
  }
}

TEST(Png, Of16BitsIsRoundedTo8) {
  std::mt19937 random(seed);
  for (const form& shape : forms_of({PNG_COLOR_TYPE_GRAY}, {16})) {
    const auto samples = random_samples(shape.width * shape.height, 65535, random);
    std::vector<unsigned> expected;
    for (const unsigned sample : samples)
      expected.push_back(static_cast<unsigned>(std::lround(sample * 255.0 / 65535)));
    expect_grey(png_of(shape, samples), expected, shape);
  }
}

TEST(Png, OfFewerThan8BitsIsSpreadOver8) {
  std::mt19937 random(seed);
  for (const form& shape : forms_of({PNG_COLOR_TYPE_GRAY}, {1, 2, 4})) {
    const unsigned largest = (1u << shape.depth) - 1;
    const auto samples = random_samples(shape.width * shape.height, largest, random);
    std::vector<unsigned> expected;
    for (const unsigned sample : samples) expected.push_back(sample * 255 / largest);
    expect_grey(png_of(shape, samples), expected, shape);
  }
}

TEST(Png, OfPaletteHasTheGreyOfItsEntries) {
  std::mt19937 random(seed);
  for (const form& shape : forms_of({PNG_COLOR_TYPE_PALETTE}, {1, 2, 4, 8})) {
    std::vector<palette_entry> palette(std::size_t{1} << shape.depth);
    for (auto& entry : palette) {
      const auto byte = [&] { return static_cast<png_byte>(random()); };
      entry = {byte(), byte(), byte(), byte()};
    }
    const auto samples = random_samples(shape.width * shape.height, static_cast<unsigned>(palette.size()) - 1, random);
    std::vector<unsigned> expected;
    for (const unsigned sample : samples) {
      const auto& entry = palette[sample];
      expected.push_back(grey_of_pixel(entry.red, entry.green, entry.blue, entry.alpha));
    }
    expect_grey(png_of(shape, samples, palette), expected, shape);
  }
}

TEST(Png, WithTransparentColorIsBlackThere) {
  for (const int depth : {8, 16}) {
    for (const bool is_interlaced : {false, true}) {
      const unsigned unit = depth == 16 ? 257 : 1;
      std::vector<unsigned> grey, rgb, expected;
      for (unsigned i = 0; i < 784; ++i) {
        const unsigned value = 200 - i % 3;
        expected.push_back(value == 200 ? 0 : value);
        grey.push_back(value * unit);
        rgb.insert(rgb.end(), 3, value * unit);
      }
      const form grey_form{28, 28, PNG_COLOR_TYPE_GRAY, depth, is_interlaced};
      const form rgb_form{28, 28, PNG_COLOR_TYPE_RGB, depth, is_interlaced};
      expect_grey(png_of(grey_form, grey, {}, true), expected, grey_form);
      expect_grey(png_of(rgb_form, rgb, {}, true), expected, rgb_form);
    }
  }
}

TEST(Png, ThatIsCutAnywhereIsRefused) {
  for (const bool is_interlaced : {false, true}) {
    std::mt19937 random(seed);
    const form shape{28, 28, PNG_COLOR_TYPE_RGB_ALPHA, 16, is_interlaced};
    const std::string whole = png_of(shape, random_samples(28 * 28 * 4, 65535, random));
    for (std::size_t size = 8; size + 12 + 4 < whole.size(); size += 13) {
      const auto cut = service::parse_image(std::string_view(whole).substr(0, size));
      ASSERT_TRUE(std::holds_alternative<service::refusal>(cut)) << size;
      EXPECT_STREQ(std::get<service::refusal>(cut).code, "bad_png") << size;
    }
  }
}

}  // namespace
