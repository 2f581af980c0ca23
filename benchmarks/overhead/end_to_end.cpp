// SPDX-License-Identifier: MIT
/// The cost of the defense relative to a whole network, the quickstart's, with a plain softmax and with dcp in turns.
///
/// end_to_end WEIGHTS IMAGES LABELS [CSV]
#include <chaff/chaff.hpp>
#include <chrono>
#include <cstdio>
#include <exception>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"
#include "side_by_side.hpp"

namespace {

int run(int count, char** arguments) {
  if (count < 4 || count > 5) {
    std::fprintf(stderr, "usage: end_to_end WEIGHTS IMAGES LABELS [CSV]\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);
  const auto defended = chaff::defend(std::ref(model), chaff::dcp{});
  const auto undefended = [&](const Eigen::VectorXf& image) {
    Eigen::VectorXf answer = model(image);
    plain_softmax(answer.data(), answer.data(), network::classes);
    return answer;
  };
  const auto nanoseconds = [](const auto& classify, const Eigen::VectorXf& image) {
    const auto start = std::chrono::steady_clock::now();
    Eigen::VectorXf answer = classify(image);
    benchmark::DoNotOptimize(answer.data());
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<double> without, with, overhead;
  for (int pass = 0; pass < 5; ++pass) {
    for (Eigen::Index i = 0; i < images.pixels.rows(); ++i) {
      const Eigen::VectorXf image = images.pixels.row(i);
      const bool first = (i + pass) % 2 == 0;  // neither always finds the caches warm
      double plain = first ? nanoseconds(undefended, image) : 0;
      const double with_dcp = nanoseconds(defended, image);
      if (!first) plain = nanoseconds(undefended, image);
      without.push_back(plain);
      with.push_back(with_dcp);
      overhead.push_back(100 * (with_dcp / plain - 1));
    }
  }
  std::printf("%zu classifications: %.0f ns with a softmax, %.0f ns with dcp, overhead %.3f %% (aim: under 1 %%)\n",
              without.size(), median(without), median(with), median(overhead));
  if (count == 5) {
    std::FILE* file = std::fopen(arguments[4], "a");
    if (file == nullptr) throw std::runtime_error(std::string("cannot write ") + arguments[4]);
    std::fprintf(file, "%s;end to end, quickstart with dcp/mixed/float/K:10/rows:1;%.1f;%.4f;%.5f;1.01\n",
                 CHAFF_BENCHMARK_FLAGS, median(with), median(with) / network::classes, 1 + median(overhead) / 100);
    std::fclose(file);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "end_to_end: %s\n", error.what());
    return 1;
  }
}
