// SPDX-License-Identifier: MIT
/// Whether answers give away the width of the model's last hidden layer.
#ifndef CHAFF_EXAMPLES_AUDIT_LAST_LAYER_HPP
#define CHAFF_EXAMPLES_AUDIT_LAST_LAYER_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "singular_values.hpp"

namespace audit {

/// Singular values that fall by this factor or more end at the width. They fell by at most 2.7 in 1,440 sets of
/// Gaussian logits, and by at most 3.7 in 30 or more real rows of 10 classes. With random nets and enough
/// rows they fell by 15,000 or more in float, and, logits rounded to float16, mostly by 50 or more up to a width of
/// 0.9 K, by 8 or more up to K - 2.
inline constexpr double min_drop = 10;

/// So many rows more than dimensions keep the last singular values of random rows away from 0.
inline constexpr std::size_t spare_rows = 10;

/// At most as many rows, and as many classes, are looked at.
inline constexpr std::size_t max_last_layer_size = 512;

/// A part of the answers is looked at where it has as many rows: fewer confident ones may all leave units at 0.
inline constexpr std::size_t min_rows_of_part = 64;

/// What the singular values of answers' logarithms show.
struct last_layer {
  std::size_t share = 1;                     ///< 1/share of the answers were looked at, the most confident ones
  std::size_t rows = 0, classes = 0;         ///< looked at: different rows, without zeros
  bool has_zeros = false;                    ///< rows or classes were left out because they hold zeros
  std::vector<double> singular_values = {};  ///< the largest first; those below the rounding of float are raised to it
  double drop = std::nan("");                ///< the largest ratio of a singular value to the next
  std::size_t drop_after = 0;                ///< how many singular values come before that drop
  std::optional<std::size_t> width = {};     ///< drop_after, where the drop is large enough

  /// The largest width that so many rows of so many classes can show.
  std::size_t max_width() const {
    return std::min(classes < 2 ? 0 : classes - 2, rows < spare_rows + 2 ? 0 : rows - spare_rows - 2);
  }
};

/// Leaves out rows and classes, each time the one with the largest share of zeros, until there is no zero. A number
/// below the smallest normal float counts as a zero, since its digits are lost.
inline void leave_out_zeros(std::span<const float> answers, std::size_t columns, std::vector<std::size_t>& rows,
                            std::vector<std::size_t>& classes) {
  const auto is_zero = [&](std::size_t row, std::size_t column) {
    return answers[row * columns + column] < std::numeric_limits<float>::min();
  };
  std::vector<std::size_t> in_row(rows.size()), in_class(classes.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < classes.size(); ++j) {
      if (!is_zero(rows[i], classes[j])) continue;
      ++in_row[i];
      ++in_class[j];
    }
  }
  while (!rows.empty()) {
    const auto row = std::max_element(in_row.begin(), in_row.end()) - in_row.begin();
    const auto column = std::max_element(in_class.begin(), in_class.end()) - in_class.begin();
    const std::size_t of_row = in_row[static_cast<std::size_t>(row)];
    const std::size_t of_class = in_class[static_cast<std::size_t>(column)];
    if (of_row == 0) return;
    // of_row / classes.size() against of_class / rows.size()
    if (of_row * rows.size() > of_class * classes.size()) {
      for (std::size_t j = 0; j < classes.size(); ++j) {
        if (is_zero(rows[static_cast<std::size_t>(row)], classes[j])) --in_class[j];
      }
      rows.erase(rows.begin() + row);
      in_row.erase(in_row.begin() + row);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (is_zero(rows[i], classes[static_cast<std::size_t>(column)])) --in_row[i];
      }
      classes.erase(classes.begin() + column);
      in_class.erase(in_class.begin() + column);
    }
  }
}

/// At most max_last_layer_size of the first count elements, evenly spaced.
inline std::vector<std::size_t> some_of(const std::vector<std::size_t>& all, std::size_t count) {
  const std::size_t kept = std::min(count, max_last_layer_size);
  std::vector<std::size_t> some(kept);
  for (std::size_t i = 0; i < kept; ++i) some[i] = all[i * count / kept];
  return some;
}

/// Looks at these rows for a drop of the singular values.
inline last_layer find_drop(std::span<const float> answers, std::size_t columns, std::vector<std::size_t> rows) {
  std::vector<std::size_t> classes(columns);
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  classes = some_of(classes, columns);
  const std::size_t all = rows.size() + classes.size();
  leave_out_zeros(answers, columns, rows, classes);
  last_layer result{.rows = rows.size(), .classes = classes.size()};
  result.has_zeros = rows.size() + classes.size() < all;
  if (rows.size() < 2 || classes.size() < 2) return result;
  Eigen::MatrixXd logs(rows.size(), classes.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < classes.size(); ++j) {
      logs(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
          std::log(static_cast<double>(answers[rows[i] * columns + classes[j]]));
    }
  }
  // without the logarithm of softmax's denominator, then without the bias
  logs = (logs.colwise() - logs.rowwise().mean()).eval();
  logs = (logs.rowwise() - logs.colwise().mean()).eval();
  const Eigen::VectorXd values = singular_values_of(logs);
  // centring leaves one singular value less than rows, and one less than classes; rounding to float moves a logarithm
  // by 2^-24 at most
  const double rounding = 0x1p-24 * std::sqrt(static_cast<double>(std::max(rows.size(), classes.size())));
  for (Eigen::Index i = 0; i + 1 < values.size(); ++i) result.singular_values.push_back(std::max(values[i], rounding));
  for (std::size_t i = 1; i <= result.max_width(); ++i) {
    const double ratio = result.singular_values[i - 1] / result.singular_values[i];
    if (i > 1 && !(ratio > result.drop)) continue;
    result.drop = ratio;
    result.drop_after = i;
  }
  if (result.drop >= min_drop) result.width = result.drop_after;
  return result;
}

