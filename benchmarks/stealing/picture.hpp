// SPDX-License-Identifier: MIT
/// The picture by which to choose a defense: what it costs benign users against how good the clones are.
#ifndef CHAFF_BENCHMARKS_STEALING_PICTURE_HPP
#define CHAFF_BENCHMARKS_STEALING_PICTURE_HPP

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "page.hpp"
#include "pictured.hpp"

/// Draws one scene.
class picture {
 public:
  picture(const scene& where, const pictured_scene& what)
      : where_(where), what_(what), panels_(layouts()), height_(height()), page_(width, height_) {
    write_head();
    for (std::size_t i = 0; i < panels_.size(); ++i) draw_panel(panels_[i], left_of(i), i == 0);
    name_lines();
    write_foot();
  }

  std::string commands() const { return page_.commands(); }

 private:
  static constexpr double panel_width = 335, panel_gap = 60, first_panel = 70, margin = 14, bar_distance = 22;
  static constexpr double width = first_panel + 3 * panel_width + 2 * panel_gap + 160;
  static constexpr double axis = 122, zero = axis + 16, per_cent = 3.1, labels_from = zero + 100 * per_cent + 8;
  static constexpr double level_height = 17;
  static constexpr const char *undefended_line = "lc rgb '#666666' lw 1.5 dt (9,5)",
                              *labels_line = "lc rgb '#999999' lw 2";

  /// The horizontal axis of a panel.
  struct scale {
    const char* title;
    bool is_root;  ///< whether distances are those of square roots, which spread small costs
    double top;
    std::vector<double> marks;

    double place(double x) const {
      const double part = std::max(0.0, x) / top;
      return margin + (panel_width - 2 * margin) * (is_root ? std::sqrt(part) : part);
    }
  };

  /// A bar in a panel, in pixels from the panel's left end.
  struct placed_bar {
    const bar* of;
    double exact, x;  ///< where its cost is, and where it has room
    label_place label;
  };

  struct panel {
    scale across;
    std::vector<placed_bar> bars;
  };

  static double left_of(std::size_t panel) {
    return first_panel + static_cast<double>(panel) * (panel_width + panel_gap);
  }
  static double level(double accuracy) { return zero + 100 * per_cent * accuracy; }

  std::vector<panel> layouts() const {
    double most = 0;
    for (const bar& one : what_.bars) most = std::max(most, one.users.points);
    const double top = std::max(1.0, std::ceil(most - 1e-9));
    return {layout({"mean L1 between response and posterior (0 to 2)", true, 2, {0, 0.02, 0.1, 0.3, 0.6, 1, 1.5, 2}},
                   [](const bar& one) { return one.users.l1; }),
            layout({"increase of the calibration error (ECE)", true, 1, {0, 0.01, 0.05, 0.15, 0.3, 0.5, 0.75, 1}},
                   [](const bar& one) { return one.users.ece; }),
            layout({"accuracy lost, percentage points", false, top, {0, top / 4, top / 2, 3 * top / 4, top}},
                   [](const bar& one) { return one.users.points; })};
  }

  template <class Cost>
  panel layout(const scale& across, Cost cost) const {
    std::vector<const bar*> bars;
    for (const bar& one : what_.bars) bars.push_back(&one);
    std::stable_sort(bars.begin(), bars.end(), [&](const bar* a, const bar* b) { return cost(*a) < cost(*b); });
    std::vector<double> exact, widths;
    for (const bar* one : bars) {
      exact.push_back(across.place(cost(*one)));
      widths.push_back(page::width_of(one->of->name, 13));
    }
    const std::vector<double> x = spaced(exact, bar_distance, margin, panel_width - margin);
    const std::vector<label_place> labels = label_places(x, widths, panel_width + panel_gap - 5).found();
    panel made{across, {}};
    for (std::size_t i = 0; i < bars.size(); ++i) made.bars.push_back({bars[i], exact[i], x[i], labels[i]});
    return made;
  }

  double height() const {
    int levels = 0;
    for (const panel& each : panels_) {
      for (const placed_bar& one : each.bars) levels = std::max(levels, one.label.level + 1);
    }
    return labels_from + level_height * levels + 90;
  }

  void write_head() {
    const std::string victim = where_.name;
    page_.text(first_panel, height_ - 20, anchor::left,
               "Which defense? Victim: " + victim + ", queried with " + where_.queries, 17);
    page_.text(first_panel, height_ - 46, anchor::left,
               "Each bar is a defense. The lower its top, the worse the best clone; the further left it stands, the "
               "less benign "
               "users lose.");
    const std::string begin = "Clone of an attacker who";
    page_.text(first_panel, height_ - 69, anchor::left, begin, 12);
    double x = first_panel + page::width_of(begin, 12) + 8;
    for (std::size_t i = 0; i < std::size(pictured_attackers); ++i) {
      const bool is_there =
          std::any_of(what_.bars.begin(), what_.bars.end(), [&](const bar& one) { return one.clones[i] != nullptr; });
      if (!is_there) continue;
      const pictured_attacker& each = pictured_attackers[i];
      page_.mark(x + 5, height_ - 69, each.mark, 1, "#444444");
      page_.text(x + 14, height_ - 69, anchor::left, each.text, 12);
      x += 14 + page::width_of(each.text, 12) + 16;
    }
  }

