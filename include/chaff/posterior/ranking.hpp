// SPDX-License-Identifier: MIT
/// How well answers' confidence ranks the right ones before the wrong ones.
#ifndef CHAFF_POSTERIOR_RANKING_HPP
#define CHAFF_POSTERIOR_RANKING_HPP

#include <algorithm>
#include <limits>
#include <vector>

#include "chaff/posterior/agreement.hpp"

namespace chaff {

/// The area under the ROC curve of confidence as a sign of being right: the probability that a right answer is surer
/// than a wrong one, equal confidences counted as half. 1/2 is no sign at all.
///
/// Shapes: answers are N x classes probabilities, row-major; truth holds the N true labels, of any integer type; with
/// one class, a probability of "yes", truth 1 is "yes" and 0 is "no". In [0, 1]; NaN where all answers are right, or
/// none is. Cost: O(N (classes + log N)). Allocation: N confidences.
/// Errors: std::invalid_argument for sizes that do not match, or no rows.
/// Source: Hendrycks & Gimpel 2017, "A baseline for detecting misclassified and out-of-distribution examples",
/// arXiv 1610.02136, section 2; by ranks as Mann & Whitney 1947.
template <contiguous_values Answers, class Labels>
double confidence_auroc(const Answers& answers, std::size_t classes, const Labels& truth) {
  struct ranked {
    double confidence;
    bool right;
  };
  std::vector<ranked> all;
  all.reserve(static_cast<std::size_t>(std::size(truth)));
  for_each_named("confidence_auroc", answers, classes, truth, [&](double confidence, bool right) {
    all.push_back({confidence, right});
  });
  std::sort(all.begin(), all.end(), [](const ranked& a, const ranked& b) { return a.confidence < b.confidence; });

  double right = 0, wrong = 0, pairs = 0;  // pairs: (right, wrong) in which the right one is surer
  for (auto first = all.begin(); first != all.end();) {
    double right_here = 0, wrong_here = 0;
    auto last = first;
    for (; last != all.end() && last->confidence == first->confidence; ++last) {
      (last->right ? right_here : wrong_here) += 1;
    }
    pairs += right_here * (wrong + wrong_here / 2);
    right += right_here;
    wrong += wrong_here;
    first = last;
  }
  return right > 0 && wrong > 0 ? pairs / (right * wrong) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace chaff

#endif