/// Looks for the width of the last hidden layer in answers, which are probabilities. With logits z = W h + b, h of
/// `width` numbers, the logarithms of the answers, each row without its mean and each class without its mean, span
/// `width` dimensions, so that their singular values drop to rounding or noise after it. An attacker need not take all
/// rows: a gate leaves confident answers as they are. So the most confident eighth is looked at first, then the most
/// confident quarter and half, then all; equal rows are taken once.
/// Source: Carlini et al. 2024, arXiv 2403.06634; Finlayson et al. 2024, arXiv 2403.09539.
inline last_layer find_last_layer(std::span<const float> answers, std::size_t columns) {
  const auto row = [&](std::size_t i) { return answers.subspan(i * columns, columns); };
  std::vector<std::size_t> order(answers.size() / columns);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<float> confidence(order.size());
  for (const std::size_t i : order) confidence[i] = *std::max_element(row(i).begin(), row(i).end());
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (confidence[a] > confidence[b] || confidence[a] < confidence[b]) return confidence[a] > confidence[b];
    return std::lexicographical_compare(row(a).begin(), row(a).end(), row(b).begin(), row(b).end());
  });
  const auto is_same = [&](std::size_t a, std::size_t b) {
    return std::equal(row(a).begin(), row(a).end(), row(b).begin());
  };
  order.erase(std::unique(order.begin(), order.end(), is_same), order.end());
  last_layer found;
  for (std::size_t share = 8; share >= 1; share /= 2) {
    const std::vector<std::size_t> rows = some_of(order, order.size() / share);
    if (share > 1 && rows.size() < min_rows_of_part) continue;
    found = find_drop(answers, columns, rows);
    found.share = share;
    if (found.width) break;
  }
  return found;
}

/// The parts of a sentence, printed one after another.
template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// A factor with two digits and, as English has it, commas between thousands.
inline std::string factor_text(double factor) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", factor);
  if (factor < 10) return text;
  const double unit = std::pow(10, std::floor(std::log10(factor)) - 1);
  std::snprintf(text, sizeof text, "%.0f", std::round(factor / unit) * unit);
  std::string digits;
  for (std::size_t left = std::strlen(text), i = 0; left > 0; --left, ++i) {
    if (i > 0 && left % 3 == 0) digits += ',';
    digits += text[i];
  }
  return digits;
}

/// Says in plain words what was found in answers.
inline std::string verdict_on(const last_layer& found) {
  const char* const rows = found.has_zeros ? " different rows without zeros" : " different rows";
  const char* const classes = found.has_zeros ? " classes without zeros" : " classes";
  if (found.width) {
    const char* const part = found.share == 1   ? ""
                             : found.share == 2 ? "the most confident half of "
                             : found.share == 4 ? "the most confident quarter of "
                                                : "the most confident eighth of ";
    return sentence("The width of the last hidden layer can be read off ", part, "these answers: ", *found.width,
                    " (singular values fall by a factor of ", factor_text(found.drop), " after it).");
  }
  if (found.classes < 3) {
    return sentence("No width can be read off: ", found.classes, classes, " are too few to tell; 3 show a width of 1.");
  }
  const std::string enough = sentence(found.classes + spare_rows, " rows show every width up to ", found.classes - 2,
                                      ", which is all that ", found.classes, " classes can show.");
  if (found.max_width() == 0) {
    return sentence("No width can be read off: ", found.rows, rows, " are too few to tell; ", enough);
  }
  const std::string fall =
      sentence("No width can be read off: singular values fall by a factor of at most ", factor_text(found.drop), ". ");
  if (found.max_width() + 2 < found.classes) {
    return sentence(fall, found.rows, rows, " are too few to show a width above ", found.max_width(), "; ", enough);
  }
  return sentence(fall, found.classes, classes, " are too few to show a width above ", found.max_width(), ".");
}

/// Says in plain words what was found in answers after a defense. A drop that undefended answers do not have, or have
/// elsewhere, is the pattern of the defense, such as equal numbers in all rows.
inline std::string verdict_on(const last_layer& after, const last_layer& before) {
  if (!after.width || after.width == before.width) return verdict_on(after);
  const std::string drop =
      sentence("singular values fall by a factor of ", factor_text(after.drop), " after ", *after.width);
  if (!before.width) return sentence("No width can be read off: ", drop, ", and do so only after the defense.");
  return sentence(
      "No width can be read off all of them: ", drop, ", and after ", *before.width,
      " before the defense. Where only some rows or classes are perturbed, an attacker who leaves these out "
      "finds it.");
}

/// Whether the answers after a defense show the width that those before it show.
inline bool shows_width(const last_layer& after, const last_layer& before) {
  return after.width && after.width == before.width;
}

}  // namespace audit

#endif
