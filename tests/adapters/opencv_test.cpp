// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <chaff/adapters/opencv.hpp>
#include <chaff/chaff.hpp>
#include <opencv2/dnn.hpp>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

const std::vector<float> rows{1, 2, 3, 0.5f, 0.25f, 0.75f, -1, 4, 0};

template <class T>
std::vector<T> answers_to(const std::vector<T>& logits, std::size_t classes) {
  std::vector<T> answers(logits.size());
  chaff::apply_rows(chaff::dcp{}, logits, classes, answers);
  return answers;
}

TEST(OpenCV, MatIsAnsweredAsSpansAre) {
  const cv::Mat logits(3, 3, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);
  EXPECT_EQ(answer.size, logits.size);
  EXPECT_EQ(answer.type(), CV_32F);
  EXPECT_EQ(std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + 9), answers_to(rows, 3));
  EXPECT_EQ(logits.at<float>(0, 2), 3);  // left as it was

  cv::Mat wide;
  logits.convertTo(wide, CV_64F);
  const cv::Mat of_double = chaff::apply(chaff::dcp{}, wide);
  EXPECT_EQ(std::vector<double>(of_double.ptr<double>(), of_double.ptr<double>() + 9),
            answers_to(std::vector<double>(rows.begin(), rows.end()), 3));
}

TEST(OpenCV, ColumnsOfAWiderMatrixAreAnsweredAsACopyIs) {
  const cv::Mat wide = (cv::Mat_<float>(2, 4) << 9, 1, 2, 3, 9, 0.5f, 0.25f, 0.75f);
  const cv::Mat logits = wide.colRange(1, 4);
  ASSERT_FALSE(logits.isContinuous());
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);
  EXPECT_EQ(std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + 6),
            answers_to<float>({1, 2, 3, 0.5f, 0.25f, 0.75f}, 3));
}

TEST(OpenCV, TrailingDimensionsOfOneAreKept) {
  const int shape[] = {3, 3, 1, 1};
  const cv::Mat logits(4, shape, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);
  EXPECT_EQ(answer.dims, 4);
  EXPECT_EQ(std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + 9), answers_to(rows, 3));
}

