// SPDX-License-Identifier: MIT
/// What is promised of every answer, and in which form logits come in and answers go out.
#ifndef CHAFF_POLICY_HPP
#define CHAFF_POLICY_HPP

#include <stdexcept>

#include "chaff/error.hpp"

namespace chaff {

/// How the numbers of a row are to be read: unbounded scores, their softmax, or the logarithm of that.
/// A row of one class is a single sigmoid logit, the probability of "yes", or its logarithm.
enum class form { logits, probabilities, log_probabilities };

/// What is promised of every answer.
struct policy {
  /// The answer's argmax is the model's (the lowest index of the largest logit), strictly ahead of every other class.
  bool keep_label = true;

  /// Least lead of the label over every other class in the answer, as a difference of probabilities; in [0, 1], and 0
  /// where keep_label is false. With 0 the lead is a few units in the last place. For answers that are rounded on their
  /// way to the caller, ask for more than twice the rounding's largest error. Where both cannot be met, it outranks
  /// max_l1, and the answer then moves as little as the lead allows.
  double label_margin = 0;

  /// Most that a perturbation may move the posterior p: |answer - p|_1 <= max_l1 (+ 1e-6); in [0, 2]. 2 is no limit.
  double max_l1 = 2;

  /// What the model returns. Probabilities are in [0, 1] and sum to 1 within 1 %; they are normalised.
  form input = form::logits;

  /// What the caller gets. As log_probabilities an answer's exponentials keep every promise made of probabilities; as
  /// logits it is the same numbers, and for a single sigmoid logit the log-odds.
  form answer = form::probabilities;

  /// Whether a row goes the same way, and its perturbation is asked, where the gate is closed too, so that an answer's
  /// time does not tell whether it was open. A closed answer is then as dear as an open one, and has the same bits as
  /// without; but as log_probabilities it is the logarithm of the rounded posterior. What is left in the time: a gate
  /// within 40 / nu of its tau evaluates one exponential more; the rarer side may cost a mispredicted branch; the level
  /// of a label_margin, a reduction, or a callable of a user's own takes the time that it takes.
  bool constant_time_gate = false;

  /// Raises std::invalid_argument for a value outside of its range, or a margin for a label that is not kept.
  void check() const {
    check_range("policy.label_margin", label_margin, 0, 1);
    check_range("policy.max_l1", max_l1, 0, 2);
    if (!keep_label && label_margin > 0) {
      fail<std::invalid_argument>(
          "chaff: policy.label_margin is %g, allowed is [0, 0] where policy.keep_label is false", label_margin);
    }
  }
};

}  // namespace chaff

#endif