  void draw_panel(const panel& what, double left, bool is_first) {
    const double right = left + panel_width;
    for (int accuracy = 0; accuracy <= 100; accuracy += 20) {
      page_.line(left, level(accuracy / 100.0), right, level(accuracy / 100.0), "lc rgb '#e4e4e4' lw 1");
      if (is_first) page_.text(left - 8, level(accuracy / 100.0), anchor::right, std::to_string(accuracy));
    }
    if (is_first) page_.upright_text(18, level(0.5), "accuracy of the clone, %");
    page_.line(left, axis, right, axis, "lc rgb '#444444' lw 1");
    for (const double each : what.across.marks) {
      const double x = left + what.across.place(each);
      page_.line(x, axis - 5, x, axis, "lc rgb '#444444' lw 1");
      page_.text(x, axis - 15, anchor::centre, format("%g", each), 12);
    }
    page_.text(left + panel_width / 2, axis - 36, anchor::centre, what.across.title);
    page_.line(left, level(what_.undefended->clone.mean()), right, level(what_.undefended->clone.mean()),
               undefended_line);
    page_.line(left, level(what_.labels->clone.mean()), right, level(what_.labels->clone.mean()), labels_line);
    for (const placed_bar& one : what.bars) draw_bar(one, left);
  }

  void draw_bar(const placed_bar& one, double left) {
    const double x = left + one.x, label = labels_from + level_height * (0.5 + one.label.level);
    const std::string thin = std::string("lc rgb '") + one.of->of->colour + "' lw 0.8";
    page_.line(left + one.exact, axis, x, zero - 4, thin);
    page_.line(x, zero - 4, x, one.label.at == anchor::centre ? label - level_height / 2 : label, thin);
    const double aside = one.label.at == anchor::left ? 1 : one.label.at == anchor::right ? -1 : 0;
    page_.text(x + aside * label_places::gap, label, one.label.at, one.of->of->name);
    draw_clones(*one.of, x);
  }

  void draw_clones(const bar& one, double at) {
    double lowest = 1, highest = 0;
    for (std::size_t i = 0; i < one.clones.size(); ++i) {
      if (one.clones[i] == nullptr) continue;
      const double mean = one.clones[i]->clone.mean(), deviation = one.clones[i]->clone.deviation();
      const double x = at + pictured_attackers[i].offset;
      lowest = std::min(lowest, mean);
      highest = std::max(highest, mean);
      page_.mark(x, level(mean), pictured_attackers[i].mark, 1, one.of->colour);
      page_.line(x, level(std::max(0.0, mean - deviation)), x, level(std::min(1.0, mean + deviation)),
                 "lc rgb '#444444' lw 1");
    }
    const std::string colour = std::string(one.of->colour).substr(1);
    page_.line(at, level(lowest), at, level(highest), "lc rgb '#80" + colour + "' lw 5");
    if (one.keeps_label && highest < what_.labels->clone.mean()) {  // every attacker can use labels alone instead
      page_.line(at, level(highest), at, level(what_.labels->clone.mean()), "lc rgb '#" + colour + "' lw 2.5 dt (2,3)");
    }
  }

  /// Names the lines that all panels share, at their right ends.
  void name_lines() {
    const double end = left_of(2) + panel_width;
    const double high = level(what_.undefended->clone.mean()), low = level(what_.labels->clone.mean());
    const bool is_above = high >= low;
    const std::vector<double> y = spaced({std::min(high, low), std::max(high, low)}, 17, axis, labels_from);
    const auto name = [&](double at, double line, const char* style, const std::string& text) {
      page_.line(end, line, end + 11, at, style);
      page_.text(end + 14, at, anchor::left, text);
    };
    name(y[is_above], high, undefended_line, format("undefended, %.0f %%", 100 * what_.undefended->clone.mean()));
    name(y[!is_above], low, labels_line, format("labels alone, %.0f %%", 100 * what_.labels->clone.mean()));
  }

  void write_foot() {
    std::string no_adaptive, missing;
    for (const candidate& each : candidates) {
      const auto found =
          std::find_if(what_.bars.begin(), what_.bars.end(), [&](const bar& one) { return one.of == &each; });
      if (found == what_.bars.end()) {
        missing += (missing.empty() ? "" : "; ") + std::string(each.name);
      } else if (found->best_adaptive() == nullptr) {
        no_adaptive += (no_adaptive.empty() ? "" : "; ") + std::string(each.name);
      }
    }
    page_.text(first_panel, 56, anchor::left,
               "Dotted: any attacker gets there by labels alone. Thin lines on marks: standard deviation over seeds. A "
               "bent line at the foot starts at the exact cost.",
               12);
    if (!no_adaptive.empty()) {
      page_.text(first_panel, 37, anchor::left, "No attacker who knows the defense is recorded for: " + no_adaptive,
                 12);
    }
    if (!missing.empty()) page_.text(first_panel, 18, anchor::left, "Not recorded: " + missing, 12);
  }

  const scene& where_;
  const pictured_scene& what_;
  std::vector<panel> panels_;
  double height_;
  page page_;
};

#endif
