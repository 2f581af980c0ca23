// SPDX-License-Identifier: MIT
/// Defends logits in OpenCV's cv::Mat. It is not part of chaff.hpp: include it where OpenCV is at hand.
#ifndef CHAFF_ADAPTERS_OPENCV_HPP
#define CHAFF_ADAPTERS_OPENCV_HPP

#include <concepts>
#include <opencv2/core.hpp>

#include "chaff/adapters/shape.hpp"
#include "chaff/apply.hpp"

CHAFF_BEGIN

namespace chaff::inline CHAFF_ABI {

/// Answers the logits of a cv::Mat, such as cv::dnn::Net::forward() returns, as an owned Mat of the same type and
/// shape; a cv::Mat_<float>, or another class that is derived from cv::Mat, as one of its own kind.
/// Shapes: those of rows_of (shape.hpp), of CV_32F or CV_64F and one channel.
/// N x K, N x K x 1 x 1 and N x 1 x K are N rows of K classes, 1 x K is one row, 1 x 1 is one row of one class.
/// A column, K x 1, is refused unless policy.classes says what it is: K for one row, 1 for K rows. Columns are what
/// OpenCV makes of a std::vector, and of a network's output that has one dimension.
/// N x T x K, as of a sequence or of a feature map, is refused unless policy.classes is the size of its last dimension.
/// A Mat that is not continuous, such as a range of columns, is copied first.
/// Throws: what apply_rows does; std::invalid_argument for another type (of CV_16F, call convertTo(m, CV_32F) first),
/// for more than one channel, for an empty Mat without dimensions, and for a shape whose rows nothing tells.
/// Allocates: the output, and a copy where the logits are not continuous.
template <std::derived_from<cv::Mat> M>
struct adapter<M> {
  template <class Defense>
  static M apply(const Defense& defense, const cv::Mat& logits, const policy& policy) {
    check(logits);
    const auto [count, classes] = rows_of(std::span<const int>(logits.size.p, dimensions_of(logits)), policy.classes);
    const std::size_t size = count * classes;
    const cv::Mat rows = logits.isContinuous() ? logits : logits.clone();
    cv::Mat output(logits.dims, logits.size.p, logits.type());
    const auto answer_as = [&, classes = classes]<class T>(T) {
      chaff::apply_rows<Defense, T>(defense, std::span<const T>(rows.ptr<T>(), size), classes,
                                    std::span<T>(output.ptr<T>(), size), policy);
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
  static std::size_t dimensions_of(const cv::Mat& logits) { return static_cast<std::size_t>(logits.dims); }

  static void check(const cv::Mat& logits) {
    if (logits.dims == 0 && logits.empty()) {
      detail::fail<std::invalid_argument>("chaff: logits are an empty cv::Mat");
    }
    if (logits.channels() != 1 || (logits.depth() != CV_32F && logits.depth() != CV_64F)) {
      const char* remedy = logits.channels() != 1     ? "; reshape(1) makes columns of the channels"
                           : logits.depth() == CV_16F ? "; convertTo(m, CV_32F) makes them so"
                                                      : "";
      detail::fail<std::invalid_argument>("chaff: logits are a cv::Mat of %s, allowed are CV_32FC1 and CV_64FC1%s",
                                          cv::typeToString(logits.type()).c_str(), remedy);
    }
  }
};

/// Answers the logits of a cv::UMat on the CPU, as a cv::UMat of the same type and shape.
/// Shapes and errors: those of the adapter of cv::Mat.
/// Allocates: the output, and its copy on the CPU.
template <>
struct adapter<cv::UMat> {
  template <class Defense>
  static cv::UMat apply(const Defense& defense, const cv::UMat& logits, const policy& policy) {
    cv::UMat output;
    adapter<cv::Mat>::apply(defense, logits.getMat(cv::ACCESS_READ), policy).copyTo(output);
    return output;
  }

  static void copy(const cv::UMat& values, std::vector<double>& rows) {
    adapter<cv::Mat>::copy(values.getMat(cv::ACCESS_READ), rows);
  }
};

}  // namespace chaff::inline CHAFF_ABI

CHAFF_END

#endif
