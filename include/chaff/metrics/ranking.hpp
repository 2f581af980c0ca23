// SPDX-License-Identifier: MIT
/// How well confidence ranks correct outputs before incorrect ones.
#ifndef CHAFF_METRICS_RANKING_HPP
#define CHAFF_METRICS_RANKING_HPP

#include <algorithm>
#include <limits>
#include <vector>

#include "chaff/metrics/agreement.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// The area under the ROC curve (AUROC) of confidence as a sign of a correct prediction: the probability that a correct
/// output is more confident than an incorrect one, equal confidences counted as half. 1/2 tells nothing.
/// Shapes: outputs are N x classes probabilities, row-major; labels holds the N true labels, of any integer type. With
/// one class, a probability of "yes", label 1 is "yes" and 0 is "no".
/// Range: the result is in [0, 1], or NaN where all outputs are correct, or none is.
/// Throws: std::invalid_argument for sizes that do not match, no rows, or a true label that is no class.
/// Allocates: N confidences. Cost: O(N (classes + log N)).
/// Source: Hendrycks & Gimpel 2017, "A baseline for detecting misclassified and out-of-distribution examples",
/// arXiv 1610.02136, section 2; by ranks as Mann & Whitney 1947.
template <ContiguousRange Outputs, class Labels>
[[nodiscard]] double confidence_auroc(const Outputs& outputs, std::size_t classes, const Labels& labels) {
  struct prediction {
    double confidence;
    bool is_correct;
  };
  std::vector<prediction> all;
  all.reserve(static_cast<std::size_t>(std::size(labels)));
  for_each_prediction("confidence_auroc", outputs, classes, labels, [&](double confidence, bool is_correct) {
    all.push_back({confidence, is_correct});
  });
  std::sort(all.begin(), all.end(),
            [](const prediction& a, const prediction& b) { return a.confidence < b.confidence; });

  double correct = 0, incorrect = 0, pairs = 0;  // pairs in which the correct one is more confident
  for (auto first = all.begin(); first != all.end();) {
    double correct_here = 0, incorrect_here = 0;
    auto last = first;
    for (; last != all.end() && !(first->confidence < last->confidence); ++last) {
      (last->is_correct ? correct_here : incorrect_here) += 1;
    }
    pairs += correct_here * (incorrect + incorrect_here / 2);
    correct += correct_here;
    incorrect += incorrect_here;
    first = last;
  }
  return correct > 0 && incorrect > 0 ? pairs / (correct * incorrect) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
