// SPDX-License-Identifier: MIT
/// Every defense and every reduction on the answers of one network, side by side: what each costs benign users.
///
/// Where text can hold a defense, its line ends with that text, which any program of the library takes.
///
/// defenses WEIGHTS IMAGES LABELS
/// Exits with 1 where a defense that keeps labels changed one, or a defense that changes labels changed none.
#include <chaff/chaff.hpp>
#include <cstdio>
#include <exception>
#include <random>
#include <string>

#include "quickstart/images.hpp"
#include "quickstart/network.hpp"

namespace {

using image = Eigen::VectorXf;
using logits = Eigen::VectorXf;

/// A linear layer on the pixels with random weights: MAD and GRAD^2 are often given a surrogate that was never trained.
class random_layer {
 public:
  random_layer() {
    std::mt19937 random(1);
    std::normal_distribution<float> draw(0, 0.1f);
    weights_ =
        Eigen::MatrixXf::NullaryExpr(network::classes, network::side * network::side, [&] { return draw(random); });
  }

  logits operator()(const image& x) const { return weights_ * x; }

  /// The Jacobian of the logarithms of its posterior s in its weights: row i, (e_i - s) (x) x.
  Eigen::MatrixXf jacobian(const image& x) const {
    const logits z = (*this)(x);
    logits s(z.size());
    chaff::softmax<float>(std::span<const float>(z.data(), network::classes),
                          std::span<float>(s.data(), network::classes));
    Eigen::MatrixXf g(network::classes, network::classes * x.size());
    for (Eigen::Index i = 0; i < network::classes; ++i) {
      for (Eigen::Index c = 0; c < network::classes; ++c) {
        g.row(i).segment(c * x.size(), x.size()) = ((i == c ? 1 : 0) - s[c]) * x.transpose();
      }
    }
    return g;
  }

 private:
  Eigen::MatrixXf weights_;
};

struct sheet {
  const network& model;
  const labelled_images& images;
  std::vector<float> clean = {};
  bool as_expected = true;

  /// Answers all images under the defense of a text, and prints a line of figures with its canonical text.
  void add(const std::string& text, const chaff::policy& policy = {}) {
    const chaff::any_defense defense = chaff::parse_defense(text);
    add(to_string(defense), defense, policy);
  }

  /// Answers all images under a defense that text cannot hold, and prints a line of figures with this name.
  template <class Defense>
  void add(const std::string& name, const Defense& defense, const chaff::policy& policy = {}) {
    const auto model_with_defense = chaff::defend(std::ref(model), defense, policy);
    std::vector<float> answers;
    for (Eigen::Index i = 0; i < images.pixels.rows(); ++i) {
      const logits answer = model_with_defense(image(images.pixels.row(i)));
      answers.insert(answers.end(), answer.data(), answer.data() + answer.size());
    }
    if (clean.empty()) clean = answers;
    constexpr std::size_t classes = network::classes;
    const std::size_t rows = answers.size() / classes;
    std::size_t correct = 0, perturbed = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto row = std::span<const float>(answers).subspan(i * classes, classes);
      correct += chaff::argmax(row) == static_cast<std::size_t>(images.labels[i]);
      perturbed += chaff::l1_distance(row, std::span<const float>(clean).subspan(i * classes, classes)) >
                   chaff::min_perturbed_l1;
    }
    const double agreement = chaff::label_agreement(clean, answers, classes);
    std::printf("%8.2f %8.2f %8.1f %8.4f %8.4f %8.3f %8.4f  %s\n",
                100.0 * static_cast<double>(correct) / static_cast<double>(rows), 100 * (1 - agreement),
                100.0 * static_cast<double>(perturbed) / static_cast<double>(rows),
                chaff::l1_distance(answers, clean, classes), chaff::jensen_shannon(answers, clean, classes),
                chaff::top_k_agreement(answers, clean, classes, 3),
                chaff::expected_calibration_error(answers, classes, images.labels), name.c_str());
    as_expected &= policy.keep_label == (agreement == 1);
  }
};

