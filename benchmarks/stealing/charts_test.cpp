// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "account_tables.hpp"
#include "decision.hpp"
#include "latency_table.hpp"
#include "picture.hpp"
#include "readme_figures.hpp"

namespace {

TEST(Page, RefusesTextsThatOverlapOrLeaveThePage) {
  page one(200, 100);
  one.text(10, 50, anchor::left, "label");
  EXPECT_THROW(one.text(20, 55, anchor::left, "other"), std::runtime_error);
  EXPECT_THROW(one.text(5, 50, anchor::centre, "other"), std::runtime_error);
  EXPECT_THROW(one.text(190, 20, anchor::left, "other"), std::runtime_error);
  EXPECT_THROW(one.text(100, 99, anchor::centre, "other"), std::runtime_error);
  EXPECT_THROW(one.upright_text(20, 50, "other"), std::runtime_error);
  EXPECT_NO_THROW(one.text(10, 70, anchor::left, "other"));
}

TEST(Page, CountsLettersOfUtf8) {
  EXPECT_EQ(page::width_of("±", 10), page::width_of("x", 10));
}

/// The least sum of squares by which integers can move to be `distance` apart in [low, high], by trying all.
double least_movement(const std::vector<double>& from, int distance, int low, int high, std::size_t i = 0) {
  if (i == from.size()) return 0;
  double least = 1e9;
  for (int at = low; at <= high; ++at) {
    const double move = (at - from[i]) * (at - from[i]);
    least = std::min(least, move + least_movement(from, distance, at + distance, high, i + 1));
  }
  return least;
}

TEST(Spaced, KeepsTheDistanceWithLeastMovement) {
  for (const std::vector<double>& from :
       {std::vector<double>{0, 0, 0, 0}, {3, 4, 5, 18}, {17, 18, 19, 20}, {2, 9, 9, 20}, {5, 10, 15, 20}}) {
    const std::vector<double> moved = spaced(from, 4, 0, 20);
    double sum = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      sum += (moved[i] - from[i]) * (moved[i] - from[i]);
      EXPECT_TRUE(i == 0 || moved[i] >= moved[i - 1] + 4 - 1e-9);
      EXPECT_TRUE(moved[i] >= 0 && moved[i] <= 20);
    }
    EXPECT_LE(sum, least_movement(from, 4, 0, 20) + 1e-9);
  }
  EXPECT_THROW(spaced({0, 0, 0}, 4, 0, 7), std::runtime_error);
}

TEST(LabelPlaces, MeetNeitherOneAnotherNorOtherLines) {
  std::mt19937 random(1);
  std::vector<double> widths{55, 101, 109, 109, 94, 23, 101};
  int found = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::shuffle(widths.begin(), widths.end(), random);
    std::vector<double> x(7);
    for (double& each : x) each = 14 + 300 * std::pow(std::uniform_real_distribution<double>()(random), 1 + trial % 3);
    std::sort(x.begin(), x.end());
    x = spaced(x, 22, 14, 321);
    std::vector<label_place> places;
    try {
      places = label_places(x, widths, 390).found();
    } catch (const std::runtime_error&) {
      continue;
    }
    ++found;
    const auto ends = [&](std::size_t i) -> std::pair<double, double> {
      if (places[i].at == anchor::left) return {x[i], x[i] + 5 + widths[i]};
      if (places[i].at == anchor::right) return {x[i] - 5 - widths[i], x[i]};
      return {x[i] - widths[i] / 2, x[i] + widths[i] / 2};
    };
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_TRUE(ends(i).first >= 0 && ends(i).second <= 390) << "trial " << trial;
      for (std::size_t j = 0; j < 7; ++j) {
        if (i == j) continue;
        const bool crosses = ends(i).first <= x[j] && x[j] <= ends(i).second && places[j].level >= places[i].level;
        const bool overlaps =
            ends(i).first <= ends(j).second && ends(j).first <= ends(i).second && places[i].level == places[j].level;
        EXPECT_FALSE(crosses || overlaps) << "trial " << trial << ", labels " << i << " and " << j;
      }
    }
  }
  EXPECT_GE(found, 290);
}

TEST(LabelPlaces, ThrowsWhereALabelIsWiderThanTheRoom) {
  EXPECT_THROW(label_places({50}, {101}, 100).found(), std::runtime_error);
}

