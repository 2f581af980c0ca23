// SPDX-License-Identifier: MIT
/// Checks the statements of SECURITY.md about what an attacker can learn. Each of them names its test.
#include <gtest/gtest.h>

#include <Eigen/QR>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "support/guarantees.hpp"
#include "support/shared_defenses.hpp"

namespace {

/// A row of ten classes of which the first has probability p and the others share the rest, unequally.
std::vector<double> row_of_confidence(double p) {
  std::vector<double> z(10);
  double rest = 0;
  for (std::size_t i = 1; i < z.size(); ++i) rest += z[i] = static_cast<double>(i);
  for (std::size_t i = 1; i < z.size(); ++i) z[i] = std::log((1 - p) * z[i] / rest);
  z[0] = std::log(p);
  return z;
}

template <class Defense>
std::vector<double> answer_to(const Defense& defense, const std::vector<double>& z, const chaff::policy& policy = {}) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y, policy);
  return y;
}

TEST(Security, ClosedGateAnswersWithThePosteriorToTheLastBit) {
  const chaff::dcp defense{.beta = 0.6};
  for (double p = 0.65; p < 1; p += 0.01) {
    EXPECT_EQ(answer_to(defense, row_of_confidence(p)), answer_to(chaff::none{}, row_of_confidence(p))) << p;
  }
}

TEST(Security, ThresholdOfTheGateShowsInOutputsAsAJump) {
  const chaff::dcp defense{.beta = 0.6};
  double largest_jump = 0, found = 0, previous = answer_to(defense, row_of_confidence(0.3))[0];
  for (double p = 0.3; p < 0.99; p += 0.005) {
    const double current = answer_to(defense, row_of_confidence(p))[0];
    if (current - previous > largest_jump) {
      largest_jump = current - previous;
      found = p;
    }
    previous = current;
  }
  EXPECT_GT(largest_jump, 0.05);
  EXPECT_NEAR(found, defense.beta, 0.01);  // tau is beta
}

/// The largest ratio of one number to the next on the diagonal of R, in the pivoted QR decomposition of the rows'
/// logarithms, each row without its mean and each class without its mean, and how many numbers come before it. They
/// fall as singular values do.
std::pair<double, Eigen::Index> largest_drop(const std::vector<std::vector<float>>& rows) {
  Eigen::MatrixXd logs(rows.size(), rows[0].size());
  for (Eigen::Index i = 0; i < logs.rows(); ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < logs.cols(); ++j) logs(i, j) = std::log(double(row[static_cast<std::size_t>(j)]));
  }
  logs = (logs.colwise() - logs.rowwise().mean()).eval();
  logs = (logs.rowwise() - logs.colwise().mean()).eval();
  const Eigen::VectorXd values = Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(logs).matrixR().diagonal().cwiseAbs();
  std::pair<double, Eigen::Index> drop;  // centring leaves the last number at 0
  for (Eigen::Index i = 1; i + 1 < logs.cols(); ++i) {
    drop = (std::max)(drop, {values[i - 1] / (std::max)(values[i], 1e-12), i});
  }
  return drop;
}

TEST(Security, WidthOfTheLastLayerShowsWhereTheGateIsClosedAndNotWhereItIsOpen) {
  constexpr Eigen::Index width = 8, classes = 24;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto draw = [&] { return normal(random); };
  const Eigen::MatrixXf weights = Eigen::MatrixXf::NullaryExpr(width, classes, draw);
  const Eigen::RowVectorXf bias = Eigen::RowVectorXf::NullaryExpr(classes, draw);
  std::vector<std::vector<float>> closed, open, reversed;
  while (closed.size() < 60 || open.size() < 60) {
    const Eigen::RowVectorXf z = Eigen::RowVectorXf::NullaryExpr(width, draw) * weights + bias;
    const std::vector<float> logits(z.begin(), z.end());
    std::vector<float> posterior(logits.size()), answer(logits.size()), other(logits.size());
    chaff::apply(chaff::none{}, logits, posterior);
    chaff::apply(chaff::dcp{.beta = 0.7}, logits, answer);
    chaff::apply(chaff::reverse_sigmoid{}, logits, other);
    (answer == posterior ? closed : open).push_back(answer);
    reversed.push_back(other);
  }
  EXPECT_EQ(largest_drop(closed).second, width);
  EXPECT_GT(largest_drop(closed).first, 1e4);
  EXPECT_LT(largest_drop(open).first, 5);
  EXPECT_LT(largest_drop(reversed).first, 5);
}

