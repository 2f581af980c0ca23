// SPDX-License-Identifier: MIT
/// Defends logits in OpenCV's cv::Mat. It is not part of chaff.hpp: include it where OpenCV is at hand.
#ifndef CHAFF_ADAPTERS_OPENCV_HPP
#define CHAFF_ADAPTERS_OPENCV_HPP

#include <opencv2/core.hpp>

#include "chaff/apply.hpp"

namespace chaff::inline CHAFF_ABI {

/// Answers the logits of a cv::Mat, such as cv::dnn::Net::forward() returns, as an owned Mat of the same shape.
/// Shapes: N x K of CV_32F or CV_64F, one channel; more dimensions, as in N x K x 1 x 1, may follow if they are 1. A
/// Mat that is not continuous, such as a range of columns, is copied first.
/// Throws: what apply_rows does; std::invalid_argument for another type (of CV_16F, call convertTo(m, CV_32F) first),
/// more than one channel, one dimension, or more than N x K.
/// Allocates: the output, and a copy where the logits are not continuous.
template <>
struct adapter<cv::Mat> {
  template <class Defense>
  static cv::Mat apply(const Defense& defense, const cv::Mat& logits, const policy& policy) {
    check(logits);
    const cv::Mat rows = logits.isContinuous() ? logits : logits.clone();
    cv::Mat output(logits.dims, logits.size.p, logits.type());
    const auto classes = static_cast<std::size_t>(rows.size[1]);
    const auto answer_as = [&]<class T>(T) {
      chaff::apply_rows<Defense, T>(defense, std::span<const T>(rows.ptr<T>(), rows.total()), classes,
                                    std::span<T>(output.ptr<T>(), output.total()), policy);
    };
    logits.depth() == CV_32F ? answer_as(0.0f) : answer_as(0.0);
    return output;
  }

  static void copy(const cv::Mat& values, std::vector<double>& rows) {
    check(values);
    cv::Mat doubles;
    values.convertTo(doubles, CV_64F);
    if (!doubles.isContinuous()) doubles = doubles.clone();
    rows.insert(rows.end(), doubles.ptr<double>(), doubles.ptr<double>() + doubles.total());
  }

 private:
  static void check(const cv::Mat& logits) {
    bool is_matrix = logits.dims >= 2;
    for (int i = 2; i < logits.dims; ++i) is_matrix = is_matrix && logits.size[i] == 1;
    if (!is_matrix) {
      detail::fail<std::invalid_argument>("chaff: logits are a cv::Mat of %d dimensions, allowed is N x K",
                                          logits.dims);
    }
    if (logits.channels() != 1 || (logits.depth() != CV_32F && logits.depth() != CV_64F)) {
      detail::fail<std::invalid_argument>("chaff: logits are a cv::Mat of %s, allowed are CV_32FC1 and CV_64FC1",
                                          cv::typeToString(logits.type()).c_str());
    }
  }
};

}  // namespace chaff::inline CHAFF_ABI

#endif