/// Rows of a scene with enough seeds, under the settings of all candidates and of the undefended victim.
std::vector<row> rows_of_all(const scene& where, double l1, double points) {
  std::vector<result_line> lines;
  std::vector<std::pair<std::string, std::string>> wanted{{"none", "naive"}, {"none", "label_only"}};
  for (const candidate& each : candidates) {
    for (const pictured_attacker& who : pictured_attackers) wanted.emplace_back(each.setting, who.attacker);
  }
  for (const auto& [setting, attacker] : wanted) {
    for (long seed = 1; seed <= static_cast<long>(enough_seeds); ++seed) {
      result_line line{};
      line.victim = where.victim;
      line.query_data = where.query_data;
      line.network = "lenet";
      line.precision = "float32";
      line.attack = "knockoff";
      line.sampling = "random";
      line.attacker = attacker;
      line.training = pictured_training;
      const std::size_t policy = setting.find(", keep_label"), perturbed = setting.find(", perturbed");
      line.defense = setting.substr(0, std::min(policy, perturbed));
      if (policy != std::string::npos) line.policy = "keep_label=false";
      if (perturbed != std::string::npos) line.perturbed = setting.substr(perturbed + 12);
      line.clone_accuracy = 0.5 + 0.1 * static_cast<double>(seed);
      line.victim_accuracy = 0.9;
      line.defended_accuracy = 0.9 - (line.policy.empty() ? 0 : points / 100);
      line.l1_test = l1;
      line.seed = seed;
      lines.push_back(line);
    }
  }
  return rows_of(lines, pictured_training);
}

TEST(Picture, AllDefensesAndAttackersHaveRoomAtOneCost) {
  for (const scene& where : scenes) {
    for (const double l1 : {0.0, 0.01, 0.1, 0.5, 1.0, 2.0}) {
      const std::vector<row> rows = rows_of_all(where, l1, 6 * l1);
      const std::optional<pictured_scene> found = scene_of(rows, where);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->bars.size(), std::size(candidates));
      const std::string drawn = picture(where, *found).commands();
      for (const candidate& each : candidates) {
        std::size_t panels = 0;
        for (std::size_t at = drawn.find(std::string("label '") + each.name + "'"); at != std::string::npos;
             at = drawn.find(std::string("label '") + each.name + "'", at + 1)) {
          ++panels;
        }
        EXPECT_EQ(panels, 3u) << each.name;
      }
    }
  }
}

TEST(Picture, HasNoSceneWithoutTheUndefendedVictim) {
  const std::vector<row> rows = rows_of_all(scenes[0], 1, 1);
  EXPECT_FALSE(scene_of(rows, scenes[1]));
  EXPECT_FALSE(scene_of({}, scenes[0]));
}

TEST(Scene, DefenseThatKeepsTheLabelSharesTheLabelOnlyClone) {
  const std::vector<row> rows = rows_of_all(scenes[0], 1, 1);
  const std::optional<pictured_scene> found = scene_of(rows, scenes[0]);
  ASSERT_TRUE(found);
  for (const bar& one : found->bars) {
    EXPECT_EQ(one.clones[3] == nullptr, one.keeps_label);
    EXPECT_NEAR(one.users.points, one.keeps_label ? 0 : 1, 1e-9);
  }
}

TEST(Spread, DeviationIsThatOfTheSample) {
  EXPECT_NEAR((spread{{1, 2, 4}}.deviation()), std::sqrt(7.0 / 3), 1e-12);
  EXPECT_EQ((spread{{3}}.deviation()), 0);
  EXPECT_EQ((spread{{0.5, 0.6}}.text()), "55.0 ± 7.1 (2)");
  EXPECT_EQ((spread{{0.5}}.text()), "50.0 (1)");
  EXPECT_EQ((spread{{0.4, 0.5, 0.5, 0.5, 0.6}}.text()), "50.0 ± 7.1");
}

TEST(Decision, RefusesRowsAgainstWhichItsSentencesSpeak) {
  std::vector<row> rows;
  for (const scene& where : scenes) {
    for (const row& one : rows_of_all(where, 1, 1)) rows.push_back(one);
  }
  try {
    decision(rows).text();
    FAIL() << "no sentence was refused";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("this no longer holds"), std::string::npos) << error.what();
  }
}

TEST(MarkdownTables, LeaveOutTablesWithoutLines) {
  markdown_tables tables;
  tables.begin("first", {"a"});
  tables.begin("second", {"b", "c"});
  tables.line({"1", "2"});
  tables.begin("third", {"d"});
  tables.begin("", {"e"});
  tables.line({"3"});
  tables.begin("last", {"f"});
  EXPECT_EQ(tables.text(), "### second\n\n| b | c |\n| --- | --- |\n| 1 | 2 |\n\n| e |\n| --- |\n| 3 |\n");
}

TEST(RangeOf, SaysHowManySeedsWhereTheyAreFew) {
  EXPECT_EQ(range_of({3, 1, 2, 2, 2}, "%.0f"), "1 to 3");
  EXPECT_EQ(range_of({2, 2, 2, 2, 2}, "%.0f", " %"), "2 %");
  EXPECT_EQ(range_of({3, 1}, "%.1f", " %"), "1.0 to 3.0 % (2)");
  EXPECT_THROW(range_of({}, "%.0f"), std::runtime_error);
}

