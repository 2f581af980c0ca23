// SPDX-License-Identifier: MIT
/// Classifies real images with and without the defense, and shows its effect on the answers and its cost.
///
/// quickstart WEIGHTS IMAGES LABELS [MIN_ACCURACY]
/// Exits with 1 where an answer's label changed, or where the accuracy in percent is below MIN_ACCURACY.
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

/// The label that an answer predicts.
int predicted_label(const Eigen::VectorXf& answer) {
  Eigen::Index label = 0;
  answer.maxCoeff(&label);
  return static_cast<int>(label);
}

/// Nanoseconds per answer, the median of 21 runs over all rows.
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
    const std::chrono::duration<double, std::nano> duration = std::chrono::steady_clock::now() - start;
    times.push_back(duration.count() / static_cast<double>(logits.size()));
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return sink >= 0 ? times[10] : 0;
}

void show_bars(const char* title, int label, const Eigen::VectorXf& clean, const Eigen::VectorXf& defended) {
  std::printf("\n%s (it is a %s)\n%-10s %-32s %s\n", title, names[label], "", "undefended", "defended");
  for (int i = 0; i < network::classes; ++i) {
    const auto bar = [](float p) { return std::string(static_cast<std::size_t>(p * 20 + 0.5f), '#'); };
    std::printf("%-10s %6.4f %-25s %6.4f %s\n", names[i], static_cast<double>(clean[i]), bar(clean[i]).c_str(),
                static_cast<double>(defended[i]), bar(defended[i]).c_str());
  }
}

int run(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: quickstart WEIGHTS IMAGES LABELS [MIN_ACCURACY]\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);

  // A user adds these lines alone: the model, and its defense.
  const auto undefended = chaff::defend(std::ref(model), chaff::none{});
  const auto defended = chaff::defend(std::ref(model), defense);

  const Eigen::Index total = images.pixels.rows();
  int correct_undefended = 0, correct_defended = 0, label_changes = 0, perturbed = 0;
  double l1 = 0;
  Eigen::Index most_confident = 0, least_confident = 0;
  float highest = 0, lowest = 1;
  std::vector<Eigen::VectorXf> logits;
  for (Eigen::Index i = 0; i < total; ++i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    const Eigen::VectorXf clean = undefended(image);
    const Eigen::VectorXf answer = defended(image);
    const int label = images.labels[static_cast<std::size_t>(i)];
    correct_undefended += predicted_label(clean) == label;
    correct_defended += predicted_label(answer) == label;
    label_changes += predicted_label(clean) != predicted_label(answer);
    perturbed += (clean - answer).cwiseAbs().maxCoeff() > 1e-6f;
    l1 += static_cast<double>((clean - answer).lpNorm<1>());
    logits.push_back(model(image));
    const float confidence = clean.maxCoeff();
    if (confidence > highest) highest = confidence, most_confident = i;
    if (confidence < lowest) lowest = confidence, least_confident = i;
  }
  const auto percent = [&](int n) { return 100.0 * n / static_cast<double>(total); };

  std::printf("chaff %d.%d.%d, %s on %ld test images of Fashion-MNIST\n\n", CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR,
              CHAFF_VERSION_PATCH, chaff::to_string(defense).c_str(), static_cast<long>(total));
  std::printf("%-28s %12s %12s\n", "", "undefended", "defended");
  std::printf("%-28s %11.2f%% %11.2f%%\n", "accuracy", percent(correct_undefended), percent(correct_defended));
  std::printf("%-28s %12d %12d\n", "label changes", 0, label_changes);
  std::printf("%-28s %11.1f%% %11.1f%%\n", "rows perturbed", 0.0, percent(perturbed));
  std::printf("%-28s %12.4f %12.4f\n", "mean L1 from the posterior", 0.0, l1 / static_cast<double>(total));
  const auto time_of = [&](const auto& any_defense) {
    return nanoseconds(logits, [&](const Eigen::VectorXf& row, Eigen::VectorXf& out) {
      chaff::apply(any_defense, std::span<const float>(row.data(), network::classes),
                   std::span<float>(out.data(), network::classes));
    });
  };
  const double softmax = nanoseconds(logits, [](const Eigen::VectorXf& row, Eigen::VectorXf& out) {
    out = (row.array() - row.maxCoeff()).exp();
    out /= out.sum();
  });
  std::printf("%-28s %12.0f %12.0f   (a plain Eigen softmax: %.0f)\n", "nanoseconds per answer", time_of(chaff::none{}),
              time_of(defense), softmax);

  const auto show = [&](const char* title, Eigen::Index i) {
    const Eigen::VectorXf image = images.pixels.row(i);
    show_bars(title, images.labels[static_cast<std::size_t>(i)], undefended(image), defended(image));
  };
  show("The most confident answer is the exact posterior", most_confident);
  show("The least confident answer predicts the same class, and its other probabilities are perturbed",
       least_confident);

  const double min_accuracy = count > 4 ? std::strtod(arguments[4], nullptr) : 0;
  return label_changes == 0 && correct_undefended == correct_defended && percent(correct_undefended) >= min_accuracy
             ? 0
             : 1;
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
