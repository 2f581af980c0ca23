// SPDX-License-Identifier: MIT
/// Whether two posteriors name the same classes.
#ifndef CHAFF_POSTERIOR_AGREEMENT_HPP
#define CHAFF_POSTERIOR_AGREEMENT_HPP

#include "chaff/posterior/compare.hpp"
#include "chaff/posterior/label.hpp"
#include "chaff/posterior/n_largest.hpp"

namespace chaff {

/// The label that a row of probabilities names: of K classes the lowest index of the largest; of a single probability 1
/// where it is above 1/2, else 0. The row has no NaN.
template <contiguous_values R>
std::size_t named_label(const R& row) {
  const auto p = span_of(row);
  return p.size() == 1 ? p[0] > value_of<const R>(0.5) : label(p);
}

/// Calls visit(confidence, right) for each row of answers: the named label's probability, and whether it is the true
/// one. Shapes: N x classes probabilities, and N true labels of any integer type; of one class, 1 for "yes" and 0 for
/// "no". Raises std::invalid_argument for sizes that do not match, or no rows.
template <contiguous_values Answers, class Labels, class Visit>
void for_each_named(const char* name, const Answers& answers, std::size_t classes, const Labels& truth, Visit visit) {
  const auto p = span_of(answers);
  const auto rows = static_cast<std::size_t>(std::size(truth));
  if (classes == 0 || rows == 0 || p.size() % classes != 0 || p.size() / classes != rows) {
    fail<std::invalid_argument>("chaff: %s of %zu entries, in rows of %zu classes, with %zu labels", name, p.size(),
                                classes, rows);
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = p.subspan(i * classes, classes);
    const std::size_t named = named_label(row);
    const double first = static_cast<double>(row[classes == 1 ? 0 : named]);
    visit(classes == 1 && named == 0 ? 1 - first : first, static_cast<std::size_t>(std::data(truth)[i]) == named);
  }
}

/// The share of answers that name the true label. Shapes, errors: see for_each_named.
template <contiguous_values Answers, class Labels>
double accuracy(const Answers& answers, std::size_t classes, const Labels& truth) {
  double right_ones = 0;
  for_each_named("accuracy", answers, classes, truth, [&](double, bool right) { right_ones += right; });
  return right_ones / static_cast<double>(std::size(truth));
}

/// 1 where the two name the same label, 0 where not. Of rows, the share that does. Shapes, errors: see compare.
template <contiguous_values A, contiguous_values B>
double label_agreement(const A& a, const B& b, std::size_t classes) {
  return mean_over_rows("label_agreement", a, b, classes,
                        [](auto p, auto q) { return named_label(p) == named_label(q) ? 1.0 : 0.0; });
}
template <contiguous_values A, contiguous_values B>
double label_agreement(const A& a, const B& b) {
  return label_agreement(a, b, static_cast<std::size_t>(std::size(a)));
}

/// How many of a's k most probable classes are among b's k most probable, divided by k; of equal entries the lowest
/// indices are taken. Of rows, the mean. k in [1, classes], at least 2 classes; else std::invalid_argument.
template <contiguous_values A, contiguous_values B>
double top_k_agreement(const A& a, const B& b, std::size_t classes, std::size_t k) {
  if (classes < 2 || k == 0 || k > classes) {
    fail<std::invalid_argument>(
        "chaff: top_k_agreement with k = %zu of %zu classes, allowed is [1, classes] of 2 or more", k, classes);
  }
  return mean_over_rows("top_k_agreement", a, b, classes, [&](auto p, auto q) {
    const auto of_p = n_largest(classes, k, [&](std::size_t i) { return order_of(p[i]); });
    const auto of_q = n_largest(classes, k, [&](std::size_t i) { return order_of(q[i]); });
    std::size_t common = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      common += of_p.has(i, order_of(p[i])) && of_q.has(i, order_of(q[i]));
    }
    return static_cast<double>(common) / static_cast<double>(k);
  });
}
template <contiguous_values A, contiguous_values B>
double top_k_agreement(const A& a, const B& b, std::size_t k) {
  return top_k_agreement(a, b, static_cast<std::size_t>(std::size(a)), k);
}

}  // namespace chaff

#endif
