// SPDX-License-Identifier: MIT
/// Compares a codebook, and how it is made of rows, with searches in double that are written here.
#include <gtest/gtest.h>

#include <chaff/core.hpp>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "support/reference.hpp"

namespace {

constexpr double not_near = std::numeric_limits<double>::infinity();

template <class T>
std::vector<T> answer(const chaff::codebook& book, const std::vector<T>& row, const chaff::policy& policy = {}) {
  std::vector<T> y(row.size());
  chaff::apply(book, row, y, policy);
  return y;
}

template <class T>
std::vector<T> answer_of_posterior(const chaff::codebook& book, const std::vector<T>& p) {
  return answer(book, p, {.keep_label = false, .input = chaff::form::probabilities});
}

template <class T>
std::vector<double> posterior(const std::vector<T>& z) {
  const auto p = reference::softmax(z);
  return {p.begin(), p.end()};
}

template <class V>
std::size_t label_of(const V& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

template <class A, class B>
double l1(const A& a, const B& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum;
}

/// The answer of a codebook, computed in double; none where a distance is so close to epsilon that rounding decides.
std::optional<std::vector<double>> answer_in_double(const std::vector<std::vector<float>>& centroids,
                                                    const std::vector<double>& p, double epsilon) {
  const std::size_t label = label_of(p);
  std::vector<double> nearest(p.size());
  nearest[label] = 1;
  double distance = not_near;
  for (const auto& each : centroids) {
    if (label_of(each) != label) continue;
    const double d = l1(each, p);
    if (std::abs(d - epsilon) < 1e-5) return {};
    if (std::abs(d - distance) < 1e-5 && distance > epsilon) return {};
    if (distance > epsilon && (d <= epsilon || d < distance)) {
      nearest.assign(each.begin(), each.end());
      distance = d;
    }
  }
  if (distance == not_near) distance = l1(nearest, p);
  const double a = distance <= epsilon ? 1 : epsilon / distance;
  for (std::size_t i = 0; i < p.size(); ++i) nearest[i] = p[i] + a * (nearest[i] - p[i]);
  return nearest;
}

/// Random centroids, some close to others, of some labels more than of others and of the last label none.
std::vector<std::vector<float>> some_centroids(std::mt19937& random, std::size_t classes, std::size_t count) {
  std::normal_distribution<double> normal;
  std::vector<std::vector<float>> centroids;
  while (centroids.size() < count) {
    std::vector<double> z(classes);
    for (double& each : z) each = 3 * normal(random);
    z[random() % classes] += 4;
    const std::vector<double> p = posterior(z);
    if (label_of(p) != classes - 1) centroids.emplace_back(p.begin(), p.end());
  }
  return centroids;
}

std::vector<float> flat(const std::vector<std::vector<float>>& rows) {
  std::vector<float> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

template <class T>
struct Codebook : testing::Test {
  static constexpr double unit = static_cast<double>(std::numeric_limits<T>::epsilon());

  static std::vector<T> some_logits(std::mt19937& random, std::size_t classes, double scale = 3) {
    std::normal_distribution<double> normal;
    std::vector<T> z(classes);
    for (T& each : z) each = static_cast<T>(scale * normal(random));
    return z;
  }
};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(Codebook, types);

TYPED_TEST(Codebook, AgreesWithASearchInDouble) {
  std::mt19937 random(1);
  std::size_t compared = 0, exact = 0;
  for (const std::size_t classes : {2u, 3u, 7u, 10u, 33u, 100u, 1000u, 1025u, 2500u}) {
    for (const double epsilon : {0.05, 0.5, 1.0, 2.0}) {
      const auto centroids = some_centroids(random, classes, 40);
      const chaff::codebook book(flat(centroids), classes, epsilon);
      for (int i = 0; i < 25; ++i) {
        std::vector<TypeParam> z = this->some_logits(random, classes);
        if (i % 2 == 0) {  // near a centroid
          const auto& near = centroids[random() % centroids.size()];
          for (std::size_t c = 0; c < classes; ++c) {
            z[c] = static_cast<TypeParam>(std::log(static_cast<double>(near[c]) + 1e-9) + 0.01 * double(z[c]));
          }
        }
        const std::vector<double> p = posterior(z);
        const auto expected = answer_in_double(centroids, p, epsilon);
        if (!expected) continue;
        ++compared;
        exact += l1(*expected, p) < epsilon - 1e-9;
        // a centroid is a float; the distance has 64 units of rounding, which the share of the way inherits
        const auto y = answer(book, z, {.keep_label = false});
        EXPECT_LE(l1(y, *expected), 128 * this->unit + 4e-7) << classes << " " << epsilon << " " << i;
      }
    }
  }
  EXPECT_GT(compared, 750u);
  EXPECT_GT(exact, 250u);
}

TYPED_TEST(Codebook, AnswersWithTheFirstCentroidWithinEpsilonNotWithTheNearest) {
  using T = TypeParam;
  const std::vector<float> far{0.75f, 0.125f, 0.125f}, near{0.5f, 0.375f, 0.125f};
  const std::vector<T> p{T(0.5), T(0.375), T(0.125)};
  EXPECT_EQ(answer_of_posterior(chaff::codebook(flat({far, near}), 3), p), std::vector<T>(far.begin(), far.end()));
  EXPECT_EQ(answer_of_posterior(chaff::codebook(flat({near, far}), 3), p), std::vector<T>(near.begin(), near.end()));
}

TYPED_TEST(Codebook, TakesACentroidAtExactlyEpsilon) {
  using T = TypeParam;
  const std::vector<T> p{T(0.5), T(0.25), T(0.25)};
  const std::vector<float> at_epsilon{0.75f, 0.25f, 0}, nearer{0.5f, 0.375f, 0.125f};
  EXPECT_EQ(answer_of_posterior(chaff::codebook(flat({at_epsilon, nearer}), 3, 0.5), p),
            (std::vector<T>{T(0.75), T(0.25), 0}));
}

TYPED_TEST(Codebook, MovesByEpsilonTowardsTheNearestCentroidAndOfEquallyNearOnesTheFirst) {
  using T = TypeParam;
  const std::vector<T> p{T(0.5), T(0.25), T(0.25)};
  const std::vector<float> a{0.75f, 0.25f, 0}, b{0.75f, 0, 0.25f}, farther{1, 0, 0};
  EXPECT_EQ(answer_of_posterior(chaff::codebook(flat({farther, a, b}), 3, 0.25), p),
            (std::vector<T>{T(0.625), T(0.25), T(0.125)}));
  EXPECT_EQ(answer_of_posterior(chaff::codebook(flat({farther, b, a}), 3, 0.25), p),
            (std::vector<T>{T(0.625), T(0.125), T(0.25)}));
}

TYPED_TEST(Codebook, MovesTowardsOneHotWhereTheLabelHasNoCentroid) {
  using T = TypeParam;
  const std::vector<T> p{T(0.25), T(0.5), T(0.25)};
  const std::vector<float> of_another_label{1, 0, 0};
  for (const auto& centroids : {std::vector<float>{}, of_another_label}) {
    // |e_1 - p|_1 = 1
    EXPECT_EQ(answer_of_posterior(chaff::codebook(centroids, 3, 0.5), p),
              (std::vector<T>{T(0.125), T(0.75), T(0.125)}));
    EXPECT_EQ(answer_of_posterior(chaff::codebook(centroids, 3, 1), p), (std::vector<T>{0, 1, 0}));
    EXPECT_EQ(answer_of_posterior(chaff::codebook(centroids, 3, 2), p), (std::vector<T>{0, 1, 0}));
  }
}

TYPED_TEST(Codebook, KeepsTheLabelAndTheBudget) {
  std::mt19937 random(2);
  for (const std::size_t classes : {2u, 5u, 10u, 64u, 1000u, 1500u}) {
    for (const double epsilon : {0.01, 0.3, 1.0, 2.0}) {
      const chaff::codebook book(flat(some_centroids(random, classes, 30)), classes, epsilon);
      for (int i = 0; i < 30; ++i) {
        const auto z = this->some_logits(random, classes, i % 3 == 0 ? 0.01 : 3);
        const std::vector<double> p = posterior(z);
        const auto free = answer(book, z, {.keep_label = false});
        EXPECT_EQ(label_of(free), label_of(p)) << classes << " " << epsilon << " " << i;
        // distances have 64 units of rounding, and a sum of a centroid of floats is so close to 1
        EXPECT_LE(l1(free, p), epsilon + 128 * this->unit + 2e-6) << classes << " " << epsilon << " " << i;
        const auto kept = answer(book, z);
        EXPECT_EQ(label_of(kept), label_of(p));
        EXPECT_LE(l1(kept, p), epsilon + 1.0 / 32) << "the label cap adds 1/32";
        const auto within = answer(book, z, {.max_l1 = 0.2});
        EXPECT_LE(l1(within, p), 0.2 + 1e-6);
      }
    }
  }
}

TYPED_TEST(Codebook, GivesMaskedClassesNothingAndKeepsTheBudget) {
  using T = TypeParam;
  const T masked = -std::numeric_limits<T>::infinity();
  const chaff::codebook book({0.5f, 0.25f, 0.25f}, 3, 1);
  const std::vector<T> z{1, 0, masked};
  const auto y = answer(book, z, {.keep_label = false});
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(static_cast<double>(y[0]), 2.0 / 3, 4 * this->unit);
  EXPECT_LE(l1(y, posterior(z)), 1);
}

TYPED_TEST(Codebook, IsTheSameForLogitsLogarithmsAndProbabilities) {
  using T = TypeParam;
  std::mt19937 random(3);
  for (const std::size_t classes : {4u, 50u, 1300u}) {
    const chaff::codebook book(flat(some_centroids(random, classes, 30)), classes, 0.5);
    for (int i = 0; i < 20; ++i) {
      const auto z = this->some_logits(random, classes);
      std::vector<T> p(classes), log_p(classes);
      chaff::apply(chaff::none{}, z, p, {.keep_label = false});
      chaff::apply(chaff::none{}, z, log_p, {.keep_label = false, .answer = chaff::form::log_probabilities});
      const auto y = answer(book, z);
      EXPECT_LE(l1(answer(book, p, {.input = chaff::form::probabilities}), y), 2000 * this->unit);
      EXPECT_LE(l1(answer(book, log_p, {.input = chaff::form::log_probabilities}), y), 2000 * this->unit);
    }
  }
}

TYPED_TEST(Codebook, AnswersTheSameBitsInAnyOrderAndFromTwoThreads) {
  using T = TypeParam;
  constexpr std::size_t classes = 20, rows = 200;
  std::mt19937 random(4);
  const chaff::codebook book(flat(some_centroids(random, classes, 50)), classes, 0.5);
  std::vector<T> z;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = this->some_logits(random, classes);
    z.insert(z.end(), row.begin(), row.end());
  }
  std::vector<T> forwards(z.size()), backwards(z.size());
  const auto answer_row = [&](std::size_t i, std::vector<T>& y) {
    chaff::apply(book, std::span<const T>(z).subspan(i * classes, classes), std::span(y).subspan(i * classes, classes));
  };
  std::thread other([&] {
    for (std::size_t i = rows; i-- > 0;) answer_row(i, backwards);
  });
  for (std::size_t i = 0; i < rows; ++i) answer_row(i, forwards);
  other.join();
  EXPECT_EQ(std::memcmp(forwards.data(), backwards.data(), z.size() * sizeof(T)), 0);
}

/// The number of different answers, bit for bit.
template <class T>
std::size_t count_different(const std::vector<T>& outputs, std::size_t classes) {
  std::set<std::string> different;
  for (std::size_t i = 0; i < outputs.size(); i += classes) {
    different.emplace(reinterpret_cast<const char*>(&outputs[i]), classes * sizeof(T));
  }
  return different.size();
}

TYPED_TEST(Codebook, HasNoMoreAnswersThanCentroidsForTheRowsThatItWasMadeOf) {
  using T = TypeParam;
  std::mt19937 random(5);
  for (const std::size_t classes : {2u, 10u, 100u, 1100u}) {
    const std::size_t rows = classes > 100 ? 200 : 2000;
    std::vector<T> z;
    for (std::size_t i = 0; i < rows; ++i) {  // around 40 rows
      const auto row = i < 40 ? this->some_logits(random, classes) : this->some_logits(random, classes, 0.2);
      for (std::size_t c = 0; c < classes; ++c) z.push_back(row[c] + (i < 40 ? 0 : z[i % 40 * classes + c]));
    }
    for (const double epsilon : {0.5, 1.0, 1.5}) {
      const auto book = chaff::codebook_of(z, classes, {.epsilon = epsilon, .max_per_label = rows});
      const std::size_t centroids = book.centroids().size() / classes;
      EXPECT_LT(centroids, rows) << classes << " " << epsilon;
      for (const chaff::policy& policy :
           {chaff::policy{}, chaff::policy{.keep_label = false}, chaff::policy{.label_margin = 0.1},
            chaff::policy{.answer = chaff::form::log_probabilities}}) {
        std::vector<T> y(z.size());
        chaff::apply_rows(book, z, classes, y, policy);
        EXPECT_LE(count_different(y, classes), centroids) << classes << " " << epsilon;
      }
    }
  }
}

/// The pass over the rows in double: the indices of the rows that become centroids, by label.
template <class T>
std::vector<std::vector<std::size_t>> rows_taken(const std::vector<std::vector<T>>& rows, double epsilon,
                                                 std::size_t max_per_label) {
  std::vector<std::vector<std::size_t>> taken(rows[0].size());
  std::vector<std::vector<double>> p;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    p.push_back(posterior(rows[i]));
    auto& of_label = taken[label_of(rows[i])];
    bool is_near = of_label.size() == max_per_label;
    for (const std::size_t other : of_label) is_near = is_near || l1(p[i], p[other]) <= epsilon;
    if (!is_near) of_label.push_back(i);
  }
  return taken;
}

TYPED_TEST(Codebook, IsMadeByAPassThatTakesEachRowThatNoCentroidIsNearTo) {
  using T = TypeParam;
  std::mt19937 random(6);
  for (const std::size_t classes : {2u, 10u, 40u}) {
    for (const std::size_t max_per_label : {1u, 3u, 256u}) {
      std::vector<std::vector<T>> rows(500);
      std::vector<T> all;
      for (auto& row : rows) {
        row = this->some_logits(random, classes);
        all.insert(all.end(), row.begin(), row.end());
      }
      const auto book = chaff::codebook_of(all, classes, {.epsilon = 0.6, .max_per_label = max_per_label});
      const auto taken = rows_taken(rows, 0.6, max_per_label);
      for (std::size_t label = 0; label < classes; ++label) {
        const auto centroids = book.centroids_of(label);
        ASSERT_EQ(centroids.size(), taken[label].size() * classes) << classes << " " << label;
        for (std::size_t i = 0; i < taken[label].size(); ++i) {
          EXPECT_LE(l1(centroids.subspan(i * classes, classes), posterior(rows[taken[label][i]])), 4e-6);
        }
      }
    }
  }
}

TYPED_TEST(Codebook, OfRowsReadsThemInTheFormOfThePolicy) {
  using T = TypeParam;
  const std::vector<T> p{T(0.5), T(0.25), T(0.25), T(0.1), T(0.8), T(0.1)};
  const auto of_p = chaff::codebook_of(p, 3, {}, {.label_margin = 0.9, .input = chaff::form::probabilities});
  EXPECT_EQ(of_p.centroids().size(), 6u);
  EXPECT_LE(l1(of_p.centroids(), p), 1e-6);
  std::vector<T> log_p;
  for (const T each : p) log_p.push_back(std::log(each));
  const auto of_log_p = chaff::codebook_of(log_p, 3, {}, {.input = chaff::form::log_probabilities});
  EXPECT_LE(l1(of_log_p.centroids(), p), 1e-6);
}

TYPED_TEST(Codebook, KeepsCentroidsOfTiesUnderTheirLabel) {
  using T = TypeParam;
  // Class 2 leads, by so little that the posterior does not show it in float.
  const std::vector<T> z{T(1), T(0), std::nextafter(T(1), T(2)), T(1)};
  const auto book = chaff::codebook_of(z, 4, {.epsilon = 0.01});
  EXPECT_EQ(book.centroids_of(2).size(), 4u);
  EXPECT_EQ(label_of(answer(book, z)), 2u);
  const auto of_equals = chaff::codebook_of(std::vector<T>(5), 5);
  EXPECT_EQ(of_equals.centroids_of(0).size(), 5u);
}

TYPED_TEST(Codebook, OfSigmoidLogitsHasTwoClasses) {
  using T = TypeParam;
  const std::vector<T> z{2, T(2.1), -3, T(-3.2), T(0.1)};
  const auto book = chaff::codebook_of(z, 1, {.epsilon = 0.2});
  EXPECT_EQ(book.classes(), 2u);
  EXPECT_EQ(book.centroids_of(0).size(), 4u) << "for 2 and for 0.1";
  EXPECT_EQ(book.centroids_of(1).size(), 2u) << "for -3";
  std::vector<T> y(z.size());
  chaff::apply_rows(book, z, 1, y);
  EXPECT_EQ(y[0], y[1]);
  EXPECT_EQ(y[2], y[3]);
  EXPECT_NEAR(static_cast<double>(y[0]), 1 / (1 + std::exp(-2.0)), 1e-6);
}

TYPED_TEST(Codebook, RefusesOpenRowsOfAnotherNumberOfClasses) {
  using T = TypeParam;
  const chaff::codebook book({0.5f, 0.25f, 0.25f}, 3);
  std::vector<T> y{1, 2, 3, 4};
  try {
    chaff::apply(book, y, y);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "chaff: the codebook has centroids of 3 classes, but the row has 4");
  }
  EXPECT_EQ(y, std::vector<T>(4)) << "the output is zeroed";
  const auto closed = [](const auto&) { return 0.0; };
  EXPECT_NO_THROW(chaff::apply(chaff::gated{closed, book}, std::vector<T>{1, 2, 3, 4}, y));
}