/// A line of accounts with a seed, and with its median unless it is 0.
account_line flagged_after(account_experiment of, long seed, long median, double share) {
  of.seed = seed;
  account_line line{.of = std::move(of), .flagged_share = share};
  if (median > 0) line.median = median;
  return line;
}

TEST(AccountTables, HaveMediansOrSharesOfAllSeeds) {
  std::vector<account_line> lines;
  const account_experiment few{.ood_share = 0.1}, benign{.query_data = "mnist", .attack = "benign", .sampling = ""};
  for (const long seed : {1, 2, 3, 4, 5}) {
    lines.push_back(flagged_after({}, seed, 5 + seed, 1));
    lines.push_back(flagged_after(few, seed, seed == 1 ? 900 : 0, seed == 1 ? 0.887 : 0.01));
    lines.push_back(flagged_after(benign, seed, 0, 0));
  }
  lines.push_back(flagged_after({.victim = "glyphs", .network = "resnet18"}, 1, 12, 1));
  EXPECT_EQ(account_tables(lines).text(),
            "### Accounts: after how many queries half of them are flagged, or which share ever is\n\n"
            "| queries of | MNIST | MNIST, drift 1.5 | Fashion-MNIST | Fashion-MNIST, drift 1.5 | "
            "Fashion-MNIST, ResNet-18 | glyphs, ResNet-18 |\n"
            "| --- | --- | --- | --- | --- | --- | --- |\n"
            "| benign users | 0 % | - | - | - | - | - |\n"
            "| an attacker with images of another kind | 6 to 10 | - | - | - | - | 12 (1) |\n"
            "| 10 % such images, the others benign | 1 to 88.7 % | - | - | - | - | - |\n");
}

TEST(AccountTables, CountEachSeedOnceHoweverManyAttackersTrainOnItsResponses) {
  std::vector<account_line> lines;
  for (const long seed : {1, 2}) {
    for (const char* attacker : {"naive", "label_only"}) {
      account_line line = flagged_after({.attacker = attacker, .flagged = "refusal", .accounts = 10}, seed, 8, 1);
      line.answered = static_cast<double>(7 * seed);
      line.clone_accuracy = attacker == std::string("naive") ? 0.2 * static_cast<double>(seed) : 0.1;
      lines.push_back(line);
    }
  }
  const std::string text = account_tables(lines).text();
  EXPECT_EQ(
      text.substr(text.rfind("---") + 6),
      "| MNIST | refusal | knockoff, random | 10 | 7 to 14 (2) | 10.0: 10.0 (2) | 30.0: 20.0 to 40.0 (2) | - |\n");
}

TEST(AccountTables, RefuseLinesThatTheyWouldNotShow) {
  EXPECT_THROW(account_tables({flagged_after({.drift = 3}, 1, 5, 1)}), std::runtime_error);
}

TEST(LatencyLine, IsReadAsItIsWritten) {
  const std::string text = R"+(resnet18,"mad(epsilon=1, keep_argmax=true)",closed form,14724.8,2.34,30,A processor)+";
  EXPECT_EQ(latency_line::parsed(text).text(), text);
  for (const std::string& bad : {text + ",1", "vgg" + text.substr(8), text.substr(0, text.size() - 11)}) {
    EXPECT_THROW(latency_line::parsed(bad), std::runtime_error) << bad;
  }
}

std::vector<latency_line> some_latencies() {
  std::vector<latency_line> lines;
  for (const char* network : {"lenet", "resnet18"}) {
    const double of_none = network == std::string("lenet") ? 100 : 6000;
    const auto add = [&](const char* defense, const char* evaluation, double ratio) {
      lines.push_back({network, defense, evaluation, ratio * of_none, ratio, 30, "old processor"});
    };
    add("none", "", 1);
    add("dcp(beta=1.2)", "", 1.25);
    add("gradient_redirection(epsilon=1)", "double backward pass", 15);
    add("mad(epsilon=1)", "K backward passes to all parameters", of_none / 10);
  }
  return lines;
}

TEST(LatencyTable, HasRatiosOfBothNetworksAndSentencesOfThem) {
  EXPECT_EQ(
      latency_table(some_latencies()),
      "| defense | evaluation of the second network | LeNet | ResNet-18 |\n| --- | --- | --- | --- |\n"
      "| `none` | - | 0.10 ms | 6.00 ms |\n"
      "| `dcp(beta=1.2)` | - | 1.25 | 1.25 |\n"
      "| `gradient_redirection(epsilon=1)` | double backward pass | 15.0 | 15.0 |\n"
      "| `mad(epsilon=1)` | K backward passes to all parameters | 10.0 | 600.0 |\n\n"
      "Medians of 30 queries of LeNet and 30 of ResNet-18, on one thread of an old processor. The defenses "
      "without a second network take at most 1.25 times what the network takes by itself. The DCP paper reports a "
      "factor of 37 between DCP and the most expensive defense. As GRAD^2 is served here it takes 12 (LeNet) and "
      "12 times (ResNet-18) as long as DCP; MAD with the Jacobian of all parameters takes 8 (LeNet) and 480 "
      "times (ResNet-18), copies included.\n");
}

