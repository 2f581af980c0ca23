// SPDX-License-Identifier: MIT
/// What SECURITY.md says of a caller who wishes the model ill: each of its statements names a test, most of them here.
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "support/every_defense.hpp"
#include "support/lawful.hpp"

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
std::vector<double> answer_to(const Defense& defense, const std::vector<double>& z,
                              const chaff::policy& promised = {}) {
  std::vector<double> y(z.size());
  chaff::apply(defense, z, y, promised);
  return y;
}

TEST(security, a_closed_gate_answers_with_the_posterior_to_the_last_bit) {
  const chaff::dcp used{.beta = 0.6};
  for (double p = 0.65; p < 1; p += 0.01) {
    EXPECT_EQ(answer_to(used, row_of_confidence(p)), answer_to(chaff::none{}, row_of_confidence(p))) << p;
  }
}

TEST(security, the_gates_threshold_shows_in_the_answers_as_a_jump) {
  const chaff::dcp used{.beta = 0.6};
  double largest = 0, found = 0, before = answer_to(used, row_of_confidence(0.3))[0];
  for (double p = 0.3; p < 0.99; p += 0.005) {
    const double now = answer_to(used, row_of_confidence(p))[0];
    if (now - before > largest) {
      largest = now - before;
      found = p;
    }
    before = now;
  }
  EXPECT_GT(largest, 0.05);
  EXPECT_NEAR(found, used.tau, 0.01);
}

TEST(security, beta_and_gamma_are_learned_from_answers_to_queries_whose_posterior_is_known) {
  const chaff::reverse_sigmoid used{.beta = 0.83, .gamma = 0.27};
  std::vector<std::vector<double>> rows, answers;
  for (const double p : {0.2, 0.35, 0.5, 0.7}) {
    rows.push_back(row_of_confidence(p));
    answers.push_back(answer_to(used, rows.back()));
  }
  long double least = 1e9L;
  chaff::reverse_sigmoid found;
  for (int beta = 1; beta <= 150; ++beta) {
    for (int gamma = 1; gamma <= 50; ++gamma) {
      const chaff::reverse_sigmoid guess{.beta = beta / 100.0, .gamma = gamma / 100.0};
      long double off = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) off += reference::l1(answer_to(guess, rows[i]), answers[i]);
      if (off < least) {
        least = off;
        found = guess;
      }
    }
  }
  EXPECT_EQ(found.beta, used.beta);
  EXPECT_EQ(found.gamma, used.gamma);
  EXPECT_LT(static_cast<double>(least), 1e-9);
}

/// Calls use(defense, policy, name) for each part that has a key.
template <class Use>
void for_each_keyed(const chaff::key& key, Use use) {
  use(chaff::random_vertex{.epsilon = 1, .key = key}, chaff::policy{}, "random_vertex");
  use(chaff::none{} | chaff::gaussian_noise{.sigma = 0.2, .key = key}, chaff::policy{}, "gaussian_noise");
  use(chaff::misdirect{.key = key}, chaff::policy{.keep_label = false}, "misdirect");
}

TEST(security, repeated_reordered_and_batched_queries_get_the_same_keyed_noise) {
  const auto rows = hostile_rows<double>(17);
  for_each_keyed(law_key, [&](const auto& defense, const chaff::policy& promised, const char* name) {
    std::vector<double> batch, reversed;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& back = rows[rows.size() - 1 - i].logits;
      batch.insert(batch.end(), rows[i].logits.begin(), rows[i].logits.end());
      reversed.insert(reversed.end(), back.begin(), back.end());
    }
    std::vector<double> of_batch(batch.size()), of_reversed(batch.size());
    chaff::apply_rows(defense, batch, 17, of_batch, promised);
    chaff::apply_rows(defense, reversed, 17, of_reversed, promised);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto alone = answer_to(defense, rows[i].logits, promised);
      EXPECT_EQ(answer_to(defense, rows[i].logits, promised), alone) << name;
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), &of_batch[i * 17])) << name;
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), &of_reversed[(rows.size() - 1 - i) * 17])) << name;
    }
  });
}

TEST(security, queries_changed_within_a_cell_of_logits_get_the_same_noise) {
  const std::vector<double> z(10, 1.0 / 64);
  const auto noise_of = [](const std::vector<double>& row) {
    const auto noisy = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = law_key}, row);
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

