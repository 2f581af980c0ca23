// SPDX-License-Identifier: MIT
/// Makes a codebook from held-out rows.
#ifndef CHAFF_CALIBRATION_CODEBOOK_OF_HPP
#define CHAFF_CALIBRATION_CODEBOOK_OF_HPP

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "chaff/apply.hpp"
#include "chaff/defenses/gated.hpp"
#include "chaff/perturbations/codebook.hpp"
#include "chaff/perturbations/reverse_sigmoid.hpp"

CHAFF_BEGIN

namespace chaff {

/// How codebook_of makes a codebook.
struct codebook_options {
  double epsilon = 1;               ///< of the codebook, in (0, 2]
  std::size_t max_per_label = 256;  ///< the largest number of centroids of one label, at least 1
};

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// A gate that stays closed and adds the posterior of a row to the centroids of its label, where none of them is within
/// epsilon and there is room.
struct codebook_builder {
  const codebook_options& options;
  std::vector<std::vector<float>>& of_label;

  template <class T>
  double operator()(const row<T>& row) const {
    std::vector<float>& centroids = of_label[row.label];
    if (centroids.size() / row.classes() >= options.max_per_label ||
        find_centroid<T>(row, centroids, options.epsilon).distance <= options.epsilon) {
      return 0;
    }
    // classes that tie with the label, as they are or in float, stay behind it
    const float below_label = std::nextafter(static_cast<float>(row.confidence()), 0.0f);
    for (std::size_t i = 0; i < row.classes(); ++i) {
      centroids.push_back(i == row.label ? static_cast<float>(row.confidence())
                                         : (std::min)(static_cast<float>(row.posterior(i)), below_label));
    }
    return 0;
  }
};

}  // namespace chaff::detail::inline CHAFF_ABI

namespace chaff::inline CHAFF_ABI {

/// Makes a codebook from held-out rows: what the model returned for inputs such as it will answer.
/// Method: one pass over the rows in their order. A row with no centroid of its predicted label within epsilon becomes
/// one, the last of that label; centroids do not move. Rows of a label that has max_per_label centroids are passed
/// over. So each row that the codebook was made of is answered with a centroid, unless its label ran out of room. An
/// answer far from all centroids tells something of the posterior (see codebook): rows such as attackers send, added
/// behind the others, make those answers few.
/// Shapes: logits are N x classes, row-major, N at least 1. Of one class each they are sigmoid logits, and the codebook
/// has two classes.
/// Units: logits are in the form that policy.input names; the rest of the policy does not matter.
/// Range: see codebook_options.
/// Throws: std::invalid_argument for sizes that do not match, no rows, or an option out of its range; std::domain_error
/// for rows that apply refuses.
/// Allocates: the codebook three times, two of which are freed at the end.
/// Cost: for each row a pass over it for each centroid of its label.
/// Source: Tang et al. 2024 (see codebook), whose table takes in queries as they come.
template <ContiguousRange Logits>
[[nodiscard]] codebook codebook_of(const Logits& logits, std::size_t classes, const codebook_options& options = {},
                                   policy policy = {}) {
  using T = detail::element_of<const Logits>;
  const std::span<const T> rows = detail::span_of(logits);
  if (options.max_per_label == 0) {
    detail::fail<std::invalid_argument>("chaff: codebook_options.max_per_label is 0, allowed is 1 or more");
  }
  if (classes == 0 || rows.empty() || rows.size() % classes != 0) {
    detail::fail<std::invalid_argument>(
        "chaff: codebook_of was given %zu logits, which are not one or more rows of %zu classes", rows.size(), classes);
  }
  const std::size_t outcomes = classes == 1 ? 2 : classes;
  std::vector<float> all;
  static_cast<void>(codebook(all, outcomes, options.epsilon));  // checks epsilon before the rows are read
  std::vector<std::vector<float>> of_label(outcomes);
  const gated probe{detail::codebook_builder{options, of_label}, reverse_sigmoid{}};
  policy = {.input = policy.input};
  std::vector<T> posterior(classes);
  for (std::size_t i = 0; i < rows.size(); i += classes) {
    apply<decltype(probe), T>(probe, rows.subspan(i, classes), posterior, policy);
  }
  for (const std::vector<float>& centroids : of_label) all.insert(all.end(), centroids.begin(), centroids.end());
  return codebook(std::move(all), outcomes, options.epsilon);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