/// A codebook of what the model returns for every other image. A codebook for production is made of images of its own.
chaff::codebook codebook_of_half(const network& model, const labelled_images& images) {
  std::vector<float> rows;
  for (Eigen::Index i = 0; i < images.pixels.rows(); i += 2) {
    const logits row = model(image(images.pixels.row(i)));
    rows.insert(rows.end(), row.data(), row.data() + row.size());
  }
  return chaff::codebook_of(rows, network::classes, {.epsilon = 1});
}

int run(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: defenses WEIGHTS IMAGES LABELS\n");
    return 2;
  }
  const network model(arguments[1]);
  const labelled_images images(arguments[2], arguments[3]);
  const random_layer layer;

  // All replicas of a service share one secret key. A key in source code, like this one, is not secret.
  const std::string key = "key=5468697320697320616e206578616d70";
  // A decoy that is wrong where the model is right. A decoy for production is trained to be wrong.
  const auto wrong = [&](const image& x) -> logits { return -model(x); };
  const auto surrogate = chaff::last_layer{std::cref(layer)};
  const auto jacobian = chaff::jacobian{[&](const image& x) { return layer.jacobian(x); }};
  std::vector<double> target(static_cast<std::size_t>(network::classes * network::side * network::side));
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = i % 3 == 0 ? 1 : -0.5;
  const auto gradient = chaff::redirection{[&](const image& x) {
    return logits(layer.jacobian(x) *
                  Eigen::Map<Eigen::VectorXd>(target.data(), static_cast<Eigen::Index>(target.size())).cast<float>());
  }};
  const chaff::policy relabel{.keep_label = false};

  std::printf("chaff %d.%d.%d on %ld test images of Fashion-MNIST; the posterior is the answer of `none`\n\n",
              CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR, CHAFF_VERSION_PATCH, static_cast<long>(images.pixels.rows()));
  std::printf("%8s %8s %8s %8s %8s %8s %8s  defense\n", "accuracy", "changes", "perturb.", "L1", "JS", "top 3", "ECE");
  std::printf("%8s %8s %8s %8s %8s %8s\n", "%", "%", "%", "mean", "mean", "agree");

  sheet all{model, images};
  all.add("none");
  all.add("reverse_sigmoid(beta=0.32)");
  all.add("dcp(beta=0.9)");
  all.add("dcp(beta=1.2)");
  all.add("dcp(beta=1.2, rule=exact)");
  all.add("energy_dcp(tau=5)");
  all.add("decoy", chaff::decoy{wrong});
  all.add("adaptive_misinformation, tau 0.9", chaff::adaptive_misinformation(wrong, {.tau = 0.9}));
  all.add("random_vertex(epsilon=1, " + key + ")");
  all.add("modelguard_w(epsilon=1)");
  all.add("codebook of every other image, epsilon 1", codebook_of_half(model, images));
  all.add("mad, last layer, epsilon 1", chaff::mad{surrogate, 1.0});
  all.add("mad, last layer, epsilon 1, argmax kept", chaff::mad{surrogate, 1.0, true});
  all.add("mad, jacobian, epsilon 1", chaff::mad{jacobian, 1.0});
  all.add("gradient_redirection, jacobian, epsilon 1", chaff::gradient_redirection{jacobian, 1.0, target});
  all.add("gradient_redirection, redirection, epsilon 1", chaff::gradient_redirection{gradient, 1.0});
  all.add("gated(energy_gate(tau=3.5), misdirect(" + key + "))", relabel);
  all.add("gated(confidence_gate(tau=0.45), misdirect(" + key + "))", relabel);
  std::puts("");
  for (const char* reduction : {"top_k(k=3)", "rounded(decimals=2)", "label_only", "high_confidence(cutoff=0.25)"}) {
    all.add(std::string("none | ") + reduction);
  }
  all.add("none | gaussian_noise(sigma=0.2, " + key + ")");
  all.add("dcp(beta=1.2) | top_k(k=3) | rounded(decimals=2)");
  return all.as_expected ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "defenses: %s\n", error.what());
    return 1;
  }
}
