// SPDX-License-Identifier: MIT
/// A page of a drawing whose texts do not overlap, and the places of labels above a row of bars.
#ifndef CHAFF_BENCHMARKS_STEALING_PAGE_HPP
#define CHAFF_BENCHMARKS_STEALING_PAGE_HPP

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// Where a text stands: its point is its left end, its middle or its right end.
enum class anchor { left, centre, right };

/// A drawing in pixels from the lower left corner, as commands of gnuplot.
/// Throws std::runtime_error where a text overlaps an earlier one or leaves the page.
class page {
 public:
  page(double width, double height) : width_(width), height_(height) {}

  /// The width that is kept free for a text: that of DejaVu Sans, which is wide, or more.
  static double width_of(const std::string& text, double size) {
    std::size_t letters = 0;
    for (const char c : text) letters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // of UTF-8
    return 0.6 * size * static_cast<double>(letters);
  }

  /// Writes a text whose middle line is at y.
  void text(double x, double y, anchor at, const std::string& text, double size = 13) {
    const double wide = width_of(text, size);
    const double left = at == anchor::left ? x : at == anchor::right ? x - wide : x - wide / 2;
    claim({left, y - size / 2, left + wide, y + size / 2, text});
    const char* const side = at == anchor::left ? "left" : at == anchor::right ? "right" : "center";
    write_text(x, y, text, size, side);
  }

  /// Writes a text upwards, whose middle is at x and y.
  void upright_text(double x, double y, const std::string& text, double size = 13) {
    const double wide = width_of(text, size);
    claim({x - size / 2, y - wide / 2, x + size / 2, y + wide / 2, text});
    write_text(x, y, text, size, "center rotate by 90");
  }

  /// Style: gnuplot's, such as "lc rgb '#888888' lw 1".
  void line(double x0, double y0, double x1, double y1, const std::string& style) {
    commands_ << "set arrow from " << x0 << ',' << y0 << " to " << x1 << ',' << y1 << " nohead back " << style << '\n';
  }

  void mark(double x, double y, int type, double size, const std::string& colour) {
    commands_ << "set label '' at " << x << ',' << y << " point pt " << type << " ps " << size << " lc rgb '" << colour
              << "' front\n";
  }

  std::string commands() const {
    std::ostringstream all;
    all << "width = " << width_ << "\nheight = " << height_ << '\n' << commands_.str();
    return all.str();
  }

 private:
  struct box {
    double left, bottom, right, top;
    std::string text;
  };

  void claim(const box& wanted) {
    if (wanted.left < 0 || wanted.bottom < 0 || wanted.right > width_ || wanted.top > height_) {
      throw std::runtime_error("\"" + wanted.text + "\" leaves the picture");
    }
    for (const box& other : boxes_) {
      if (wanted.left < other.right && other.left < wanted.right && wanted.bottom < other.top &&
          other.bottom < wanted.top) {
        throw std::runtime_error("\"" + wanted.text + "\" overlaps \"" + other.text + "\"");
      }
    }
    boxes_.push_back(wanted);
  }

  void write_text(double x, double y, const std::string& text, double size, const char* side) {
    if (text.find('\'') != std::string::npos) throw std::runtime_error("an apostrophe in \"" + text + "\"");
    commands_ << "set label '" << text << "' at " << x << ',' << y << ' ' << side << " noenhanced font 'sans," << size
              << "' front\n";
  }

  double width_, height_;
  std::vector<box> boxes_;
  std::ostringstream commands_;
};

/// Moves sorted positions apart to a distance, within [low, high], by as little as possible in squares.
inline std::vector<double> spaced(const std::vector<double>& positions, double distance, double low, double high) {
  struct block {
    double sum;
    std::size_t size;
    double mean() const { return sum / static_cast<double>(size); }
  };
  std::vector<block> blocks;  // isotonic regression of what is left of each position
  for (std::size_t i = 0; i < positions.size(); ++i) {
    blocks.push_back({positions[i] - static_cast<double>(i) * distance, 1});
    while (blocks.size() > 1 && blocks.back().mean() < blocks[blocks.size() - 2].mean()) {
      const block last = blocks.back();
      blocks.pop_back();
      blocks.back().sum += last.sum;
      blocks.back().size += last.size;
    }
  }
  const double last = high - distance * (static_cast<double>(positions.size()) - 1);
  if (!positions.empty() && last < low) throw std::runtime_error("no room for so many bars");
  std::vector<double> moved;
  for (const block& each : blocks) {
    for (std::size_t i = 0; i < each.size; ++i) {
      const double at = each.mean() < low ? low : each.mean() > last ? last : each.mean();
      moved.push_back(at + static_cast<double>(moved.size()) * distance);
    }
  }
  return moved;
}

/// Where the label of a bar stands: how many lines above the bars, and at which side of the bar's own line.
struct label_place {
  int level;
  anchor at;  ///< left: the text begins at the line; right: it ends there
};

/// Finds places of labels above bars at x, each beside a line that goes up from its bar, so that no label meets another
/// one or another's line. All lie within [0, room], on the fewest levels that do.
/// Throws std::runtime_error where there is no such place.
class label_places {
 public:
  static constexpr double gap = 5;  ///< between a label and its line, and at least between labels and others' lines

  label_places(std::vector<double> x, std::vector<double> widths, double room)
      : x_(std::move(x)), widths_(std::move(widths)), room_(room), places_(x_.size()) {}

  std::vector<label_place> found() {
    for (levels_ = 0; levels_ <= static_cast<int>(x_.size()); ++levels_) {
      if (fits_from(x_.size())) return places_;
    }
    throw std::runtime_error("no place for the labels");
  }

 private:
  /// Places the labels before `end`, from the right.
  bool fits_from(std::size_t end) {
    if (end == 0) return true;
    const std::size_t i = end - 1;
    for (int level = 0; level < levels_; ++level) {
      for (const anchor at : {anchor::left, anchor::right, anchor::centre}) {
        places_[i] = {level, at};
        if (is_free(i) && fits_from(i)) return true;
      }
    }
    return false;
  }

  double left(std::size_t i) const {
    const anchor at = places_[i].at;
    return at == anchor::left ? x_[i] + gap : at == anchor::right ? x_[i] - gap - widths_[i] : x_[i] - widths_[i] / 2;
  }
  double right(std::size_t i) const { return left(i) + widths_[i]; }

  /// Whether line j goes through or touches label i.
  bool crosses(std::size_t j, std::size_t i) const {
    return places_[j].level >= places_[i].level && left(i) - gap < x_[j] && x_[j] < right(i) + gap;
  }

  bool is_free(std::size_t i) const {
    if (left(i) < 0 || right(i) > room_) return false;
    for (std::size_t j = i + 1; j < x_.size(); ++j) {
      const bool overlaps =
          places_[i].level == places_[j].level && left(i) < right(j) + gap && left(j) < right(i) + gap;
      if (overlaps || crosses(i, j) || crosses(j, i)) return false;
    }
    return true;
  }

  std::vector<double> x_, widths_;
  double room_;
  int levels_ = 0;
  std::vector<label_place> places_;
};

#endif
