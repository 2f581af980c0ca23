// SPDX-License-Identifier: MIT
/// What every output must satisfy, and in which form logits come in and outputs go out.
#ifndef CHAFF_POLICY_HPP
#define CHAFF_POLICY_HPP

#include <cstddef>

#include "chaff/error.hpp"
#include "chaff/exact.hpp"
#include "chaff/form.hpp"

CHAFF_BEGIN

namespace chaff {

/// What every output must satisfy, and in which form logits come in and outputs go out.
struct policy {
  /// Whether the output's largest entry is the model's predicted label (the lowest index of the largest logit),
  /// strictly ahead of every other class. Where the row is perturbed and max_l1 does not hold it back, every
  /// other weight is at most 63/64 of the label's, so that the label stays first in float16, in bfloat16, and in three
  /// significant decimal digits.
  bool keep_label = true;

  /// The smallest lead of the label over every other class, as a difference of probabilities.
  /// Range: [0, 1]; 0 where keep_label is false.
  /// An output that is rounded to a fixed number of decimals on its way to the client needs more than twice the largest
  /// rounding error, such as 0.011 for two decimals. It takes precedence over max_l1 where both cannot be met.
  /// Formula: an output y with a smaller lead becomes (1 - t) y + t e_label, t = (label_margin - lead) / (1 - lead).
  double label_margin = 0;

  /// The largest L1 distance by which a perturbation may move the posterior p: |output - p|_1 <= max_l1 (+ 1e-6),
  /// before reductions. Range: [0, 2]; 2 is no limit.
  double max_l1 = 2;

  /// What the model returns. Probabilities are in [0, 1] and sum to 1 within 1 %; they are normalised.
  form input = form::logits;

  /// What the client gets. The exponentials of log_probabilities satisfy all that is guaranteed of probabilities.
  /// form::logits gives the logarithms of the probabilities and, for a model with one output, the log-odds.
  form answer = form::probabilities;

  /// Whether closed rows run the same code as open ones, the perturbation included, so that the time of a response does
  /// not show whether its gate was open. A closed row then costs as much as an open one, and has the
  /// same bits as without; with log_probabilities, it is the logarithm of the rounded posterior.
  /// What remains visible: a gate within 40 / nu of its tau evaluates one more exponential; a reduction or a callable
  /// of the user takes the time that it takes.
  bool constant_time_gate = false;

  /// The number of classes in a row of a flat range that defend() is to take for a batch; 0: the range is one row.
  /// In a cv::Mat, tensor or Eigen object it also says what is a row where the shape does not: their adapters say when.
  std::size_t classes = 0;
};

}  // namespace chaff

namespace chaff::detail::inline CHAFF_ABI {

/// What is wrong with a policy: a value out of its range, or a margin for a label that is not kept.
[[gnu::always_inline]] constexpr parameter_error check_policy(const policy& policy) {
  if (is_exactly(policy.label_margin, 0.0) && is_exactly(policy.max_l1, 2.0)) [[likely]]
    return {};
  return check_ranges(parameter_range{"policy.label_margin", policy.label_margin, 0, policy.keep_label ? 1.0 : 0.0},
                      parameter_range{"policy.max_l1", policy.max_l1, 0, 2});
}

}  // namespace chaff::detail::inline CHAFF_ABI

CHAFF_END

#endif
