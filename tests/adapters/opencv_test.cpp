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

TEST(opencv, answers_as_spans_do) {
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

TEST(opencv, answers_columns_out_of_a_wider_matrix) {
  const cv::Mat wide = (cv::Mat_<float>(2, 4) << 9, 1, 2, 3, 9, 0.5f, 0.25f, 0.75f);
  const cv::Mat logits = wide.colRange(1, 4);
  ASSERT_FALSE(logits.isContinuous());
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);
  EXPECT_EQ(std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + 6),
            answers_to<float>({1, 2, 3, 0.5f, 0.25f, 0.75f}, 3));
}

TEST(opencv, keeps_trailing_dimensions_of_one) {
  const int shape[] = {3, 3, 1, 1};
  const cv::Mat logits(4, shape, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);
  EXPECT_EQ(answer.dims, 4);
  EXPECT_EQ(std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + 9), answers_to(rows, 3));
}

TEST(opencv, passes_the_policy_on) {
  const cv::Mat logits(1, 3, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat answer = chaff::apply(chaff::dcp{.beta = 1.2}, logits, {.max_l1 = 0});
  const cv::Mat posterior = chaff::apply(chaff::none{}, logits);
  EXPECT_LT(cv::norm(answer, posterior, cv::NORM_L1), 1e-5);
}

std::string refusal(const cv::Mat& logits) {
  try {
    chaff::apply(chaff::dcp{}, logits);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(opencv, refuses_what_are_no_logits) {
  EXPECT_EQ(refusal(cv::Mat::zeros(2, 3, CV_8U)),
            "chaff: logits are a cv::Mat of CV_8UC1, allowed are CV_32FC1 and CV_64FC1");
  EXPECT_EQ(refusal(cv::Mat::zeros(2, 3, CV_16F)).find("CV_16FC1") != std::string::npos, true);
  EXPECT_EQ(refusal(cv::Mat::zeros(2, 3, CV_32FC3)).find("CV_32FC3") != std::string::npos, true);
  const int image[] = {1, 3, 8, 8};
  EXPECT_EQ(refusal(cv::Mat(4, image, CV_32F, cv::Scalar(0))),
            "chaff: logits are a cv::Mat of 4 dimensions, allowed is N x K");
  EXPECT_EQ(refusal(cv::Mat()), "chaff: logits are a cv::Mat of 0 dimensions, allowed is N x K");
  cv::Mat bad = (cv::Mat_<float>(1, 2) << 1, NAN);
  EXPECT_THROW(chaff::apply(chaff::dcp{}, bad), std::domain_error);
}

TEST(opencv, the_exported_network_is_the_quickstarts) {
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