TEST(LatencyTable, RefusesMissingLinesAndFewRepetitions) {
  std::vector<latency_line> lines = some_latencies();
  lines.pop_back();
  EXPECT_THROW(latency_table(lines), std::runtime_error);
  lines = some_latencies();
  lines.back().repetitions = 2;
  EXPECT_THROW(latency_table(lines), std::runtime_error);
}

TEST(UnknownFigures, AreThoseOfSentencesThatNoCellHas) {
  const std::string tables =
      "| `none(beta=0.9)` | 85.4 ± 1.0 | 59.5 (1) | +0.38 / 1.638 |\n| 14.6: 11.2 to 17.8 | 6 to 13 |";
  for (const char* known : {"85.4 % and 59.5 %, ± 1.0", "an L1 of 0.38, `dcp(beta=0.8)`", "after 6 to 13 queries.",
                            "from 11.2 to 17.8 %, by 1 % of 500,000, 5 (1.638)."}) {
    EXPECT_EQ(unknown_in(known, tables), "");
  }
  EXPECT_EQ(unknown_in("85.4 % and 1.1 %", tables), "no table has 1.1\n");
  EXPECT_EQ(unknown_in("95.4 % and 5.4 %", tables), "no table has 5.4\nno table has 95.4\n");
  EXPECT_EQ(unknown_in("an L1 of 1.63, beta 0.9", tables), "no table has 0.9\nno table has 1.63\n");
  EXPECT_EQ(unknown_in("± 1.1, 1.0 %", tables), "no table has 1.0\nno table has ± 1.1\n");
  EXPECT_EQ(unknown_in("after 6 to 12, 2 to 17.8", tables), "no table has 2 to 17.8\nno table has 6 to 12\n");
  EXPECT_EQ(unknown_in("an open ` does not\nhide 7.7 `", tables), "no table has 7.7\n");
}

TEST(UnknownFigures, OfEachSectionAreLookedUpInItsOwnTables) {
  const std::string readme =
      "### What the defenses do not stop\n1.5\n### Detecting attackers by account\n2.5\n### Latency\n3.5\n## "
      "Terms\n4.5";
  EXPECT_EQ(unknown_figures(readme, "| 1.5 |", "| 2.5 |", "| 3.5 |"), "");
  EXPECT_EQ(unknown_figures(readme, "| 2.5 |", "| 3.5 |", "| 1.5 |"),
            "no table has 1.5\nno table has 2.5\nno table has 3.5\n");
  EXPECT_THROW(unknown_figures("1.5", "| 1.5 |", "| 1.5 |", "| 1.5 |"), std::runtime_error);
}

/// The lines of the project's README that these rows ask for.
std::string readme_of(double clone) {
  const std::string whole = format("%.0f", 100 * clone);
  std::string readme;
  for (const readme_row& each : readme_rows) {
    const std::string setting = each.setting, adaptive = setting.starts_with("none") ? "-" : whole;
    readme += std::string(each.mark) + (each.price != nullptr ? " mean L1 1.00, ECE +0.00 " : " ");
    for (const scene* where : {each.other_kind, each.own_kind}) {
      readme += "| " + (where == nullptr ? "-" : whole + " / " + adaptive + " / " + whole) + ' ';
    }
    readme += "|\n";
  }
  return readme + "their clone falls to " + whole + " %, to " + whole + " % if they train on the responses\n";
}

TEST(ReadmeFigures, AreMissedWhereOneIsAnother) {
  std::vector<row> rows;
  for (const scene& where : scenes) {
    for (const row& one : rows_of_all(where, 1, 1)) rows.push_back(one);
  }
  EXPECT_THROW(readme_figures({}).missing_in(""), std::runtime_error);
  const std::string readme = readme_of(rows[0].clone.mean());
  EXPECT_EQ(readme_figures(rows).missing_in(readme), "");
  for (std::size_t at = 0; at < readme.size(); ++at) {
    if (readme[at] != format("%.0f", 100 * rows[0].clone.mean())[0]) continue;
    std::string other = readme;
    other[at] = '1';
    EXPECT_NE(readme_figures(rows).missing_in(other), "") << other.substr(at);
  }
}

}  // namespace