TEST(OpenCV, PolicyIsPassedOn) {
  const cv::Mat logits(1, 3, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat answer = chaff::apply(chaff::dcp{.beta = 1.2}, logits, {.max_l1 = 0});
  const cv::Mat posterior = chaff::apply(chaff::none{}, logits);
  EXPECT_LT(cv::norm(answer, posterior, cv::NORM_L1), 1e-5);
}

std::string refusal(const cv::Mat& logits, const chaff::policy& policy = {}) {
  try {
    static_cast<void>(chaff::apply(chaff::dcp{}, logits, policy));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(OpenCV, WhatAreNoLogitsIsRefused) {
  EXPECT_EQ(refusal(cv::Mat::zeros(2, 3, CV_8U)),
            "chaff: logits are a cv::Mat of CV_8UC1, allowed are CV_32FC1 and CV_64FC1");
  EXPECT_EQ(refusal(cv::Mat::zeros(2, 3, CV_16F)),
            "chaff: logits are a cv::Mat of CV_16FC1, allowed are CV_32FC1 and CV_64FC1; convertTo(m, CV_32F) makes "
            "them so");
  for (const int type : {CV_32FC3, CV_64FC2, CV_32FC(10)}) {
    EXPECT_EQ(refusal(cv::Mat::zeros(1, 1, type)),
              "chaff: logits are a cv::Mat of " + cv::typeToString(type) +
                  ", allowed are CV_32FC1 and CV_64FC1; reshape(1) makes columns of the channels");
  }
  for (const int type : {CV_8S, CV_16U, CV_16S, CV_32S}) {
    EXPECT_NE(refusal(cv::Mat::zeros(2, 3, type)).find(cv::typeToString(type)), std::string::npos);
  }
  EXPECT_EQ(refusal(cv::Mat()), "chaff: logits are an empty cv::Mat");
  EXPECT_NE(refusal(cv::Mat(std::vector<float>{})), "");
  EXPECT_NE(refusal(cv::Mat(2, 0, CV_32F)).find("0 classes"), std::string::npos);
  cv::Mat bad = (cv::Mat_<float>(1, 2) << 1, NAN);
  EXPECT_THROW(static_cast<void>(chaff::apply(chaff::dcp{}, bad)), std::domain_error);
}

/// The values of a continuous Mat of float.
std::vector<float> values_of(const cv::Mat& mat) {
  return {mat.ptr<float>(), mat.ptr<float>() + mat.total()};
}

TEST(OpenCV, ColumnIsOneRowOrABatchAsThePolicySays) {
  const cv::Mat column(rows, true);
  ASSERT_EQ(column.size(), cv::Size(1, 9));
  EXPECT_NE(refusal(column).find("set policy.classes to 9 if it is one row, or to 1 if each value is a row"),
            std::string::npos);
  for (const std::size_t classes : {9u, 3u, 1u}) {
    const cv::Mat answer = chaff::apply(chaff::dcp{}, column, {.classes = classes});
    EXPECT_EQ(answer.size, column.size);
    EXPECT_EQ(values_of(answer), answers_to(rows, classes)) << classes;
  }
  EXPECT_NE(refusal(column, {.classes = 4}).find("policy.classes is 4"), std::string::npos);
}

TEST(OpenCV, ClassesAreTheLastDimensionOfEveryShape) {
  const auto shaped = [](const std::vector<int>& shape) {
    return cv::Mat(static_cast<int>(shape.size()), shape.data(), CV_32F, const_cast<float*>(rows.data())).clone();
  };
  for (const std::vector<int>& shape :
       {std::vector<int>{3, 3}, {3, 3, 1}, {3, 1, 3}, {3, 3, 1, 1}, {3, 1, 1, 3}, {3, 1, 3, 1, 1}}) {
    const cv::Mat answer = chaff::apply(chaff::dcp{}, shaped(shape));
    EXPECT_EQ(answer.size, shaped(shape).size);
    EXPECT_EQ(values_of(answer), answers_to(rows, 3));
  }
  for (const std::vector<int>& shape : {std::vector<int>{1, 9}, {1, 9, 1, 1}, {1, 1, 1, 9}}) {
    EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, shaped(shape))), answers_to(rows, 9));
  }
  EXPECT_NE(refusal(shaped({1, 3, 3})).find("set policy.classes to 3"), std::string::npos);
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, shaped({1, 3, 3}), {.classes = 3})), answers_to(rows, 3));
  const int image[] = {1, 3, 8, 8};
  EXPECT_NE(refusal(cv::Mat(4, image, CV_32F, cv::Scalar(0))).find("logits are 1 x 3 x 8 x 8"), std::string::npos);
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, shaped({1, 1}))), answers_to<float>({1}, 1));
}

TEST(OpenCV, BatchOfNoRowsIsAnsweredWithNone) {
  EXPECT_EQ(chaff::apply(chaff::dcp{}, cv::Mat(0, 3, CV_32F)).size(), cv::Size(3, 0));
}

TEST(OpenCV, PartOfAMatOfManyDimensionsIsAnsweredAsACopyIs) {
  const int shape[] = {3, 4, 1, 1};
  cv::Mat wide(4, shape, CV_32F, cv::Scalar(9));
  const std::vector<cv::Range> part{cv::Range::all(), cv::Range(1, 4), cv::Range::all(), cv::Range::all()};
  cv::Mat logits = wide(part);
  for (int i = 0; i < 9; ++i) logits.ptr<float>(i / 3)[i % 3] = rows[static_cast<std::size_t>(i)];
  ASSERT_FALSE(logits.isContinuous());
  EXPECT_EQ(values_of(chaff::apply(chaff::dcp{}, logits)), answers_to(rows, 3));
}

