// SPDX-License-Identifier: MIT
/// Compares defenses with golden data, which PyTorch computed from the published formulas, and with the same formulas
/// in long double.
#include <gtest/gtest.h>

#include <chaff/core.hpp>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include "support/every_defense.hpp"
#include "support/reference.hpp"

namespace {

struct golden_row {
  std::string set, defense, parameters;
  std::vector<float> logits, decoy, posterior;
};

std::vector<float> floats(const std::string& text) {
  std::vector<float> values;
  std::istringstream words(text);
  for (std::string word; words >> word;) values.push_back(std::strtof(word.c_str(), nullptr));
  return values;
}

double parameter(const std::string& parameters, const std::string& name) {
  return std::strtod(parameters.c_str() + parameters.find(name + "=") + name.size() + 1, nullptr);
}

std::vector<golden_row> golden_rows() {
  std::ifstream file(CHAFF_TEST_DATA "/reference_posteriors.txt");
  std::vector<golden_row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ';');) fields.push_back(cell);
    rows.push_back(
        {fields.at(0), fields.at(1), fields.at(2), floats(fields.at(4)), floats(fields.at(5)), floats(fields.at(6))});
  }
  return rows;
}

template <class T>
void compare(const golden_row& row, const auto& defense, double tau) {
  const std::vector<T> z(row.logits.begin(), row.logits.end());
  std::vector<T> y(z.size());
  answer_row<T>(defense, z, y, {.keep_label = false});
  const auto p = reference::softmax(z);
  const long double confidence = *std::max_element(p.begin(), p.end());
  const double tolerance = std::fabs(static_cast<double>(confidence) - tau) > 0.02 ? 2e-6 : 2e-5;
  for (std::size_t i = 0; i < y.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(row.posterior.at(i)), tolerance)
        << row.set << " " << row.defense << " " << row.parameters << ", class " << i;
  }
}

TEST(Golden, EveryRowMatchesPyTorch) {
  std::map<std::string, int> compared;
  for (const golden_row& row : golden_rows()) {
    ASSERT_EQ(row.logits.size(), row.posterior.size());
    const auto compare_with = [&](const auto& defense, double tau) {
      compare<float>(row, defense, tau);
      compare<double>(row, defense, tau);
      ++compared[row.defense];
    };
    if (row.defense == "softmax") {
      compare_with(chaff::none{}, 9);
    } else if (row.defense == "reverse_sigmoid") {
      compare_with(chaff::reverse_sigmoid{.beta = parameter(row.parameters, "beta"),
                                          .gamma = parameter(row.parameters, "gamma")},
                   9);
    } else if (row.defense == "dcp") {
      const double beta = parameter(row.parameters, "beta");
      compare_with(chaff::dcp{.beta = beta, .gamma = parameter(row.parameters, "gamma")}, beta);
    } else if (row.defense == "adaptive_misinformation") {
      const double tau = parameter(row.parameters, "tau");
      compare_with(chaff::adaptive_misinformation([&](const auto&) { return row.decoy; }, {.tau = tau}), tau);
    } else {
      FAIL() << "a row of " << row.defense;
    }
  }
  EXPECT_GT(compared["softmax"], 50);
  EXPECT_GT(compared["reverse_sigmoid"], 300);
  EXPECT_GT(compared["dcp"], 600);
  EXPECT_GT(compared["adaptive_misinformation"], 40);
}

template <class T>
void compare_with_long_double(double tolerance) {
  for (const golden_row& row : golden_rows()) {
    if (row.defense != "softmax") continue;
    const std::vector<T> z(row.logits.begin(), row.logits.end());
    for (const chaff::odds rule : {chaff::odds::clamped, chaff::odds::exact}) {
      for (const double gamma : {0.1, 0.2, 1.0}) {
        const chaff::dcp defense{.beta = 1.5, .gamma = gamma, .nu = 3, .tau = 0.6, .rule = rule};
        const auto exact = reference::dcp(z, defense);
        const auto p = reference::softmax(z);
        const std::size_t k = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
        long double rest = 0;
        for (std::size_t i = 0; i < p.size(); ++i) rest += i == k ? 0 : p[i];
        const bool is_certain =
            rest < static_cast<long double>(p.size()) * static_cast<long double>(std::numeric_limits<T>::min());
        const double allowed = tolerance + (is_certain ? defense.beta / 2 * (1 - std::tanh(43 * gamma)) : 0);
        std::vector<T> y(z.size());
        chaff::apply(defense, z, y, {.keep_label = false});
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(exact[i]), allowed)
              << row.set << ", gamma " << gamma << ", class " << i << ", exact odds " << (rule == chaff::odds::exact);
        }
      }
    }
  }
}

TEST(Formula, FloatIsWithin2e6OfLongDouble) {
  compare_with_long_double<float>(2e-6);
}
TEST(Formula, DoubleIsWithin1e14OfLongDouble) {
  compare_with_long_double<double>(1e-14);
}

}  // namespace
