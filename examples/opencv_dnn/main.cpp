// SPDX-License-Identifier: MIT
/// Classifies a PNG or JPEG with OpenCV's dnn module, and prints the defended answer's first five classes.
///
/// opencv_dnn NETWORK.onnx IMAGE
#include <algorithm>
#include <chaff/adapters/opencv.hpp>
#include <chaff/chaff.hpp>
#include <cstdio>
#include <exception>
#include <numeric>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace {

constexpr const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                 "sandal",  "shirt",    "sneaker",  "bag",   "boot"};

int run(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: opencv_dnn NETWORK.onnx IMAGE\n");
    return 2;
  }
  cv::dnn::Net network = cv::dnn::readNetFromONNX(arguments[1]);
  const cv::Mat image = cv::imread(arguments[2], cv::IMREAD_GRAYSCALE);
  if (image.empty()) throw std::runtime_error(std::string(arguments[2]) + " is missing or no image");

  network.setInput(cv::dnn::blobFromImage(image, 1 / 255.0, cv::Size(28, 28)));
  const cv::Mat logits = network.forward();

  // A user adds this line alone.
  const cv::Mat answer = chaff::apply(chaff::dcp{}, logits);

  std::vector<int> order(answer.total());
  if (order.size() != std::size(names)) throw std::runtime_error("the network does not have the quickstart's classes");
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return answer.at<float>(a) > answer.at<float>(b); });
  for (std::size_t i = 0; i < 5; ++i) {
    std::printf("%-10s %.4f\n", names[order[i]], static_cast<double>(answer.at<float>(order[i])));
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "opencv_dnn: %s\n", error.what());
    return 1;
  }
}
