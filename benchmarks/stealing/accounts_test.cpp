// SPDX-License-Identifier: MIT
#include "accounts.hpp"
#include "account_tables.hpp"

#include <gtest/gtest.h>

#include "results.hpp"

namespace {

using namespace accounts;

const chaff::query_monitor& monitor() {
  static const chaff::query_monitor made = [] {
    std::vector<double> scores(1000);
    for (std::size_t i = 0; i < 1000; ++i) scores[i] = static_cast<double>(i);
    return chaff::query_monitor(scores);
  }();
  return made;
}

TEST(QueriesUntilFlagged, CountsTheFlaggingOneAndStopsAtTheMost) {
  const long needed = std::lround(std::ceil(monitor().threshold() / (std::log(1001.0) - 2)));
  EXPECT_EQ(queries_until_flagged(monitor(), 1000, [] { return -1.0; }), needed);
  EXPECT_EQ(queries_until_flagged(monitor(), needed, [] { return -1.0; }), needed);
  EXPECT_EQ(queries_until_flagged(monitor(), needed - 1, [] { return -1.0; }), never);
  EXPECT_EQ(queries_until_flagged(monitor(), 1000, [] { return 999.0; }), never);
}

TEST(Summarise, QuantilesCountAccountsThatAreNeverFlagged) {
  account_line line;
  summarise({7, never, 3, 5}, line);
  EXPECT_EQ(line.sampled, 4);
  EXPECT_EQ(line.flagged_share, 0.75);
  EXPECT_EQ(line.median, 5);
  EXPECT_EQ(line.percent_95, std::nullopt);
  summarise({never, never, 3}, line);
  EXPECT_EQ(line.median, std::nullopt);
}

TEST(UniformLabels, AreTheSameForTheSameImageAndUniform) {
  torch::manual_seed(3);
  const torch::Tensor pixels = torch::rand({5000, 1, 4, 4});
  const torch::Tensor labels = uniform_labels(pixels, 10);
  EXPECT_TRUE(labels.narrow(0, 100, 50).equal(uniform_labels(pixels.narrow(0, 100, 50), 10)));
  const torch::Tensor counts = labels.sum(0);
  EXPECT_GT(counts.min().item<float>(), 400);  // 500 +- 21
  EXPECT_LT(counts.max().item<float>(), 600);
}

account_line some_line() {
  account_line line{.of = {.flagged = "refusal", .accounts = 10, .ood_share = 0.25, .seed = 3}};
  line.of.attacker = "label_only";
  line.threshold = 20.25;
  line.sampled = 10;
  line.flagged_share = 0.5;
  line.median = 12;
  line.answered = 100;
  line.victim_accuracy = 0.97;
  line.clone_accuracy = 0.125;
  line.seconds = 4;
  line.commit = "abc";
  return line;
}

TEST(AccountLine, IsReadAsItIsWritten) {
  const std::string text = some_line().text();
  EXPECT_EQ(
      text,
      "mnist,lenet,fashion_mnist,knockoff,random,label_only,refusal,10,0.25,2,3,20.2500,10,0.5000,12,,100.0,0.9700,"
      "0.1250,4,abc");
  EXPECT_EQ(account_line::parsed(text).text(), text);
  for (const std::string& bad :
       {text + ",1", "cifar" + text.substr(5), text.substr(0, text.size() - 3), std::string()}) {
    EXPECT_THROW(account_line::parsed(bad), std::runtime_error) << bad;
  }
}

TEST(AccountResults, GoOnWhereTheyStopped) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "chaff_accounts_test.csv";
  std::filesystem::remove(path);
  {
    const results_of_lines<account_line> fresh(path);
    EXPECT_FALSE(fresh.has(some_line()));
    fresh.add(some_line());
  }
  EXPECT_TRUE(results_of_lines<account_line>(path).has(some_line()));
  std::filesystem::remove(path);
}

TEST(AccountResults, ThatAreCheckedInAreOfExperimentsThatExist) {
  std::set<std::string> names;
  for (const account_experiment& each : every_experiment(false)) names.insert(each.name());
  const auto lines = lines_of<account_line>(CHAFF_RESULTS "/accounts.csv");
  EXPECT_EQ(lines.size(), names.size());
  for (const account_line& line : lines) EXPECT_TRUE(names.contains(line.name())) << line.name();
}

/// A figure of the five seeds of an experiment.
template <class Figure>
std::vector<double> figures_of(const std::vector<account_line>& lines, const account_experiment& wanted,
                               Figure figure) {
  std::vector<double> figures;
  for (const account_line* line : seeds_of(lines, wanted)) figures.push_back(static_cast<double>(figure(*line)));
  EXPECT_EQ(figures.size(), enough_seeds) << wanted.name();
  return figures;
}

std::vector<double> clones_of(const std::vector<account_line>& lines, const std::string& attacker, long accounts) {
  return figures_of(lines, {.attacker = attacker, .flagged = "refusal", .accounts = accounts},
                    [](const account_line& line) { return 100 * *line.clone_accuracy; });
}

TEST(AccountResults, AreThoseOfTheProjectsReadme) {
  const auto lines = lines_of<account_line>(CHAFF_RESULTS "/accounts.csv");
  std::ifstream readme(CHAFF_README);
  const std::string text{std::istreambuf_iterator<char>(readme), {}};
  const auto expect = [&](const std::string& words) { EXPECT_NE(text.find(words), std::string::npos) << words; };
  const account_experiment benign{.query_data = "mnist", .attack = "benign", .sampling = ""};
  for (const double sampled : figures_of(lines, benign, [](const account_line& line) { return line.sampled; })) {
    EXPECT_EQ(sampled, 1000);
  }
  const spread flagged{figures_of(lines, benign, [](const account_line& line) { return 1000 * line.flagged_share; })};
  const std::string naive = format("%.0f", spread{clones_of(lines, "naive", 1)}.mean()),
                    label_only = format("%.0f", spread{clones_of(lines, "label_only", 1)}.mean());
  expect(format("%.0f", 5 * flagged.mean()) + " of 5,000 benign accounts flagged | " + naive + " / - / " + label_only +
         " |");  // there is nothing to invert: nothing is perturbed
  const auto median = [](const account_line& line) { return line.median.value(); };
  expect("flagged after " + range_of(figures_of(lines, {}, median), "%.0f") + " of them");
  expect("1,000 accounts get a clone of " + range_of(clones_of(lines, "naive", 1000), "%.0f"));
  const auto share = [](const account_line& line) { return 100 * line.flagged_share; };
  expect("10 % of such queries, " + range_of(figures_of(lines, {.ood_share = 0.1}, share), "%.0f") +
         " of 100 are flagged");
}

TEST(EveryExperiment, IsThereOnceCanBeReadBackAndDetectionComesFirst) {
  for (const bool quick : {false, true}) {
    std::set<std::string> names;
    bool had_clone = false;
    for (const account_experiment& each : every_experiment(quick)) {
      EXPECT_TRUE(names.insert(each.name()).second) << each.name();
      account_line line{.of = each, .sampled = 1, .commit = "abc"};
      if (each.attacker != "any") line.clone_accuracy = 0.5;
      EXPECT_EQ(account_line::parsed(line.text()).name(), each.name());
      had_clone |= each.attacker != "any";
      EXPECT_EQ(had_clone, each.attacker != "any") << each.name();
    }
  }
}

}  // namespace
