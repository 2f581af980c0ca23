// SPDX-License-Identifier: MIT
/// Defends logits in OpenCV's cv::Mat. Not part of chaff.hpp: included by who has OpenCV.
#ifndef CHAFF_ADAPTERS_OPENCV_HPP
#define CHAFF_ADAPTERS_OPENCV_HPP

#include <opencv2/core.hpp>

#include "chaff/apply.hpp"

namespace chaff {

/// Answers the logits of a cv::Mat, such as cv::dnn::Net::forward() returns, as an owned Mat of the same shape.
///
/// Shapes: N x K of CV_32F or CV_64F, one channel; more dimensions, as in N x K x 1 x 1, may follow if they are 1. A
/// Mat that is not continuous, such as a range of columns, is copied first.
/// Errors: as apply_rows; std::invalid_argument for another type (CV_16F: call convertTo(m, CV_32F) first), more than
/// one channel, one dimension, or more than N x K. Allocation: the answer, and a copy where logits are not continuous.
template <class Defense>
cv::Mat apply(const Defense& used, const cv::Mat& logits, const policy& promised = {}) {
  bool is_matrix = logits.dims >= 2;
  for (int i = 2; i < logits.dims; ++i) is_matrix = is_matrix && logits.size[i] == 1;
  if (!is_matrix)
    fail<std::invalid_argument>("chaff: logits are a cv::Mat of %d dimensions, allowed is N x K", logits.dims);
  if (logits.channels() != 1 || (logits.depth() != CV_32F && logits.depth() != CV_64F)) {
    fail<std::invalid_argument>("chaff: logits are a cv::Mat of %s, allowed are CV_32FC1 and CV_64FC1",
                                cv::typeToString(logits.type()).c_str());
  }
  const cv::Mat rows = logits.isContinuous() ? logits : logits.clone();
  cv::Mat answer(logits.dims, logits.size.p, logits.type());
  const auto classes = static_cast<std::size_t>(rows.size[1]);
  const auto answer_as = [&]<class T>(T) {
    apply_rows<Defense, T>(used, std::span<const T>(rows.ptr<T>(), rows.total()), classes,
                           std::span<T>(answer.ptr<T>(), answer.total()), promised);
  };
  logits.depth() == CV_32F ? answer_as(0.0f) : answer_as(0.0);
  return answer;
}

}  // namespace chaff

#endif