TEST(Security, BetaAndGammaAreLearnedFromOutputsWhosePosteriorIsKnown) {
  const chaff::reverse_sigmoid defense{.beta = 0.83, .gamma = 0.27};
  std::vector<std::vector<double>> rows, outputs;
  for (const double p : {0.2, 0.35, 0.5, 0.7}) {
    rows.push_back(row_of_confidence(p));
    outputs.push_back(answer_to(defense, rows.back()));
  }
  long double smallest_distance = 1e9L;
  chaff::reverse_sigmoid found;
  for (int beta = 1; beta <= 150; ++beta) {
    for (int gamma = 1; gamma <= 50; ++gamma) {
      const chaff::reverse_sigmoid guess{.beta = beta / 100.0, .gamma = gamma / 100.0};
      long double distance = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) distance += reference::l1(answer_to(guess, rows[i]), outputs[i]);
      if (distance < smallest_distance) {
        smallest_distance = distance;
        found = guess;
      }
    }
  }
  EXPECT_EQ(found.beta, defense.beta);
  EXPECT_EQ(found.gamma, defense.gamma);
  EXPECT_LT(static_cast<double>(smallest_distance), 1e-9);
}

/// Calls visit(defense, policy, name) for each defense that has a key.
template <class Visit>
void for_each_keyed_defense(const chaff::key& key, Visit visit) {
  visit(chaff::random_vertex{.epsilon = 1, .key = key}, chaff::policy{}, "random_vertex");
  visit(chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, chaff::policy{}, "gaussian_noise");
  visit(chaff::misdirect{.key = key}, chaff::policy{.keep_label = false}, "misdirect");
}

TEST(Security, RepeatedReorderedAndBatchedQueriesGetTheSameKeyedNoise) {
  const auto rows = edge_case_rows<double>(17);
  for_each_keyed_defense(test_key, [&](const auto& defense, const chaff::policy& policy, const char* name) {
    std::vector<double> batch, reversed;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& from_the_end = rows[rows.size() - 1 - i].logits;
      batch.insert(batch.end(), rows[i].logits.begin(), rows[i].logits.end());
      reversed.insert(reversed.end(), from_the_end.begin(), from_the_end.end());
    }
    std::vector<double> batch_output(batch.size()), reversed_output(batch.size());
    chaff::apply_rows(defense, batch, 17, batch_output, policy);
    chaff::apply_rows(defense, reversed, 17, reversed_output, policy);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto alone = answer_to(defense, rows[i].logits, policy);
      EXPECT_EQ(answer_to(defense, rows[i].logits, policy), alone) << name;
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), &batch_output[i * 17])) << name;
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), &reversed_output[(rows.size() - 1 - i) * 17])) << name;
    }
  });
}

TEST(Security, QueriesWithLogitsInOneCellGetTheSameNoise) {
  std::vector<double> z(10, 1.0 / 64);
  z[0] = 1;  // a label so far ahead that its cap takes nothing from the noise of the others
  const auto noise_of = [](const std::vector<double>& row) {
    const auto noisy = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = test_key}, row);
    const auto clean = answer_to(chaff::none{}, row);
    std::vector<double> noise(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) noise[i] = noisy[i] - clean[i];
    return noise;
  };
  auto near = z, far = z;
  near[3] -= 0.4 / 64;
  far[3] -= 0.6 / 64;
  EXPECT_LT(static_cast<double>(reference::l1(noise_of(z), noise_of(near))), 1e-4);
  EXPECT_GT(static_cast<double>(reference::l1(noise_of(z), noise_of(far))), 1e-3);
}

/// The root mean square, over a few rows, of the noise in the mean output over n neighbours of a row.
double noise_of_mean(int n) {
  const double sigma = 0.001;
  double square = 0;
  int count = 0;
  for (int from = 0; from < 40; ++from) {
    std::vector<double> mean(10);
    for (int i = 0; i < n; ++i) {
      auto z = row_of_confidence(0.5);
      // the logit of an improbable class moves from cell to cell
      z[1] = -60 + (from * n + i) / 64.0;
      const auto noisy = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = test_key}, z);
      const auto clean = answer_to(chaff::none{}, z);
      for (std::size_t c = 0; c < z.size(); ++c) mean[c] += (noisy[c] - clean[c]) / n;
    }
    for (const std::size_t c : {0u, 5u, 6u, 7u, 8u, 9u}) {
      square += mean[c] * mean[c];
      ++count;
    }
  }
  return std::sqrt(square / count);
}

