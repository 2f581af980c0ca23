// SPDX-License-Identifier: MIT
/// Charts of the audit, drawn by gnuplot.
#ifndef CHAFF_EXAMPLES_AUDIT_CHARTS_HPP
#define CHAFF_EXAMPLES_AUDIT_CHARTS_HPP

#include <chaff/metrics/compare.hpp>
#include <chaff/metrics/utility.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "report.hpp"

namespace audit {

/// A gnuplot that draws one file.
class plot {
 public:
  /// Raises std::runtime_error where there is no gnuplot.
  explicit plot(const std::filesystem::path& svg) : svg_(svg) {
    if (std::system("gnuplot --version > /dev/null 2>&1") != 0) {
      throw std::runtime_error("gnuplot is not installed (Debian: gnuplot-nox), so no charts");
    }
    std::filesystem::remove(svg);
    pipe_ = popen("gnuplot", "w");
    if (pipe_ == nullptr) throw std::runtime_error("gnuplot cannot be started");
    std::fprintf(pipe_, "set terminal svg size 720,480 font 'sans,13' background rgb 'white'\nset grid\n");
    // quoted, so that a file name cannot end the string and run a command
    std::string quoted;
    for (const char c : svg.string()) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    std::fprintf(pipe_, "set output '%s'\n", quoted.c_str());
  }
  plot(const plot&) = delete;
  plot& operator=(const plot&) = delete;
  ~plot() {
    if (pipe_ != nullptr) pclose(pipe_);
  }

  /// Defines a named set of points (x, y); points with NaN are left out.
  void data(const char* name, const std::vector<std::pair<double, double>>& points) {
    std::fprintf(pipe_, "$%s << end_of_data\n", name);
    for (const auto& [x, y] : points) {
      if (x - x == 0 && y - y == 0) std::fprintf(pipe_, "%.9g %.9g\n", x, y);
    }
    std::fprintf(pipe_, "end_of_data\n");
  }

  void command(const char* text) { std::fprintf(pipe_, "%s\n", text); }

  /// Raises std::runtime_error where gnuplot failed, or did not write the whole file: it ignores a full disk.
  void finish() {
    const int status = pclose(pipe_);
    pipe_ = nullptr;
    if (status != 0 || !is_complete()) throw std::runtime_error(svg_.string() + ": gnuplot could not write the chart");
  }

 private:
  /// Whether the file ends as an SVG does.
  bool is_complete() const {
    std::ifstream file(svg_);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t end = text.rfind("</svg>");
    return end != text.npos && text.find_first_not_of(" \n", end + 6) == text.npos;
  }

  std::filesystem::path svg_;
  std::FILE* pipe_ = nullptr;
};

/// Draws the share of correct answers against their confidence, in the bins of the calibration error.
inline void draw_reliability(const std::filesystem::path& svg, const std::vector<float>& posteriors,
                             const std::vector<float>& answers, std::size_t classes, const std::vector<int>& labels) {
  const auto points = [&](const std::vector<float>& rows) {
    struct bin {
      double confidence = 0, correct = 0, count = 0;
    };
    std::vector<bin> bins(std::tuple_size_v<chaff::calibration_bins>);
    chaff::for_each_prediction("audit", rows, classes, labels, [&](double confidence, bool is_correct) {
      bin& one = bins[chaff::calibration_bin(confidence)];
      one.confidence += confidence;
      one.correct += is_correct;
      ++one.count;
    });
    std::vector<std::pair<double, double>> result;
    for (const bin& one : bins) result.emplace_back(one.confidence / one.count, one.correct / one.count);
    return result;
  };
  plot chart(svg);
  chart.data("before", points(posteriors));
  chart.data("after", points(answers));
  chart.command(
      "set title 'Reliability'\nset xlabel 'confidence'\nset ylabel 'share correct'\nset xrange [0:1]\nset yrange "
      "[0:1]\n"
      "set key left top\nplot x with lines dt 2 lc rgb 'gray' title 'calibrated', $before with linespoints pt 7 title "
      "'before', "
      "$after with linespoints pt 5 title 'after'");
  chart.finish();
}

/// Draws a histogram of the confidence: it shows the gap that a gate leaves, and what rounding does to it.
inline void draw_confidence(const std::filesystem::path& svg, const std::vector<float>& posteriors,
                            const std::vector<float>& answers, std::size_t classes) {
  constexpr std::size_t bars = 50;
  const auto points = [&](const std::vector<float>& rows) {
    std::vector<double> count(bars);
    const std::vector<int> unknown(rows.size() / classes, 0);
    chaff::for_each_prediction("audit", rows, classes, unknown, [&](double confidence, bool) {
      ++count[std::min(bars - 1, static_cast<std::size_t>(confidence * bars))];
    });
    std::vector<std::pair<double, double>> result;
    for (std::size_t i = 0; i < bars; ++i) result.emplace_back((static_cast<double>(i) + 0.5) / bars, count[i]);
    return result;
  };
  plot chart(svg);
  chart.data("before", points(posteriors));
  chart.data("after", points(answers));
  chart.command(
      "set title 'Responses by confidence'\nset xlabel 'confidence'\nset ylabel 'responses'\nset xrange [0:1]\nset key "
      "left top\n"
      "set style fill transparent solid 0.5 noborder\nset boxwidth 0.02\n"
      "plot $before with boxes title 'before', $after with boxes title 'after'");
  chart.finish();
}

/// Draws the mean L1 against a parameter: a finding for each of its values.
inline void draw_l1(const std::filesystem::path& svg, const std::string& parameter, const std::vector<double>& values,
                    const std::vector<finding>& findings) {
  std::vector<std::pair<double, double>> benign, ood, restored;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    benign.emplace_back(values[i], findings[i].benign.l1);
    if (findings[i].ood) ood.emplace_back(values[i], findings[i].ood->l1);
    restored.emplace_back(values[i], findings[i].attack.restored);
  }
  plot chart(svg);
  chart.data("benign", benign);
  chart.data("ood", ood);
  chart.data("restored", restored);
  std::string draw = "plot $benign with linespoints pt 7 title 'benign users'";
  if (!ood.empty()) draw += ", $ood with linespoints pt 5 title 'OOD queries'";
  for (const auto& [value, l1] : restored) {
    if (l1 == l1) {
      draw += ", $restored with linespoints pt 9 title 'perturbed responses, after a lookup-table attack'";
      break;
    }
  }
  chart.command("set title 'Distance from the posterior'\nset ylabel 'mean L1'\nset yrange [0:*]\nset key left top");
  chart.command(("set xlabel '" + parameter + "'").c_str());
  chart.command(draw.c_str());
  chart.finish();
}

}  // namespace audit

#endif
