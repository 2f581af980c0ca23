// SPDX-License-Identifier: MIT
/// Runs the tool as a user does, on logits of real images, and reads what it writes.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace {

struct run {
  int status;
  std::string out;  // and err
};

run audit(const std::string& arguments) {
  std::FILE* pipe = popen((CHAFF_AUDIT " " + arguments + " 2>&1").c_str(), "r");
  std::string out;
  char part[4096];
  while (const std::size_t count = std::fread(part, 1, sizeof part, pipe)) out.append(part, count);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

nlohmann::json json_of(const std::string& arguments) {
  const run done = audit(arguments + " --quiet --json found.json");
  EXPECT_EQ(done.status, 0) << done.out;
  return nlohmann::json::parse(text_of("found.json"));
}

const std::string here = "logits.csv --labels labels.csv --strange strange.csv ";
const std::string elsewhere = "other_logits.csv --labels other_labels.csv --strange strange.csv ";

TEST(audit, prints_what_a_defense_does) {
  const run done = audit(here + "--quiet");
  EXPECT_EQ(done.status, 0);
  EXPECT_NE(done.out.find("5000 rows of 10 classes, 5000 strange queries"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("chaff::dcp{.beta = 0.9, .gamma = 0.2, .nu = 1000, .tau = 0.9}"), std::string::npos);
  const auto found = json_of(here)["findings"][0];
  EXPECT_GT(found["accuracy"], 0.9);
  EXPECT_EQ(found["accuracy"], found["accuracy_before"]);
  EXPECT_EQ(found["changed"], 0);
  EXPECT_NEAR(double(found["touched"]), 0.26, 0.02);  // as the quickstart has it
  EXPECT_GT(found["ece"], found["ece_before"]);
  EXPECT_LT(found["auroc"], found["auroc_before"]);
  EXPECT_GT(found["strange_l1"], found["l1"]);
}

TEST(audit, says_what_a_table_restores) {
  const auto found = json_of(here)["findings"][0];
  EXPECT_GT(found["undo_rows"], 1000);
  EXPECT_LT(found["undo_restored_l1"], found["undo_by_label_l1"]);
  EXPECT_LT(found["undo_by_label_l1"], found["undo_answered_l1"]);
  // who gets the label alone has nothing more to restore from
  const auto label = json_of(here + "--defense none --label-only")["findings"][0];
  EXPECT_NEAR(double(label["undo_restored_l1"]) / double(label["undo_by_label_l1"]), 1, 0.3);
}

TEST(audit, covers_a_range) {
  const auto found = json_of(here + "--beta 0.3:1.5:0.3 --csv found.csv")["findings"];
  ASSERT_EQ(found.size(), 5u);
  double before = -1;
  for (const auto& one : found) {
    EXPECT_EQ(one["beta"], one["tau"]);
    EXPECT_GT(one["l1"], before);
    before = one["l1"];
  }
  std::istringstream csv(text_of("found.csv"));
  std::size_t lines = 0, columns = 0;
  for (std::string line; std::getline(csv, line); ++lines) {
    const auto here_columns = static_cast<std::size_t>(std::count(line.begin(), line.end(), ',')) + 1;
    if (lines == 0) columns = here_columns;
    EXPECT_EQ(here_columns, columns);
  }
  EXPECT_EQ(lines, 6u);
  EXPECT_EQ(json_of(here + "--beta 0.3,1")["findings"].size(), 2u);
}

/// What the advised setting does on data that it was not fitted to.
nlohmann::json advised_elsewhere(const std::string& defense, const std::string& limits) {
  const auto advice = json_of(here + defense + limits)["advice"];
  std::ostringstream setting;
  setting.precision(17);
  setting << " --tau " << double(advice["tau"]);
  if (!advice["beta"].is_null()) setting << " --beta " << double(advice["beta"]);
  return json_of(elsewhere + defense + setting.str())["findings"][0];
}

TEST(audit, gives_advice_that_keeps_its_budget_on_data_that_it_was_not_fitted_to) {
  for (const std::string gate : {"--gate confidence ", "--gate energy ", "--exact-odds "}) {
    const auto touched = advised_elsewhere(gate, "--budget-touched 0.05");
    EXPECT_LE(touched["touched"], 0.05) << gate;
    EXPECT_GT(touched["touched"], 0.03) << gate;
    const auto l1 = advised_elsewhere(gate, "--budget-touched 1 --budget-l1 0.1");
    EXPECT_LE(l1["l1"], 0.1) << gate;
    EXPECT_GT(l1["l1"], 0.06) << gate;
    const auto ece = advised_elsewhere(gate, "--budget-touched 1 --budget-ece 0.05");
    EXPECT_LE(double(ece["ece"]) - double(ece["ece_before"]), 0.05) << gate;
    EXPECT_GT(double(ece["ece"]) - double(ece["ece_before"]), 0.02) << gate;
    const auto changed = advised_elsewhere(gate + "--defense misdirect --key 000102030405060708090a0b0c0d0e0f ",
                                           "--budget-touched 1 --budget-changed 0.02");
    EXPECT_LE(changed["changed"], 0.02) << gate;
    EXPECT_GT(changed["changed"], 0.005) << gate;
    EXPECT_GT(changed["strange_changed"], changed["changed"]) << gate;
  }
}

TEST(audit, takes_the_advised_threshold_of_an_energy_where_none_is_given) {
  const auto found = json_of(here + "--gate energy");
  EXPECT_EQ(found["findings"][0]["tau"], found["advice"]["tau"]);
  EXPECT_EQ(found["findings"][0]["beta"], 0.9);
  EXPECT_EQ(json_of(here + "--gate energy --tau 3")["findings"][0]["tau"], 3);
  EXPECT_NE(audit(here + "--gate energy --quiet").out.find("calibrate's is taken"), std::string::npos);
}

TEST(audit, reads_what_numpy_writes) {
  // both written by NumPy 1.24: the first 64 rows of logits.csv and labels.csv, as float32 and int64
  const auto from_npy = json_of(CHAFF_AUDIT_SOURCE "/sample_logits.npy --labels " CHAFF_AUDIT_SOURCE
                                                   "/sample_labels.npy --budget-touched 0.5");
  ASSERT_EQ(std::system("head -n 64 logits.csv > some.csv && head -n 64 labels.csv > some_labels.csv"), 0);
  EXPECT_EQ(from_npy, json_of("some.csv --labels some_labels.csv --budget-touched 0.5"));
}

TEST(audit, draws_charts) {
  const run done = audit(here + "--decimals 1 --quiet --svg charts");
  EXPECT_EQ(done.status, 0) << done.out;
  for (const char* name : {"charts/confidence.svg", "charts/reliability.svg", "charts/l1.svg"}) {
    const std::string svg = text_of(name);
    EXPECT_NE(svg.find("</svg>"), std::string::npos) << name;
    EXPECT_NE(svg.find("<path"), std::string::npos) << name;
  }
}

TEST(audit, tells_how_far_it_is_unless_told_not_to) {
  EXPECT_NE(audit(here + "--beta 0.1:1.5:0.2").out.find("setting "), std::string::npos);
  EXPECT_EQ(audit(here + "--beta 0.1:1.5:0.2 --quiet").out.find("setting "), std::string::npos);
}

TEST(audit, refuses_bad_input_with_its_place) {
  const auto refused = [](const std::string& arguments) {
    const run done = audit(arguments + " --quiet");
    EXPECT_NE(done.status, 0) << arguments;
    return done.out;
  };
  std::ofstream("bad.csv") << "1,2,3\n4,5\n";
  std::ofstream("empty.csv");
  std::ofstream("two.csv") << "1,2\n";
  EXPECT_EQ(refused("bad.csv"), "audit: bad.csv:2:3: the row has 2 columns, line 1 has 3\n");
  EXPECT_EQ(refused("empty.csv"), "audit: empty.csv: the file is empty\n");
  EXPECT_EQ(refused("no_such.csv"), "audit: no_such.csv: cannot be opened\n");
  EXPECT_EQ(refused("logits.csv --labels two.csv"), "audit: two.csv:1:3: a line has one label\n");
  EXPECT_EQ(refused("logits.csv --labels some_other.csv"), "audit: some_other.csv: cannot be opened\n");
  EXPECT_EQ(refused("logits.csv --strange two.csv"), "audit: two.csv: rows of 2 classes, logits.csv has 10\n");
  EXPECT_EQ(refused("logits.csv --probabilities"),
            "audit: chaff: row 0 is not a row of probabilities; if the model returns logits, policy.input must be "
            "form::logits\n");
  EXPECT_NE(refused("logits.csv --beta -1").find("--beta: -1 is not in [0, 1000]"), std::string::npos);
  EXPECT_EQ(refused("logits.csv --gamma 2000"), "audit: chaff: gamma is 2000, allowed is [0, 1000]\n");
  EXPECT_NE(refused("logits.csv --beta x").find("'x' is no number"), std::string::npos);
  EXPECT_NE(refused("logits.csv --beta 1:0:1").find("from:to:step"), std::string::npos);
  EXPECT_NE(refused("logits.csv --defense dpc").find("dpc not in"), std::string::npos);
  EXPECT_NE(refused("logits.csv --defense misdirect").find("--key is required"), std::string::npos);
  EXPECT_NE(refused("logits.csv --budget-ece 0.1").find("needs held_out.truth"), std::string::npos);
  EXPECT_NE(refused("logits.csv --csv /no/such/folder.csv").find("cannot be written"), std::string::npos);
}

}  // namespace