TEST(Security, AveragingNeighboursInOtherCellsDividesTheNoiseByTheRootOfTheirNumber) {
  EXPECT_NEAR(noise_of_mean(1) / noise_of_mean(16), 4, 0.8);
  EXPECT_NEAR(noise_of_mean(1) / noise_of_mean(36), 6, 1.5);
}

TEST(Security, MisdirectionIsOneTableThatKnownTrueLabelsReveal) {
  const chaff::misdirect defense{.key = test_key};
  const auto misdirected = [&](const std::vector<double>& z) {
    return argmax_by_scan(answer_to(defense, z, {.keep_label = false}));
  };
  for (std::size_t label = 0; label < 10; ++label) {
    auto z = row_of_confidence(0.4);
    std::swap(z[0], z[label]);
    auto other = row_of_confidence(0.9);
    std::swap(other[0], other[label]);
    EXPECT_EQ(misdirected(z), misdirected(other));
    EXPECT_NE(misdirected(z), label);
  }
}

TEST(Security, NoiseOfKeysOneBitApartIsUncorrelated) {
  const chaff::key other("5d2f8c1e9b7a4630f1e2d3c4b5a69789");
  double covariance = 0, variance = 0;
  for (int i = 0; i < 2000; ++i) {
    auto z = row_of_confidence(0.5);
    z[1] = -60 + i / 64.0;
    const auto clean = answer_to(chaff::none{}, z);
    const auto a = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = test_key}, z);
    const auto b = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = other}, z);
    covariance += (a[5] - clean[5]) * (b[5] - clean[5]);
    variance += (a[5] - clean[5]) * (a[5] - clean[5]);
  }
  EXPECT_LT(std::abs(covariance / variance), 0.09);  // four standard deviations of the correlation of 2,000 pairs
}

TEST(Security, ErrorShowsNoValueAndNoKeyAndLeavesNoPosteriorInTheOutput) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity}) {
    for (const auto& defense : every_defense<float>().keep_label) {
      // other rows come before the bad one, in blocks of a row per lane
      std::vector<float> z(10 * 40, 0.0f);
      for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<float>(i % 7) * 1.734375f;
      z[10 * 37 + 3] = bad;
      std::vector<float> y(z.size(), 7);
      try {
        defense->apply_rows(z, 10, y, {});
        ADD_FAILURE() << defense->name << " raised no error";
      } catch (const std::domain_error& error) {
        EXPECT_EQ(std::string(error.what()).find("1.73"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("3 of row 37"), std::string::npos) << error.what();
      }
      EXPECT_EQ(y, std::vector<float>(y.size())) << defense->name;
    }
  }
  try {
    static_cast<void>(chaff::key("5d2f8c1e9b7a4630f1e2d3c4b5a6978"));
    ADD_FAILURE() << "a key of 31 digits is accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find("5d2f"), std::string::npos);
  }
}

/// The nearest number with so many binary digits, ties to even, and no exponent below the smallest: a conversion to
/// float16 (11, -13) or bfloat16 (8, -125) and back.
double round_to_digits(double value, int digits, int min_exponent) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent, min_exponent) - digits);
  return std::nearbyint(value / unit) * unit;
}

template <class T>
double through_text(T value, int significant_digits) {
  std::array<char, 64> text{};
  const auto written = significant_digits == 0 ? std::to_chars(text.data(), text.data() + text.size(), value)
                                               : std::to_chars(text.data(), text.data() + text.size(), value,
                                                               std::chars_format::general, significant_digits);
  T read = 0;
  std::from_chars(text.data(), written.ptr, read);
  return static_cast<double>(read);
}

/// A rounding that a service may apply to an output, and the label_margin that SECURITY.md gives for it.
template <class T>
struct rounding {
  const char* name;
  double margin;
  double (*apply)(T);
};
template <class T>
const rounding<T> roundings[] = {
    {"JSON, shortest digits", 0, [](T value) { return through_text(value, 0); }},
    {"JSON, 6 digits", 2e-6, [](T value) { return through_text(value, 6); }},
    {"float16", 0.0005, [](T value) { return round_to_digits(static_cast<double>(value), 11, -13); }},
    {"bfloat16", 0.004, [](T value) { return round_to_digits(static_cast<double>(value), 8, -125); }},
    {"two decimals", 0.011, [](T value) { return std::nearbyint(static_cast<double>(value) * 100) / 100; }},
};

/// Whether the label is strictly first, and all entries are in [0, 1], after a rounding.
template <class T>
bool keeps_label(const std::vector<T>& z, const std::vector<T>& y, const rounding<T>& rounding) {
  const std::size_t k = argmax_by_scan(z);
  const double label = rounding.apply(y[k]);
  bool holds = true;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double rounded = rounding.apply(y[i]);
    holds = holds && rounded >= 0 && rounded <= 1 && (i == k || rounded < label);
  }
  return holds;
}