/// Root mean square, over a few rows, of what is left of the noise in the mean over n neighbours of a row.
double noise_left(int n) {
  const double sigma = 0.001;
  double square = 0;
  int count = 0;
  for (int from = 0; from < 40; ++from) {
    std::vector<double> mean(10);
    for (int i = 0; i < n; ++i) {
      auto z = row_of_confidence(0.5);
      // a class that hardly matters is moved from cell to cell
      z[1] = -60 + (from * n + i) / 64.0;
      const auto noisy = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = sigma, .key = law_key}, z);
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

TEST(security, neighbours_that_change_cells_average_the_noise_by_the_root_of_their_number) {
  EXPECT_NEAR(noise_left(1) / noise_left(16), 4, 0.8);
  EXPECT_NEAR(noise_left(1) / noise_left(36), 6, 1.5);
}

TEST(security, misdirection_is_one_table_that_answers_with_known_labels_give_away) {
  const chaff::misdirect used{.key = law_key};
  const auto misdirected = [&](const std::vector<double>& z) {
    return label_by_scan(answer_to(used, z, {.keep_label = false}));
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

TEST(security, the_noise_of_a_key_one_bit_off_has_nothing_to_do_with_it) {
  const chaff::key other("5d2f8c1e9b7a4630f1e2d3c4b5a69789");
  double together = 0, own = 0;
  for (int i = 0; i < 2000; ++i) {
    auto z = row_of_confidence(0.5);
    z[1] = -60 + i / 64.0;
    const auto clean = answer_to(chaff::none{}, z);
    const auto a = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = law_key}, z);
    const auto b = answer_to(chaff::none{} | chaff::gaussian_noise{.sigma = 0.001, .key = other}, z);
    together += (a[5] - clean[5]) * (b[5] - clean[5]);
    own += (a[5] - clean[5]) * (a[5] - clean[5]);
  }
  EXPECT_LT(std::abs(together / own), 0.09);  // four deviations of a correlation of 2,000 pairs
}

TEST(security, no_error_shows_a_value_or_a_key_and_none_leaves_a_posterior_behind) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity}) {
    for_each_defense_of_logits([&](const auto& defense, const char* name) {
      // rows answered before the bad one, and batches a row a lane
      std::vector<float> z(10 * 40, 0.0f);
      for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<float>(i % 7) * 1.734375f;
      z[10 * 37 + 3] = bad;
      std::vector<float> y(z.size(), 7);
      try {
        chaff::apply_rows(defense, z, 10, y);
        ADD_FAILURE() << name << " answered";
      } catch (const std::domain_error& error) {
        EXPECT_EQ(std::string(error.what()).find("1.73"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("3 of row 37"), std::string::npos) << error.what();
      }
      EXPECT_EQ(y, std::vector<float>(y.size())) << name;
    });
  }
  try {
    static_cast<void>(chaff::key("5d2f8c1e9b7a4630f1e2d3c4b5a6978"));
    ADD_FAILURE() << "a key of 31 digits";
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find("5d2f"), std::string::npos);
  }
}

/// The nearest number with so many binary digits, ties to even, and no exponent below the smallest: what a conversion
/// to float16 (11, -13) or bfloat16 (8, -125) and back leaves of a probability.
double with_digits(double value, int digits, int least_exponent) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent, least_exponent) - digits);
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

/// What a service may do to an answer on its way, and the label_margin that SECURITY.md gives for it.
template <class T>
struct rounding {
  const char* name;
  double margin;
  double (*of)(T);
};
template <class T>
const rounding<T> roundings[] = {
    {"JSON, shortest digits", 0, [](T value) { return through_text(value, 0); }},
    {"JSON, 6 digits", 2e-6, [](T value) { return through_text(value, 6); }},
    {"float16", 0.0005, [](T value) { return with_digits(static_cast<double>(value), 11, -13); }},
    {"bfloat16", 0.004, [](T value) { return with_digits(static_cast<double>(value), 8, -125); }},
    {"two decimals", 0.011, [](T value) { return std::nearbyint(static_cast<double>(value) * 100) / 100; }},
};

/// Whether the label is strictly first, and all entries in [0, 1], after a rounding.
template <class T>
bool names_its_label(const std::vector<T>& z, const std::vector<T>& y, const rounding<T>& way) {
  const std::size_t k = label_by_scan(z);
  const double of_label = way.of(y[k]);
  bool holds = true;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double rounded = way.of(y[i]);
    holds = holds && rounded >= 0 && rounded <= 1 && (i == k || rounded < of_label);
  }
  return holds;
}

