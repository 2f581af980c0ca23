// SPDX-License-Identifier: MIT
/// Runs the tool as a user does, on logits of real images, and reads its output.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct run {
  int status;
  std::string out;  // and err
};

run run_command(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  char part[4096];
  while (const std::size_t count = std::fread(part, 1, sizeof part, pipe)) out.append(part, count);
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
}

run run_audit(const std::string& arguments) {
  return run_command(CHAFF_AUDIT " " + arguments + " 2>&1");
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

nlohmann::json json_of(const std::string& arguments) {
  const run result = run_audit(arguments + " --quiet --json findings.json");
  EXPECT_EQ(result.status, 0) << result.out;
  return nlohmann::json::parse(text_of("findings.json"));
}

const std::string data_files = "logits.csv --labels labels.csv --ood ood.csv ";
const std::string sample = CHAFF_AUDIT_SOURCE "/sample_logits.npy";
const std::string other_files = "other_logits.csv --labels other_labels.csv --ood ood.csv ";

TEST(Audit, PrintsTheUtilityOfADefense) {
  const run result = run_audit(data_files + "--quiet");
  EXPECT_EQ(result.status, 0);
  EXPECT_NE(result.out.find("5000 rows of 10 classes, 5000 OOD queries"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\ndcp(beta=0.9, gamma=0.2, nu=1000, rule=clamped)\n"), std::string::npos);
  const auto finding = json_of(data_files)["findings"][0];
  EXPECT_GT(finding["accuracy"], 0.9);
  EXPECT_EQ(finding["accuracy"], finding["accuracy_before"]);
  EXPECT_EQ(finding["label_changes"], 0);
  EXPECT_NEAR(double(finding["perturbed"]), 0.26, 0.02);  // as the quickstart has it
  EXPECT_GT(finding["ece"], finding["ece_before"]);
  EXPECT_LT(finding["auroc"], finding["auroc_before"]);
  EXPECT_GT(finding["ood_l1"], finding["l1"]);
}

TEST(Audit, MeasuresAnAttackByATable) {
  const auto finding = json_of(data_files)["findings"][0];
  EXPECT_GT(finding["undo_rows"], 1000);
  EXPECT_LT(finding["undo_restored_l1"], finding["undo_by_label_l1"]);
  EXPECT_LT(finding["undo_by_label_l1"], finding["undo_answered_l1"]);
  // an answer of the label alone has nothing more to recover from
  const auto label = json_of(data_files + "--defense 'none | label_only'")["findings"][0];
  EXPECT_NEAR(double(label["undo_restored_l1"]) / double(label["undo_by_label_l1"]), 1, 0.3);
}

/// The canonical text of dcp with this beta, and with the rest as by default.
std::string dcp_text(const char* beta) {
  return std::string("dcp(beta=") + beta + ", gamma=0.2, nu=1000, rule=clamped)";
}

TEST(Audit, MeasuresEachDefenseOfARange) {
  const auto findings = json_of(data_files + "--defense 'dcp( beta = 0.3:1.5:0.3 )' --csv findings.csv")["findings"];
  const char* const betas[] = {"0.3", "0.6", "0.9", "1.2", "1.5"};
  ASSERT_EQ(findings.size(), 5u);
  double previous_l1 = -1;
  std::istringstream csv(text_of("findings.csv"));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line.find("defense,accuracy_before,"), 0u) << line;
  const auto columns = std::count(line.begin(), line.end(), ',');
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(findings[i]["defense"], dcp_text(betas[i]));
    EXPECT_GT(findings[i]["l1"], previous_l1);
    previous_l1 = findings[i]["l1"];
    std::getline(csv, line);
    const std::string field = '"' + dcp_text(betas[i]) + '"';  // quoted, since it has commas
    EXPECT_EQ(line.find(field + ','), 0u) << line;
    EXPECT_EQ(std::count(line.begin() + static_cast<std::ptrdiff_t>(field.size()), line.end(), ','), columns);
  }
  EXPECT_FALSE(std::getline(csv, line));
  const auto rounded = json_of(data_files + "--defense 'none | rounded(decimals=1:3:1)'")["findings"];
  ASSERT_EQ(rounded.size(), 3u);
  EXPECT_EQ(rounded[2]["defense"], "none | rounded(decimals=3)");
}

TEST(Audit, TakesTheTextsThatItPrints) {
  const std::string texts =
      "--defense 'energy_dcp(tau=4.7,beta=1.25)|top_k(k=3)|rounded(decimals=2)' --policy label_margin=0.011 ";
  const auto report = json_of(data_files + texts);
  const std::string defense = report["findings"][0]["defense"], policy = report["policy"];
  EXPECT_EQ(defense,
            "energy_dcp(beta=1.25, gamma=0.2, nu=1000, tau=4.7, rule=clamped) | top_k(k=3) | rounded(decimals=2)");
  EXPECT_EQ(json_of(data_files + "--defense '" + defense + "' --policy '" + policy + "'"), report);
  // calibrate chooses tau and beta whatever they were, so the advice is advised again
  const std::string advised = report["advice"]["defense"];
  EXPECT_NE(advised.find(" | top_k(k=3) | rounded(decimals=2)"), std::string::npos) << advised;
  const auto again = json_of(data_files + "--defense '" + advised + "' --policy '" + policy + "'");
  EXPECT_EQ(again["findings"][0], report["advice"]);
  EXPECT_EQ(again["advice"], report["advice"]);
}

TEST(Audit, AppliesThePolicy) {
  EXPECT_LE(json_of(data_files + "--defense 'dcp(beta=1.5)' --policy max_l1=0.2")["findings"][0]["l1"], 0.2);
  EXPECT_GT(json_of(data_files + "--defense 'dcp(beta=1.5)'")["findings"][0]["l1"], 0.2);
  EXPECT_NE(run_audit(data_files + "--policy max_l1=0.2 --quiet")
                .out.find("\npolicy(keep_label=true, label_margin=0, max_l1=0.2,"),
            std::string::npos);
}

/// The figures of the advised defense on data that it was not chosen from.
nlohmann::json advised_finding(const std::string& defense, const std::string& limits) {
  const auto advice = json_of(data_files + "--defense '" + defense + "' " + limits)["advice"];
  const std::string policy = defense.find("misdirect") != defense.npos ? " --policy keep_label=false" : "";
  return json_of(other_files + "--defense '" + std::string(advice["defense"]) + "'" + policy)["findings"][0];
}

TEST(Audit, AdviceKeepsItsBudgetOnOtherData) {
  for (const std::string defense : {"dcp", "energy_dcp", "dcp(rule=exact)"}) {
    const auto perturbed = advised_finding(defense, "--budget-perturbed 0.05");
    EXPECT_LE(perturbed["perturbed"], 0.05) << defense;
    EXPECT_GT(perturbed["perturbed"], 0.03) << defense;
    const auto l1 = advised_finding(defense, "--budget-perturbed 1 --budget-l1 0.1");
    EXPECT_LE(l1["l1"], 0.1) << defense;
    EXPECT_GT(l1["l1"], 0.06) << defense;
    const auto ece = advised_finding(defense, "--budget-perturbed 1 --budget-ece-increase 0.05");
    EXPECT_LE(double(ece["ece"]) - double(ece["ece_before"]), 0.05) << defense;
    EXPECT_GT(double(ece["ece"]) - double(ece["ece_before"]), 0.02) << defense;
  }
  for (const std::string gate : {"confidence_gate", "energy_gate"}) {
    const auto relabelled =
        advised_finding("gated(" + gate + ", misdirect(key=000102030405060708090a0b0c0d0e0f))",
                        "--policy keep_label=false --budget-perturbed 1 --budget-label-changes 0.02");
    EXPECT_LE(relabelled["label_changes"], 0.02) << gate;
    EXPECT_GT(relabelled["label_changes"], 0.005) << gate;
    EXPECT_GT(relabelled["ood_label_changes"], relabelled["label_changes"]) << gate;
  }
}

TEST(Audit, TakesTheThresholdOfAnEnergyGateFromCalibrate) {
  const std::string with_key = "misdirect(key=000102030405060708090a0b0c0d0e0f))' --policy keep_label=false";
  const auto tau_of = [](const std::string& text) {
    const std::size_t begin = text.find("tau=");
    return begin == text.npos ? "" : text.substr(begin, text.find_first_of(",)", begin) - begin);
  };
  for (const std::string& without :
       {std::string("energy_dcp'"), std::string("energy_dcp ( ) | rounded'"), std::string("energy_dcp( gamma=0.1)'"),
        "gated(energy_gate, " + with_key, "gated(energy_gate(nu=500), " + with_key}) {
    const auto report = json_of(data_files + "--defense '" + without);
    EXPECT_EQ(tau_of(report["findings"][0]["defense"]), tau_of(report["advice"]["defense"])) << without;
    EXPECT_NE(tau_of(report["findings"][0]["defense"]), "") << without;
    EXPECT_NE(tau_of(report["findings"][0]["defense"]), "tau=0") << without;
  }
  EXPECT_EQ(tau_of(json_of(data_files + "--defense 'energy_dcp(tau=3)'")["findings"][0]["defense"]), "tau=3");
  EXPECT_EQ(json_of(data_files + "--defense 'energy_dcp(beta=0.3:0.9:0.3)'")["findings"].size(), 3u);
  EXPECT_NE(run_audit(data_files + "--defense energy_dcp --quiet").out.find("calibrate's is taken"), std::string::npos);
}

TEST(Audit, ReadsFilesOfNumPy) {
  // both written by NumPy 1.24: the first 64 rows of logits.csv and labels.csv, as float32 and int64
  const auto from_npy = json_of(CHAFF_AUDIT_SOURCE "/sample_logits.npy --labels " CHAFF_AUDIT_SOURCE
                                                   "/sample_labels.npy --budget-perturbed 0.5");
  ASSERT_EQ(std::system("head -n 64 logits.csv > some.csv && head -n 64 labels.csv > some_labels.csv"), 0);
  EXPECT_EQ(from_npy, json_of("some.csv --labels some_labels.csv --budget-perturbed 0.5"));
}

TEST(Audit, SaysHowEachFileIsRead) {
  ASSERT_EQ(std::system("tr , ';' < ood.csv > semicolons.csv"), 0);
  const run result = run_audit("logits.csv --ood semicolons.csv --quiet");
  EXPECT_NE(result.out.find("\nlogits.csv: numbers separated by commas\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\nsemicolons.csv: numbers separated by semicolons\n"), std::string::npos) << result.out;
  EXPECT_NE(run_audit(sample + " --quiet").out.find("sample_logits.npy: NPY of '<f4'\n"), std::string::npos);
}

TEST(Audit, PrintsTheFiguresWhereTheRowsAreTooFewForAdvice) {
  // 64 rows; the interval around a cost of 0 is wider than 5 % below 76 rows
  const run result = run_audit(sample + " --quiet --json few.json --csv few.csv");
  EXPECT_EQ(result.status, 0) << result.out;
  const std::size_t figures = result.out.find("rows perturbed"), reason = result.out.find("no advice: ");
  ASSERT_NE(figures, std::string::npos) << result.out;
  ASSERT_NE(reason, std::string::npos) << result.out;
  EXPECT_LT(figures, reason);
  EXPECT_NE(result.out.find("64 rows", reason), std::string::npos);
  EXPECT_NE(result.out.find("needs 76 rows or more", reason), std::string::npos);
  const auto whole = nlohmann::json::parse(text_of("few.json"));
  EXPECT_EQ(whole["findings"].size(), 1u);
  EXPECT_TRUE(whole["advice"].is_null());
  EXPECT_NE(std::string(whole["no_advice"]).find("needs 76 rows or more"), std::string::npos);
  EXPECT_EQ(run_audit(sample + " --defense 'dcp(beta=0.3:1.5:0.3)' --quiet").status, 0);
  const run without_tau = run_audit(sample + " --defense energy_dcp --quiet");
  EXPECT_NE(without_tau.status, 0) << "no figures without a threshold";
  EXPECT_NE(without_tau.out.find("no tau for the energy gate, and none from calibrate"), std::string::npos);
}

TEST(Audit, WarnsOfProbabilitiesReadAsLogits) {
  std::ofstream file("probabilities.csv");
  for (int row = 0; row < 100; ++row) file << "0.7,0.2,0.1\n0.05,0.15,0.8\n";
  file.close();
  const std::string warning =
      "audit: warning: probabilities.csv: no number is negative and every row sums to 1, as probabilities do; if they "
      "are probabilities, say --policy input=probabilities\n";
  const run read_as_logits = run_audit("probabilities.csv --quiet --json warnings.json");
  EXPECT_EQ(read_as_logits.status, 0);
  EXPECT_NE(read_as_logits.out.find(warning), std::string::npos) << read_as_logits.out;
  EXPECT_EQ(nlohmann::json::parse(text_of("warnings.json"))["warnings"].size(), 1u);
  const run read_as_probabilities = run_audit("probabilities.csv --policy input=probabilities --quiet");
  EXPECT_EQ(read_as_probabilities.status, 0);
  EXPECT_EQ(read_as_probabilities.out.find("warning"), std::string::npos) << read_as_probabilities.out;
  EXPECT_EQ(run_audit(data_files + "--quiet").out.find("warning"), std::string::npos);
}

TEST(Audit, WarnsOfAColumnThatIsNoLogit) {
  ASSERT_EQ(std::system("paste -d , logits.csv labels.csv > with_labels.csv"), 0);
  const run result = run_audit("with_labels.csv --quiet");
  EXPECT_NE(result.out.find("audit: warning: with_labels.csv: column 11 holds whole numbers"), std::string::npos)
      << result.out;
}

TEST(Audit, FailsWhereAnOutputCannotBeWritten) {
  const auto failure = [](const std::string& command) {
    const run result = run_command(command);
    EXPECT_EQ(result.status, 1) << command << "\n" << result.out;
    return result.out;
  };
  const std::string audit = CHAFF_AUDIT " " + sample + " --budget-perturbed 0.5 --quiet ";
  EXPECT_EQ(failure(audit + "2>&1 > /dev/full"), "audit: standard output cannot be written\n");
  EXPECT_EQ(failure(CHAFF_AUDIT " --help 2>&1 > /dev/full"), "audit: standard output cannot be written\n");
  EXPECT_EQ(failure(audit + "--csv /dev/full 2>&1 > /dev/null"), "audit: /dev/full: cannot be written\n");
  EXPECT_EQ(failure(audit + "--json /dev/full 2>&1 > /dev/null"), "audit: /dev/full: cannot be written\n");
  EXPECT_NE(failure(audit + "--svg /dev/full 2>&1 > /dev/null").find("/dev/full"), std::string::npos);
  // a limit of the file size cuts a chart as a full disk does, and gnuplot does not notice
  EXPECT_NE(failure("trap '' XFSZ; ulimit -f 4; " + audit + "--svg full 2>&1 > /dev/null")
                .find("audit: full/confidence.svg: gnuplot could not write the chart\n"),
            std::string::npos);
  // a reader that closes the pipe, which yes waits for; the status of the pipeline is the reader's
  EXPECT_EQ(run_command("{ yes; " + audit + "2> closed.txt; echo $? > closed_status.txt; } | true").status, 0);
  EXPECT_EQ(text_of("closed_status.txt"), "1\n");
  EXPECT_EQ(text_of("closed.txt"), "audit: standard output cannot be written\n");
}

TEST(Audit, SaysWhyLabelsDoNotFitTheRows) {
  ASSERT_EQ(std::system("{ echo 0; cat labels.csv; } > labels_header.csv"), 0);
  EXPECT_NE(run_audit("logits.csv --labels labels_header.csv --quiet")
                .out.find("5001 labels for 5000 rows of logits; if the first line names the column, say --header"),
            std::string::npos);
  ASSERT_EQ(std::system("{ echo a,b,c,d,e,f,g,h,i,j; cat logits.csv; } > logits_header.csv"), 0);
  EXPECT_NE(run_audit("logits_header.csv --header --labels labels.csv --quiet")
                .out.find("4999 labels for 5000 rows of logits; --header takes the first line of every CSV file"),
            std::string::npos);
  EXPECT_EQ(run_audit("logits_header.csv --header --labels labels_header.csv --quiet").status, 0);
}

TEST(Audit, PrintsTheSameWithLibcxx) {
  for (const std::string& arguments : {data_files, sample + " ", std::string("bad_number.csv ")}) {
    std::ofstream("bad_number.csv") << "1,x\n";
    const run other = run_command(CHAFF_AUDIT_LIBCXX " " + arguments + "--quiet 2>&1");
    EXPECT_EQ(other.out, run_audit(arguments + "--quiet").out);
    EXPECT_FALSE(other.out.empty());
  }
}

TEST(Audit, DrawsCharts) {
  const run result =
      run_audit(data_files + "--defense 'dcp(beta=0:1.5:0.5) | rounded(decimals=1)' --quiet --svg charts");
  EXPECT_EQ(result.status, 0) << result.out;
  for (const char* name : {"charts/confidence.svg", "charts/reliability.svg", "charts/l1.svg"}) {
    const std::string svg = text_of(name);
    EXPECT_NE(svg.find("</svg>"), std::string::npos) << name;
    EXPECT_NE(svg.find("<path"), std::string::npos) << name;
  }
}

TEST(Audit, ReportsProgressUnlessQuiet) {
  EXPECT_NE(run_audit(data_files + "--defense 'dcp(beta=0.1:1.5:0.2)'").out.find("setting "), std::string::npos);
  EXPECT_EQ(run_audit(data_files + "--defense 'dcp(beta=0.1:1.5:0.2)' --quiet").out.find("setting "),
            std::string::npos);
}

TEST(Audit, RefusesBadInputWithItsPosition) {
  const auto refusal = [](const std::string& arguments) {
    const run result = run_audit(arguments + " --quiet");
    EXPECT_NE(result.status, 0) << arguments;
    return result.out;
  };
  std::ofstream("bad.csv") << "1,2,3\n4,5\n";
  std::ofstream("empty.csv");
  std::ofstream("two.csv") << "1,2\n";
  EXPECT_EQ(refusal("bad.csv"), "audit: bad.csv:2:3: the row has 2 columns, line 1 has 3\n");
  EXPECT_EQ(refusal("empty.csv"), "audit: empty.csv: the file is empty\n");
  EXPECT_EQ(refusal("no_such.csv"), "audit: no_such.csv: cannot be opened\n");
  EXPECT_EQ(
      refusal("logits.csv --labels two.csv"),
      "audit: two.csv:1:3: a line has one label; an index column must go (pandas: index=False), and so must a decimal "
      "comma\n");
  EXPECT_EQ(refusal("logits.csv --labels some_other.csv"), "audit: some_other.csv: cannot be opened\n");
  EXPECT_EQ(refusal("logits.csv --ood two.csv"), "audit: two.csv: rows of 2 classes, logits.csv has 10\n");
  EXPECT_EQ(refusal("logits.csv --policy input=probabilities"),
            "audit: chaff: row 0 is not a row of probabilities; if the model returns logits, policy.input must be "
            "form::logits\n");
  EXPECT_EQ(refusal("logits.csv --defense 'dcp(gamma=2000)'"),
            "audit: chaff: defense, position 10: gamma is 2000, allowed is [0, 1000]\n");
  for (const char* range : {"beta=x:1:1", "beta=1:0:1", "beta=0:1", "beta=0:1:0", "beta=0:1:1:1", "beta=0:9:0.001",
                            "beta=:", "0:1:1", "beta=0:inf:1"}) {
    EXPECT_EQ(refusal("logits.csv --defense 'dcp(" + std::string(range) + ")'"),
              "audit: --defense: a range is parameter=from:to:step, of at most 1000 steps\n");
  }
  EXPECT_NE(refusal("logits.csv --defense 'dcp(beta=0:1:1, tau=0:1:1)'").find("':'"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --defense 'dcp(beta=0:9999:999)'").find("allowed is [0, 1000]"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --defense dpc").find("read 'dpc'"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --defense energy_dcpx").find("read 'energy_dcpx'"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --defense misdirect").find("misdirect needs a key"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --defense 'misdirect(key=000102030405060708090a0b0c0d0e0f)'").find("policy.keep_label"),
            std::string::npos);
  const std::string vertex = "random_vertex(key=000102030405060708090a0b0c0d0e0f))'";
  EXPECT_EQ(refusal("logits.csv --defense 'gated(energy_gate, " + vertex),
            "audit: no tau for the energy gate, and none from calibrate: it is not run for random_vertex\n");
  EXPECT_TRUE(json_of("logits.csv --defense 'gated(confidence_gate, " + vertex)["advice"].is_null());
  EXPECT_NE(refusal("logits.csv --policy max_l1=3").find("max_l1 is 3, allowed is [0, 2]"), std::string::npos);
  EXPECT_EQ(refusal("logits.csv --policy answer=logits"),
            "audit: --policy: answers are audited as probabilities, so leave out answer\n");
  EXPECT_NE(refusal("logits.csv --budget-ece-increase 0.1").find("needs calibration_data.labels"), std::string::npos);
  EXPECT_NE(refusal("logits.csv --csv /no/such/folder.csv").find("cannot be written"), std::string::npos);
}

/// Writes numbers to a file, one a line.
std::string file_of(const std::string& path, const std::vector<double>& numbers) {
  std::ofstream file(path);
  for (const double number : numbers) file << number << "\n";
  return path;
}

/// 1,000 different scores from 1.5 on, so that one of 0 has a surprise of log 1001.
std::string benign_scores() {
  std::vector<double> scores(1000);
  for (std::size_t i = 0; i < 1000; ++i) scores[i] = 1.5 + static_cast<double>(i * 387 % 1000) / 8;
  return file_of("benign_scores.csv", scores);
}

TEST(AuditOfAccounts, CountsTheQueriesThatTheFormulaNeeds) {
  const std::string benign = benign_scores();
  const auto found = json_of(benign + " --accounts " + file_of("suspects.csv", std::vector<double>(40, 0.0)));
  const double theta = 0.79681213002002;  // the root of exp(2 theta) (1 - theta) = 1
  EXPECT_NEAR(found["threshold"], std::log(1e7) / theta, 1e-9);
  EXPECT_NEAR(found["mean_surprise"], std::log(1001.0), 1e-12);
  EXPECT_EQ(found["flagged_median"], std::ceil(std::log(1e7) / theta / (std::log(1001.0) - 2)));
  EXPECT_EQ(found["flagged_95"], found["flagged_median"]);
  EXPECT_EQ(found["never_flagged"], 0);
  EXPECT_EQ(found["score"], "given");
  const auto too_few = json_of(benign + " --accounts " + file_of("suspects.csv", std::vector<double>(4, 0.0)));
  EXPECT_EQ(too_few["never_flagged"], 1);
  EXPECT_TRUE(too_few["flagged_median"].is_null());
  const auto sooner = json_of(benign + " --accounts suspects.csv --false-alarms 0.5 --queries 100");
  EXPECT_EQ(sooner["flagged_median"], std::ceil(std::log(200) / theta / (std::log(1001.0) - 2)));
}

/// Five suspicious scores and three that are not, in all their orders.
TEST(AuditOfAccounts, ShareOfOrdersNeverFlaggedIsThatOfAllOrders) {
  std::vector<double> order{0, 0, 0, 0, 0, 1e6, 1e6, 1e6};
  const double threshold = std::log(1e7) / 0.79681213002002;
  int orders = 0, never = 0;
  do {
    double evidence = 0;
    bool is_flagged = false;
    for (const double score : order) {
      evidence = std::max(0.0, evidence + (score > 0 ? 0 : std::log(1001.0)) - 2);
      is_flagged = is_flagged || evidence >= threshold;
    }
    ++orders;
    never += is_flagged ? 0 : 1;
  } while (std::next_permutation(order.begin(), order.end()));
  ASSERT_GT(never, 0);
  ASSERT_LT(never, orders);
  const auto found = json_of(benign_scores() + " --accounts " + file_of("suspects.csv", order) + " --orders 20000");
  EXPECT_NEAR(found["never_flagged"], static_cast<double>(never) / orders, 0.02);
}

TEST(AuditOfAccounts, ScoresLogitsByTheGateOfTheDefense) {
  const std::string files = "logits.csv --accounts ood.csv --defense ";
  const auto energy = json_of(files + "energy_dcp"),
             confidence = json_of(files + "'gated(confidence_gate, misdirect(key=000102030405060708090a0b0c0d0e0f))'");
  EXPECT_EQ(energy["score"], "energy_gate");
  EXPECT_EQ(confidence["score"], "confidence_gate");
  EXPECT_LT(energy["flagged_median"], 20);
  EXPECT_LT(confidence["mean_surprise"], energy["mean_surprise"]);
  const auto benign = json_of("logits.csv --accounts other_logits.csv --defense energy_dcp --csv accounts.csv");
  EXPECT_EQ(benign["never_flagged"], 1);
  EXPECT_NEAR(benign["mean_surprise"], 1, 0.05);  // exponential, with mean 1
  std::istringstream csv(text_of("accounts.csv"));
  std::string names, values;
  std::getline(csv, names);
  std::getline(csv, values);
  EXPECT_EQ(names.find("score,benign_scores,suspect_scores,false_alarms,"), 0u) << names;
  EXPECT_EQ(std::count(names.begin(), names.end(), ','), std::count(values.begin(), values.end(), ','));
  EXPECT_NE(values.find(",,,1"), std::string::npos) << "no query of any order flags: " << values;
  const run result = run_audit(files + "energy_dcp");
  EXPECT_EQ(result.status, 0);
  EXPECT_NE(result.out.find("5000 benign scores, 5000 suspect scores, 1000 orders of these"), std::string::npos);
  EXPECT_NE(
      result.out.find("score: energy_gate\nat most 0.1 % of benign accounts flagged within 10000 queries, drift 2"),
      std::string::npos)
      << result.out;
}

TEST(AuditOfAccounts, SaysWhatIsWrong) {
  const auto expect_error = [](const std::string& arguments, const std::string& message) {
    const run result = run_audit(arguments);
    EXPECT_NE(result.status, 0) << arguments;
    EXPECT_NE(result.out.find(message), std::string::npos) << result.out;
  };
  const std::string few = file_of("few.csv", {1.5, 2.5, 3.5});
  expect_error(
      few + " --accounts few.csv",
      "audit: chaff: 3 benign_scores flag no account within 10000 queries: drift 2 needs 7 benign scores or more");
  expect_error("logits.csv --accounts ood.csv", "logits.csv: 10 columns, scores are one; of logits, say which gate");
  expect_error("logits.csv --accounts ood.csv --defense none", "none has no gate with a score");
  expect_error("logits.csv --accounts ood.csv --defense 'dcp(beta=0.1:1:0.1)'", "without a range");
  expect_error("logits.csv --accounts ood.csv --defense energy_dcp --policy input=probabilities",
               "an energy gate needs logits");
  expect_error("logits.csv --accounts ood.csv --defense dcp --drift 1", "drift is 1, allowed is [1.01, 20]");
  expect_error("logits.csv --accounts ood.csv --defense dcp --orders 0", "--orders");
  expect_error("logits.csv --accounts ood.csv --defense dcp --labels labels.csv", "excludes");
  expect_error("logits.csv --accounts missing.csv --defense dcp", "missing.csv: cannot be opened");
}

TEST(Audit, ReportsTheLastLayerBeforeAndAfterInEveryFormat) {
  // logits W h + b of a random net of width 32 and 111 classes, and their softmax as an attacker has it
  constexpr int width = 32, classes = 111;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  double weights[width + 1][classes];
  for (auto& row : weights) {
    for (double& weight : row) weight = normal(random) / 2;
  }
  std::ofstream logits_file("net.csv"), answers_file("net_answers.csv");
  logits_file.precision(9);
  answers_file.precision(9);
  for (int i = 0; i < 300; ++i) {
    std::vector<double> logits(weights[width], weights[width] + classes);
    for (int h = 0; h < width; ++h) {
      const double hidden = std::max(0.0, normal(random));
      for (std::size_t j = 0; j < classes; ++j) logits[j] += hidden * weights[h][j];
    }
    double sum = 0;
    for (const double z : logits) sum += std::exp(z);
    for (std::size_t j = 0; j < classes; ++j) {
      logits_file << logits[j] << (j + 1 < classes ? "," : "\n");
      answers_file << std::exp(logits[j]) / sum << (j + 1 < classes ? "," : "\n");
    }
  }
  logits_file.close();
  answers_file.close();
  const run result = run_audit("net.csv --defense 'dcp(beta=1.2)' --quiet --json net.json --csv findings_net.csv");
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_NE(result.out.find("\nbefore: The width of the last hidden layer can be read off "), std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("\nafter: No width can be read off: "), std::string::npos) << result.out;
  const auto finding = nlohmann::json::parse(text_of("net.json"))["findings"][0];
  EXPECT_EQ(finding["last_layer_width_before"], 32);
  EXPECT_TRUE(finding["last_layer_width"].is_null());
  EXPECT_GT(finding["last_layer_drop_before"], 1e3);
  EXPECT_LT(finding["last_layer_drop"], 5);
  const std::size_t rows = finding["last_layer_before"]["rows"];
  EXPECT_EQ(finding["last_layer_before"]["singular_values"].size(), std::min<std::size_t>(rows, classes) - 1);
  EXPECT_EQ(std::string(finding["last_layer"]["verdict"]).find("No width can be read off: "), 0u);
  EXPECT_NE(text_of("findings_net.csv").find(",last_layer_width_before,last_layer_width,last_layer_drop_before,"),
            std::string::npos);
  EXPECT_NE(run_audit("net.csv --defense 'dcp(beta=0.9:1.2:0.3)' --quiet").out.find("by label  width  defense\n"),
            std::string::npos);
  EXPECT_EQ(json_of("net_answers.csv --policy input=probabilities")["findings"][0]["last_layer_width_before"], 32);
}

}  // namespace
