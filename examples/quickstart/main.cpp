// SPDX-License-Identifier: MIT
/// Classifies real images with and without the defense, and shows what it does to the answers and what it costs.
///
/// quickstart WEIGHTS IMAGES LABELS [LEAST_ACCURACY]
/// Exits with 1 where an answer's label changed, or where the accuracy in percent is below LEAST_ACCURACY.
#include <algorithm>
#include <chaff/chaff.hpp>
#include <chrono>
#include <cstdio>
#include <exception>

#include "images.hpp"
#include "network.hpp"

namespace {

constexpr chaff::dcp defense{.beta = 0.9};
constexpr const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                 "sandal",  "shirt",    "sneaker",  "bag",   "boot"};

/// The label that an answer names.
int named(const Eigen::VectorXf& answer) {
  Eigen::Index label = 0;
  answer.maxCoeff(&label);
  return static_cast<int>(label);
}

/// Nanoseconds an answer, the median of 21 runs over all rows.
template <class Answer>
double nanoseconds(const std::vector<Eigen::VectorXf>& logits, Answer answer) {
  std::vector<double> times;
  Eigen::VectorXf out(network::classes);
  float sink = 0;
  for (int run = 0; run < 21; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (const Eigen::VectorXf& row : logits) {
      answer(row, out);
      sink += out[0];
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    times.push_back(spent.count() / static_cast<double>(logits.size()));
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return sink >= 0 ? times[10] : 0;
}

void show_bars(const char* title, int truth, const Eigen::VectorXf& clean, const Eigen::VectorXf& defended) {
  std::printf("\n%s (it is a %s)\n%-10s %-32s %s\n", title, names[truth], "", "undefended", "defended");
  for (int i = 0; i < network::classes; ++i) {
    const auto bar = [](float p) { return std::string(static_cast<std::size_t>(p * 20 + 0.5f), '#'); };
    std::printf("%-10s %6.4f %-25s %6.4f %s\n", names[i], static_cast<double>(clean[i]), bar(clean[i]).c_str(),
                static_cast<double>(defended[i]), bar(defended[i]).c_str());
  }
}

int run(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: quickstart WEIGHTS IMAGES LABELS [LEAST_ACCURACY]\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);

  // All that a user adds: the model, and its defense.
  const auto undefended = chaff::defend(std::ref(model), chaff::none{});
  const auto defended = chaff::defend(std::ref(model), defense);

  const Eigen::Index total = images.pixels.rows();
  int right_before = 0, right_after = 0, changed = 0, touched = 0;
  double l1 = 0;
  Eigen::Index sure = 0, unsure = 0;
  float highest = 0, lowest = 1;
  std::vector<Eigen::VectorXf> logits;
  for (Eigen::Index i = 0; i < total; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const Eigen::VectorXf clean = undefended(image);
    const Eigen::VectorXf answer = defended(image);
    const int truth = images.labels[static_cast<std::size_t>(i)];
    right_before += named(clean) == truth;
    right_after += named(answer) == truth;
    changed += named(clean) != named(answer);
    touched += (clean - answer).cwiseAbs().maxCoeff() > 1e-6f;
    l1 += static_cast<double>((clean - answer).lpNorm<1>());
    logits.push_back(model(image));
    const float confidence = clean.maxCoeff();
    if (confidence > highest) highest = confidence, sure = i;
    if (confidence < lowest) lowest = confidence, unsure = i;
  }
  const auto percent = [&](int n) { return 100.0 * n / static_cast<double>(total); };

  std::printf("chaff %d.%d.%d, dcp{.beta = %g, .gamma = %g, .tau = %g} on %ld test images of Fashion-MNIST\n\n",
              CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR, CHAFF_VERSION_PATCH, defense.beta, defense.gamma, defense.tau,
              static_cast<long>(total));
  std::printf("%-28s %12s %12s\n", "", "undefended", "defended");
  std::printf("%-28s %11.2f%% %11.2f%%\n", "accuracy", percent(right_before), percent(right_after));
  std::printf("%-28s %12d %12d\n", "labels changed", 0, changed);
  std::printf("%-28s %11.1f%% %11.1f%%\n", "answers touched", 0.0, percent(touched));
  std::printf("%-28s %12.4f %12.4f\n", "mean L1 from the posterior", 0.0, l1 / static_cast<double>(total));
  const auto time_of = [&](const auto& used) {
    return nanoseconds(logits, [&](const Eigen::VectorXf& row, Eigen::VectorXf& out) {
      chaff::apply(used, std::span<const float>(row.data(), network::classes),
                   std::span<float>(out.data(), network::classes));
    });
  };
  const double softmax = nanoseconds(logits, [](const Eigen::VectorXf& row, Eigen::VectorXf& out) {
    out = (row.array() - row.maxCoeff()).exp();
    out /= out.sum();
  });
  std::printf("%-28s %12.0f %12.0f   (a plain Eigen softmax: %.0f)\n", "nanoseconds an answer", time_of(chaff::none{}),
              time_of(defense), softmax);

  const auto show = [&](const char* title, Eigen::Index i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    show_bars(title, images.labels[static_cast<std::size_t>(i)], undefended(image), defended(image));
  };
  show("The surest answer goes out as it is", sure);
  show("The least sure answer names the same class, and tells little else", unsure);

  const double least = count > 4 ? std::strtod(arguments[4], nullptr) : 0;
  return changed == 0 && right_before == right_after && percent(right_before) >= least ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quickstart: %s\n", error.what());
    return 1;
  }
}