template <class T>
struct answers : testing::Test {};
using types = testing::Types<float, double>;
TYPED_TEST_SUITE(answers, types);

TYPED_TEST(answers, rounded_name_their_label_with_the_margin_given_for_the_rounding) {
  using T = TypeParam;
  for (const rounding<T>& way : roundings<T>) {
    for (const std::size_t classes : {2u, 3u, 17u, 1000u}) {
      for (const auto& [name, z] : hostile_rows<T>(classes)) {
        for_each_defense_of_logits([&](const auto& defense, const char* defense_name) {
          std::vector<T> y(classes);
          chaff::apply(defense, z, y, {.label_margin = way.margin});
          EXPECT_TRUE(names_its_label(z, y, way))
              << way.name << ", " << defense_name << ", " << name << ", K " << classes;
        });
      }
    }
  }
}

TYPED_TEST(answers, rounded_need_a_margin_a_quarter_of_it_loses_labels) {
  using T = TypeParam;
  for (const rounding<T>& way : roundings<T>) {
    if (way.margin == 0) continue;
    std::size_t lost = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::vector<T> z = {T(0), T(0), static_cast<T>(i) / -256};
      std::vector<T> y(3);
      chaff::apply(chaff::none{}, z, y, {.label_margin = way.margin / 4});
      lost += !names_its_label(z, y, way);
    }
    EXPECT_GT(lost, 0u) << way.name;
  }
}

TYPED_TEST(answers, of_rounded_need_no_margin_for_two_decimals_and_sum_to_1) {
  using T = TypeParam;
  for (const auto& [name, z] : hostile_rows<T>(17)) {
    std::vector<T> y(17);
    chaff::apply(chaff::dcp{.beta = 1.2} | chaff::rounded{.decimals = 2}, z, y);
    double sum = 0;
    for (const T value : y) sum += std::nearbyint(static_cast<double>(value) * 100) / 100;
    EXPECT_TRUE(names_its_label(z, y, roundings<T>[4])) << name;
    EXPECT_NEAR(sum, 1, 1e-12) << name;
  }
}

TYPED_TEST(answers, with_a_gate_of_constant_time_have_the_same_bits) {
  using T = TypeParam;
  for (const std::size_t classes : {1u, 2u, 10u, 17u, 1000u}) {
    const auto rows = hostile_rows<T>(classes);
    std::vector<T> batch;
    for (const auto& row : rows) batch.insert(batch.end(), row.logits.begin(), row.logits.end());
    const auto check = [&](const auto& defense, const char* defense_name) {
      for (chaff::policy promised :
           {chaff::policy{}, chaff::policy{.label_margin = 0.1, .max_l1 = 0.3}, chaff::policy{.max_l1 = 0.3},
            chaff::policy{.keep_label = false}, chaff::policy{.keep_label = false, .max_l1 = 0.5}}) {
        if (!serves(defense, promised)) continue;
        std::vector<T> y(batch.size()), constant(batch.size()), alone(classes);
        chaff::apply_rows(defense, batch, classes, y, promised);
        promised.constant_time_gate = true;
        chaff::apply_rows(defense, batch, classes, constant, promised);
        ASSERT_EQ(std::memcmp(constant.data(), y.data(), y.size() * sizeof(T)), 0)
            << defense_name << ", K " << classes << ", " << describe(promised);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          chaff::apply(defense, rows[i].logits, alone, promised);
          ASSERT_EQ(std::memcmp(alone.data(), &constant[i * classes], classes * sizeof(T)), 0)
              << defense_name << ", K " << classes << ", " << describe(promised) << ", " << rows[i].name;
        }
      }
    };
    for_each_defense_of_logits(check);
    for_each_defense_of_labels(check);
  }
}

TEST(security, a_gate_of_constant_time_asks_the_decoy_where_it_is_closed_too) {
  int asked = 0;
  const auto decoy = [&asked](const std::vector<float>& z) {
    ++asked;
    return z;
  };
  const auto model = [](const std::vector<float>& z) { return z; };
  const auto defense = chaff::adaptive_misinformation(decoy, {.tau = 0.5});
  static_cast<void>(chaff::defend(model, defense)(std::vector<float>{9, 0, 0}));
  EXPECT_EQ(asked, 0);
  static_cast<void>(chaff::defend(model, defense, {.constant_time_gate = true})(std::vector<float>{9, 0, 0}));
  EXPECT_EQ(asked, 1);
}

}  // namespace