using types = testing::Types<float, double>;
template <class T>
struct RoundedOutputs : testing::Test {};
TYPED_TEST_SUITE(RoundedOutputs, types);
template <class T>
struct ConstantTimeGate : testing::Test {};
TYPED_TEST_SUITE(ConstantTimeGate, types);

TYPED_TEST(RoundedOutputs, KeepTheLabelWithTheMarginGivenForTheRounding) {
  using T = TypeParam;
  for (const auto& rounding : roundings<T>) {
    for (const std::size_t classes : {2u, 3u, 17u, 1000u}) {
      for (const auto& [name, z] : edge_case_rows<T>(classes)) {
        for (const auto& defense : every_defense<T>().keep_label) {
          std::vector<T> y(classes);
          defense->apply(z, y, {.label_margin = rounding.margin});
          EXPECT_TRUE(keeps_label(z, y, rounding))
              << rounding.name << ", " << defense->name << ", " << name << ", K " << classes;
        }
      }
    }
  }
}

TYPED_TEST(RoundedOutputs, LoseLabelsWithAQuarterOfThatMargin) {
  using T = TypeParam;
  for (const auto& rounding : roundings<T>) {
    if (rounding.margin == 0) continue;
    std::size_t lost = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::vector<T> z = {T(0), T(0), static_cast<T>(i) / -256};
      std::vector<T> y(3);
      chaff::apply(chaff::none{}, z, y, {.label_margin = rounding.margin / 4});
      lost += !keeps_label(z, y, rounding);
    }
    EXPECT_GT(lost, 0u) << rounding.name;
  }
}

TYPED_TEST(RoundedOutputs, OfTheReductionRoundedNeedNoMarginAndSumToOne) {
  using T = TypeParam;
  for (const auto& [name, z] : edge_case_rows<T>(17)) {
    std::vector<T> y(17);
    chaff::apply(chaff::dcp{.beta = 1.2} | chaff::rounded{.decimals = 2}, z, y);
    double sum = 0;
    for (const T value : y) sum += std::nearbyint(static_cast<double>(value) * 100) / 100;
    EXPECT_TRUE(keeps_label(z, y, roundings<T>[4])) << name;
    EXPECT_NEAR(sum, 1, 1e-12) << name;
  }
}

TYPED_TEST(ConstantTimeGate, OutputHasTheSameBitsAsWithout) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 10u, 17u, 1000u}) {
    const auto rows = edge_case_rows<T>(classes);
    std::vector<T> batch;
    for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
    for (const auto& defense : every_defense<T>().keep_label + every_defense<T>().change_label) {
      for (chaff::policy policy :
           {chaff::policy{}, chaff::policy{.label_margin = 0.1}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3},
            chaff::policy{.max_l1 = 0.3}, chaff::policy{.keep_label = false},
            chaff::policy{.keep_label = false, .max_l1 = 0.5}}) {
        if (!defense->accepts(policy)) continue;
        std::vector<T> y(batch.size()), constant(batch.size()), alone(classes);
        defense->apply_rows(batch, classes, y, policy);
        policy.constant_time_gate = true;
        defense->apply_rows(batch, classes, constant, policy);
        ASSERT_EQ(std::memcmp(constant.data(), y.data(), y.size() * sizeof(T)), 0)
            << defense->name << ", K " << classes << ", " << describe(policy);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          defense->apply(rows[i].logits, alone, policy);
          ASSERT_EQ(std::memcmp(alone.data(), &constant[i * classes], classes * sizeof(T)), 0)
              << defense->name << ", K " << classes << ", " << describe(policy) << ", " << rows[i].name;
        }
      }
    }
  }
}

TEST(Security, ConstantTimeGateCallsTheDecoyWhereItIsClosedToo) {
  int calls = 0;
  const auto decoy = [&calls](const std::vector<float>& z) {
    ++calls;
    return z;
  };
  const auto model = [](const std::vector<float>& z) { return z; };
  const auto defense = chaff::adaptive_misinformation(decoy, {.tau = 0.5});
  static_cast<void>(chaff::defend(model, defense)(std::vector<float>{9, 0, 0}));
  EXPECT_EQ(calls, 0);
  static_cast<void>(chaff::defend(model, defense, {.constant_time_gate = true})(std::vector<float>{9, 0, 0}));
  EXPECT_EQ(calls, 1);
}

}  // namespace
