// SPDX-License-Identifier: MIT
/// A data set of many classes, drawn from fonts: one class a character, in many faces, shifted, turned, slanted, scaled
/// and noisy.
#ifndef CHAFF_BENCHMARKS_STEALING_GLYPHS_HPP
#define CHAFF_BENCHMARKS_STEALING_GLYPHS_HPP

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <numbers>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "image_set.hpp"

namespace glyphs {

/// The characters: digits, Latin, Greek and Cyrillic letters and signs, without those that look alike in most faces.
inline constexpr char32_t characters[] =
    U"0123456789"
    U"ABCDEFGHIJKLMNPQRSTUVWXYZ"
    U"abdefghijkmnqrtuy"
    U"ΓΔΘΛΞΣΦΨΩαβγδεζηθλμξπστφχψω"
    U"БДЖЗИЛПЦЧШЩЪЫЭЮЯбвдж"
    U"&@#%$?!+=*{}";
inline constexpr std::int64_t classes = std::size(characters) - 1;

/// The folders of Debian's packages of fonts that have all the characters in most of their faces.
inline constexpr std::array folders{
    "/usr/share/fonts/truetype/dejavu",          "/usr/share/fonts/truetype/freefont",
    "/usr/share/fonts/truetype/liberation",      "/usr/share/fonts/opentype/linux-libertine",
    "/usr/share/fonts/truetype/roboto/unhinted", "/usr/share/fonts/truetype/open-sans",
    "/usr/share/fonts/truetype/gentiumplus"};

/// A face from a file; raises std::runtime_error where there is none.
class face {
 public:
  face(FT_Library library, const std::string& path) {
    FT_Face opened = nullptr;
    if (FT_New_Face(library, path.c_str(), 0, &opened) != 0) throw std::runtime_error(path + " is no font");
    face_.reset(opened);
  }

  bool has_all() const {
    return std::all_of(std::begin(characters), std::end(characters) - 1,
                       [&](char32_t one) { return FT_Get_Char_Index(face_.get(), one) != 0; });
  }

  /// Draws a character into 28 x 28 values, changed at random.
  void draw(char32_t character, std::mt19937& random, float* pixels) const {
    const auto uniform = [&](double low, double high) {
      return low + (high - low) * static_cast<double>(random()) / 0x1p32;
    };
    const double turn = uniform(-15, 15) * std::numbers::pi / 180, slant = uniform(-0.2, 0.2);
    const double wide = uniform(0.8, 1.15), high = uniform(0.8, 1.15);
    const auto fixed = [](double x) { return static_cast<FT_Fixed>(std::lround(x * 0x10000)); };
    FT_Matrix change{fixed(wide * std::cos(turn)), fixed(high * (slant * std::cos(turn) - std::sin(turn))),
                     fixed(wide * std::sin(turn)), fixed(high * (slant * std::sin(turn) + std::cos(turn)))};
    FT_Set_Pixel_Sizes(face_.get(), 0, 22);
    FT_Set_Transform(face_.get(), &change, nullptr);
    if (FT_Load_Char(face_.get(), character, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP | FT_LOAD_RENDER) != 0) {
      throw std::runtime_error("a font has a character that cannot be drawn");
    }
    const FT_Bitmap& drawn = face_->glyph->bitmap;
    const int top = (28 - static_cast<int>(drawn.rows)) / 2 + static_cast<int>(std::lround(uniform(-2.5, 2.5)));
    const int left = (28 - static_cast<int>(drawn.width)) / 2 + static_cast<int>(std::lround(uniform(-2.5, 2.5)));
    const double ink = uniform(0.6, 1), noise = uniform(0, 0.15);
    for (int y = 0; y < 28; ++y) {
      for (int x = 0; x < 28; ++x) {
        const int row = y - top, column = x - left;
        const bool inside =
            row >= 0 && row < static_cast<int>(drawn.rows) && column >= 0 && column < static_cast<int>(drawn.width);
        const double here = inside ? drawn.buffer[row * drawn.pitch + column] / 255.0 : 0;
        // nearly normal, and the same everywhere, unlike std::normal_distribution
        const double deviate = uniform(-1, 1) + uniform(-1, 1) + uniform(-1, 1);
        pixels[y * 28 + x] = static_cast<float>(std::clamp(ink * here + noise * deviate, 0.0, 1.0));
      }
    }
  }

 private:
  struct closed {
    void operator()(FT_Face opened) const { FT_Done_Face(opened); }
  };
  std::unique_ptr<FT_FaceRec, closed> face_;
};

/// Draws data sets. Raises std::runtime_error where fewer than 20 faces have all the characters.
class press {
 public:
  press() {
    FT_Library opened = nullptr;
    if (FT_Init_FreeType(&opened) != 0) throw std::runtime_error("FreeType does not start");
    library_.reset(opened);
    std::vector<std::string> paths;
    for (const char* folder : folders) {
      if (!std::filesystem::exists(folder)) continue;
      for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
        if (each.path().extension() == ".ttf" || each.path().extension() == ".otf") paths.push_back(each.path());
      }
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) {
      face opened_face(library_.get(), path);
      if (opened_face.has_all()) faces_.push_back(std::move(opened_face));
    }
    if (faces_.size() < 20) {
      throw std::runtime_error(
          "fewer than 20 fonts have all the characters; install the packages that README.md names");
    }
  }

  std::size_t faces() const { return faces_.size(); }

  /// Images in random order of classes: of every fourth face for the test, of the others to train on.
  image_set draw(std::int64_t count, bool for_test, unsigned seed) const {
    std::mt19937 random(seed);
    std::vector<const face*> chosen;
    for (std::size_t i = 0; i < faces_.size(); ++i) {
      if ((i % 4 == 3) == for_test) chosen.push_back(&faces_[i]);
    }
    image_set drawn{torch::empty({count, 1, 28, 28}), torch::empty({count}, torch::kLong)};
    for (std::int64_t i = 0; i < count; ++i) {
      const auto label = static_cast<std::int64_t>(random() % static_cast<unsigned>(classes));
      drawn.labels.data_ptr<std::int64_t>()[i] = label;
      chosen[random() % chosen.size()]->draw(characters[label], random, drawn.pixels.data_ptr<float>() + i * 28 * 28);
    }
    return drawn;
  }

 private:
  struct closed {
    void operator()(FT_Library opened) const { FT_Done_FreeType(opened); }
  };
  std::unique_ptr<FT_LibraryRec_, closed> library_;
  std::vector<face> faces_;
};

/// 40,000 to train on; 4,000 held out and 5,000 to test, of other faces: benign users have other faces than the
/// training set. Another seed draws other images to train on and to hold out, and the same to test.
inline data_set data(std::int64_t max_images = 40000, std::int64_t seed = 1) {
  const press drawing;
  const auto others = static_cast<unsigned>(10 * (seed - 1));
  return {classes, drawing.draw(std::min<std::int64_t>(max_images, 40000), false, others + 1),
          drawing.draw(std::min<std::int64_t>(max_images, 4000), true, others + 2),
          drawing.draw(std::min<std::int64_t>(max_images, 5000), true, 3)};
}

}  // namespace glyphs

#endif