std::string error_of(const auto& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(CodebookErrors, NameWhatIsWrongWithTheTable) {
  const auto of = [](std::vector<float> centroids, std::size_t classes, double epsilon = 1) {
    return error_of([&] { chaff::codebook(centroids, classes, epsilon); });
  };
  EXPECT_EQ(of({0.5f, 0.5f}, 2), "none");
  EXPECT_EQ(of({}, 2), "none");
  EXPECT_EQ(of({1, 0}, 2, 2), "none");
  EXPECT_EQ(of({0.50004f, 0.5f}, 2), "none");
  for (const double epsilon : {0.0, -1.0, 2.001, std::nan(""), not_near}) {
    EXPECT_NE(of({1, 0}, 2, epsilon).find("chaff: epsilon of a codebook is "), std::string::npos) << epsilon;
  }
  EXPECT_EQ(of({1, 0}, 2, 0), "chaff: epsilon of a codebook is 0, allowed is more than 0, up to 2");
  EXPECT_EQ(of({}, 0), "chaff: a codebook has centroids of 0 classes, allowed is 2 or more");
  EXPECT_EQ(of({1}, 1), "chaff: a codebook has centroids of 1 classes, allowed is 2 or more");
  EXPECT_EQ(of({1, 0, 0}, 2),
            "chaff: a codebook has 3 entries, which are not a whole number of centroids of 2 classes");
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  for (const std::vector<float>& bad : {std::vector<float>{nan, 1},
                                        {1, nan},
                                        {infinity, 0},
                                        {infinity, -infinity},
                                        {1.5f, -0.5f},
                                        {0.5f, 0.4998f},
                                        {0.5f, 0.5002f},
                                        {0, 0},
                                        {2, 1}}) {
    EXPECT_EQ(of(flat({{1, 0}, bad}), 2),
              "chaff: centroid 1 of a codebook is no distribution: its entries are 0 or more and sum to 1 within 1e-4");
  }
}

TEST(CodebookErrors, NameWhatIsWrongWithTheRows) {
  const auto of = [](std::vector<float> rows, std::size_t classes, const chaff::codebook_options& options = {}) {
    return error_of([&] { static_cast<void>(chaff::codebook_of(rows, classes, options)); });
  };
  const std::string rows = "chaff: codebook_of was given ";
  EXPECT_EQ(of({1, 2}, 2), "none");
  EXPECT_EQ(of({}, 2), rows + "0 logits, which are not one or more rows of 2 classes");
  EXPECT_EQ(of({1, 2, 3}, 2), rows + "3 logits, which are not one or more rows of 2 classes");
  EXPECT_EQ(of({1, 2}, 0), rows + "2 logits, which are not one or more rows of 0 classes");
  EXPECT_EQ(of({1, 2}, 2, {.epsilon = 0}), "chaff: epsilon of a codebook is 0, allowed is more than 0, up to 2");
  EXPECT_EQ(of({1, 2}, 2, {.max_per_label = 0}), "chaff: codebook_options.max_per_label is 0, allowed is 1 or more");
  EXPECT_THROW(static_cast<void>(chaff::codebook_of(std::vector<float>{1, std::nanf("")}, 2)), std::domain_error);
}

TEST(CodebookTable, SortsCentroidsByLabelAndKeepsTheirOrder) {
  const std::vector<float> a{0.25f, 0.75f}, b{1, 0}, c{0, 1}, tie{0.5f, 0.5f};
  const chaff::codebook book(flat({a, b, c, tie}), 2, 0.25);
  EXPECT_EQ(book.centroids(), flat({b, tie, a, c}));
  EXPECT_EQ(book.centroids_of(1).size(), 4u);
  const chaff::codebook again(book.centroids(), book.classes(), book.epsilon());
  EXPECT_EQ(again.centroids(), book.centroids());
  EXPECT_EQ(again.epsilon(), 0.25);
}

TEST(CodebookTable, GivesThePosteriorBehindAnAnswerBetweenToWhoeverKnowsIt) {
  const std::vector<double> p{0.4, 0.35, 0.2, 0.05};
  const std::vector<float> c{0.875f, 0.0625f, 0.03125f, 0.03125f};
  const auto y = answer_of_posterior(chaff::codebook(c, 4, 0.5), p);
  // y = c + (p - c) (d - 0.5) / d, so |y - c|_1 = d - 0.5
  const double left = l1(y, c), d = left + 0.5;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double of_c = static_cast<double>(c[i]);
    EXPECT_NEAR(of_c + (y[i] - of_c) * d / left, p[i], 1e-12);
  }
}

TEST(CodebookTable, GoesWithGatesReductionsAndADefenseOfAnyTypeWithoutText) {
  const chaff::codebook book({0.75f, 0.125f, 0.125f}, 3, 0.5);
  const std::vector<float> z{2, 1, 0};
  const auto model = [](const std::vector<float>& query) { return query; };
  const auto expected = chaff::defend(model, book | chaff::top_k{.k = 2})(z);
  EXPECT_EQ(expected[2], 0);
  const chaff::any_defense any = chaff::gated{chaff::confidence_gate{.tau = 1}, book} | chaff::top_k{.k = 2};
  EXPECT_EQ(chaff::defend(model, any)(z), expected);
  EXPECT_EQ(error_of([&] { static_cast<void>(to_string(any)); }),
            "chaff: this defense has no text: a part of it is not the library's, or is a codebook, whose table text "
            "does not hold");
}

}  // namespace