TEST(OpenCV, TypedMatAndUMatAreAnsweredAsTheirOwnKind) {
  const cv::Mat logits(3, 3, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat1f typed = logits;
  const cv::Mat1f typed_answer = chaff::apply(chaff::dcp{}, typed);
  static_assert(std::same_as<decltype(chaff::apply(chaff::dcp{}, typed)), cv::Mat1f>);
  EXPECT_EQ(values_of(typed_answer), answers_to(rows, 3));
  const cv::UMat device = logits.getUMat(cv::ACCESS_READ);
  const cv::UMat device_answer = chaff::apply(chaff::dcp{}, device);
  EXPECT_EQ(values_of(device_answer.getMat(cv::ACCESS_READ)), answers_to(rows, 3));
}

TEST(OpenCV, DefendedNetworkReturnsWhatApplyReturnsAndLeavesTheNetworksMemory) {
  const std::string examples = CHAFF_EXAMPLES;
  cv::dnn::Net net = cv::dnn::readNetFromONNX(examples + "/opencv_dnn/network.onnx");
  const labelled_images images(examples + "/data/images.idx3-ubyte", examples + "/data/labels.idx1-ubyte");
  const int shape[] = {20, 1, 28, 28};
  const cv::Mat pixels(4, shape, CV_32F, const_cast<float*>(images.pixels.data()));
  cv::Mat given;
  auto served = chaff::defend(
      [&](const cv::Mat& x) {
        net.setInput(x);
        return given = net.forward();
      },
      chaff::dcp{.beta = 1.2});
  const cv::Mat answer = served(pixels);
  ASSERT_EQ(answer.size(), cv::Size(10, 20));
  const std::vector<float> logits = values_of(given);
  std::vector<float> expected(logits.size());
  chaff::apply_rows(chaff::dcp{.beta = 1.2}, logits, 10, expected);
  EXPECT_EQ(values_of(answer), expected);
  EXPECT_NE(answer.data, given.data);
}

TEST(OpenCV, DecoyMayReturnAMatOfOneColumn) {
  const auto model = [](const cv::Mat& x) -> cv::Mat { return 2 * x; };
  const auto decoy = [](const cv::Mat& x) -> cv::Mat { return -x; };
  const cv::Mat x = (cv::Mat_<float>(3, 1) << 1, 2, 4);
  const cv::Mat answer = chaff::defend(model, chaff::decoy{decoy}, {.keep_label = false, .classes = 3})(x);
  const double mass = std::exp(-1) + std::exp(-2) + std::exp(-4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(answer.at<float>(i), std::exp(-static_cast<double>(x.at<float>(i))) / mass, 1e-6);
  }
}

TEST(OpenCV, NetworkWithAnOutputOfOneDimensionIsOneRow) {
  cv::dnn::Net net = cv::dnn::readNetFromONNX(CHAFF_TEST_DATA "/one_d_output.onnx");
  const cv::Mat input = (cv::Mat_<float>(1, 3) << 0.5f, 2, -1);
  net.setInput(input);
  const cv::Mat logits = net.forward();  // the sum of one row, by columns
  ASSERT_EQ(logits.total(), 3u);
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits, {.classes = 3});
  EXPECT_EQ(answer.size, logits.size);
  EXPECT_EQ(values_of(answer), answers_to<float>({0.5f, 2, -1}, 3));
  EXPECT_NE(refusal(logits).find("set policy.classes to 3"), std::string::npos);
}

TEST(OpenCV, ExportedNetworkIsTheQuickstarts) {
  const std::string examples = CHAFF_EXAMPLES;
  const network model(examples + "/quickstart/weights.bin");
  const labelled_images images(examples + "/data/images.idx3-ubyte", examples + "/data/labels.idx1-ubyte");
  cv::dnn::Net net = cv::dnn::readNetFromONNX(examples + "/opencv_dnn/network.onnx");
  for (Eigen::Index i = 0; i < 100; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const int shape[] = {1, 1, 28, 28};
    net.setInput(cv::Mat(4, shape, CV_32F, const_cast<float*>(image.data())));
    const cv::Mat logits = net.forward();
    const Eigen::VectorXf own = model(image);
    for (int j = 0; j < 10; ++j) EXPECT_NEAR(logits.at<float>(j), own[j], 1e-3f) << i;
  }
}

}  // namespace
