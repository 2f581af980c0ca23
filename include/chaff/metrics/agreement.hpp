// SPDX-License-Identifier: MIT
/// Whether two posteriors predict the same classes.
#ifndef CHAFF_METRICS_AGREEMENT_HPP
#define CHAFF_METRICS_AGREEMENT_HPP

#include <cstdint>

#include "chaff/metrics/compare.hpp"
#include "chaff/metrics/true_label.hpp"
#include "chaff/posterior/argmax.hpp"
#include "chaff/posterior/n_largest.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// The label that a row of probabilities predicts: of K classes the lowest index of the largest; of a single
/// probability, 1 where it is above 1/2 and else 0.
/// Shape: the row has K >= 1 entries, none of them NaN.
template <ContiguousRange R>
[[nodiscard]] std::size_t predicted_label(const R& row) {
  const auto p = detail::span_of(row);
  return p.size() == 1 ? p[0] > detail::element_of<const R>(0.5) : argmax(p);
}

/// Calls visit(confidence, is_correct) for each row of outputs: the probability of the predicted label, and whether it
/// is the true one.
/// Shapes: outputs are N x classes probabilities, row-major; labels holds the N true labels, of any integer type. With
/// one class, a probability of "yes", label 1 is "yes" and 0 is "no".
/// Throws: std::invalid_argument for sizes that do not match, no rows, or a true label that is no class. `name` stands
/// in the message.
template <ContiguousRange Outputs, class Labels, class Visit>
void for_each_prediction(const char* name, const Outputs& outputs, std::size_t classes, const Labels& labels,
                         Visit visit) {
  const auto p = detail::span_of(outputs);
  const auto rows = static_cast<std::size_t>(std::size(labels));
  if (classes == 0 || rows == 0 || p.size() % classes != 0 || p.size() / classes != rows) {
    detail::fail<std::invalid_argument>("chaff: %s of %zu entries, in rows of %zu classes, with %zu labels", name,
                                        p.size(), classes, rows);
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = p.subspan(i * classes, classes);
    const std::size_t predicted = predicted_label(row);
    const double first = static_cast<double>(row[classes == 1 ? 0 : predicted]);
    visit(classes == 1 && predicted == 0 ? 1 - first : first,
          detail::checked_true_label(name, static_cast<std::int64_t>(std::data(labels)[i]), i, classes) == predicted);
  }
}

/// The accuracy: the share of outputs that predict the true label.
/// Shapes: outputs are N x classes probabilities, row-major; labels holds the N true labels, of any integer type.
/// Range: the result is in [0, 1].
/// Throws: std::invalid_argument for sizes that do not match, no rows, or a true label that is no class.
template <ContiguousRange Outputs, class Labels>
[[nodiscard]] double accuracy(const Outputs& outputs, std::size_t classes, const Labels& labels) {
  double correct = 0;
  for_each_prediction("accuracy", outputs, classes, labels, [&](double, bool is_correct) { correct += is_correct; });
  return correct / static_cast<double>(std::size(labels));
}

/// The share of rows in which two batches predict the same label.
/// Shapes: both are N x classes probabilities, row-major.
/// Throws: std::invalid_argument for sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double label_agreement(const A& a, const B& b, std::size_t classes) {
  return detail::mean_over_rows("label_agreement", a, b, classes,
                                [](auto p, auto q) { return predicted_label(p) == predicted_label(q) ? 1.0 : 0.0; });
}

/// 1 where two rows predict the same label, and else 0.
/// Throws: std::invalid_argument for sizes that do not match, or no classes.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double label_agreement(const A& a, const B& b) {
  return label_agreement(a, b, static_cast<std::size_t>(std::size(a)));
}

/// How many of a row's k most probable classes are among the other's k most probable, divided by k; the mean over the
/// rows of two batches. Of equal entries the lowest indices are taken.
/// Shapes: both are N x classes probabilities, row-major, of at least 2 classes.
/// Range: k in [1, classes].
/// Throws: std::invalid_argument for any other k, sizes that do not match, or no rows.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double top_k_agreement(const A& a, const B& b, std::size_t classes, std::size_t k) {
  if (classes < 2 || k == 0 || k > classes) {
    detail::fail<std::invalid_argument>(
        "chaff: top_k_agreement with k = %zu of %zu classes, allowed is [1, classes] of 2 or more", k, classes);
  }
  return detail::mean_over_rows("top_k_agreement", a, b, classes, [&](auto p, auto q) {
    const auto of_p = detail::n_largest(detail::numbers_of_row<detail::element_of<const A>>{p}, k);
    const auto of_q = detail::n_largest(detail::numbers_of_row<detail::element_of<const B>>{q}, k);
    std::size_t common = 0;
    for (std::size_t i = 0; i < classes; ++i) common += of_p.has(i, p[i]) && of_q.has(i, q[i]);
    return static_cast<double>(common) / static_cast<double>(k);
  });
}

/// The share of one row's k most probable classes that are among the other row's k most probable.
/// Shapes: both rows have the same number of probabilities.
/// Range: k in [1, number of classes]; the result is in [0, 1].
/// Throws: std::invalid_argument for any other k, and sizes that do not match.
template <ContiguousRange A, ContiguousRange B>
[[nodiscard]] double top_k_agreement(const A& a, const B& b, std::size_t k) {
  return top_k_agreement(a, b, static_cast<std::size_t>(std::size(a)), k);
}

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
