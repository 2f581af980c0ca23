// SPDX-License-Identifier: MIT
/// Audits a defense on logits, without the model: what it costs benign users, what it does to OOD queries, what an
/// attacker with a table recovers, what shows of the last hidden layer, and which parameters a budget allows. See
/// README.md.
#include <CLI/CLI.hpp>
#include <chaff/version.hpp>
#include <chrono>
#include <csignal>

#include "accounts.hpp"
#include "charts.hpp"
#include "defense_text.hpp"
#include "output.hpp"
#include "read.hpp"

namespace {

using namespace audit;

/// Writes progress to one line of standard error, at most four times a second.
class progress {
 public:
  explicit progress(bool is_shown) : is_shown_(is_shown) {}
  ~progress() {
    if (was_shown_) std::fputs("\r\x1b[K", stderr);
  }
  template <class... Values>
  void report(const char* format, Values... values) {
    const auto now = std::chrono::steady_clock::now();
    if (!is_shown_ || now - last_ < std::chrono::milliseconds(250)) return;
    last_ = now;
    was_shown_ = true;
    std::fputs("\r\x1b[K", stderr);
    std::fprintf(stderr, format, values...);
    std::fflush(stderr);
  }

 private:
  bool is_shown_, was_shown_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

struct options {
  std::string logits, labels, ood, csv, json, svg;
  bool has_header = false, is_quiet = false;
  chaff::utility_budget budget{.perturbed = 0.05};
  std::string defense = "dcp", policy_text;
  chaff::policy policy;
  account_options accounts;
};

struct data {
  table logits;
  std::vector<int> labels;
  table ood;
  std::vector<std::string> warnings;  ///< what is suspicious about the files

  chaff::calibration_data<float> for_calibration() const { return {logits.values, logits.columns, labels, ood.values}; }
};

/// Answers all rows under a defense.
std::vector<float> answer(const chaff::any_defense& defense, const table& logits, const chaff::policy& policy) {
  std::vector<float> answers(logits.values.size());
  chaff::apply_rows(defense, logits.values, logits.columns, answers, policy);
  return answers;
}

/// The posteriors of all rows: the answers of `none`.
std::vector<float> undefended_answers(const table& logits, const chaff::policy& policy) {
  return answer(chaff::none{}, logits, {.input = policy.input});
}

/// What undefended answers to all rows, OOD queries among them, show of the last hidden layer.
last_layer undefended_last_layer(const data& data, const chaff::policy& policy) {
  std::vector<float> posteriors = undefended_answers(data.logits, policy);
  if (data.ood.rows() > 0) {
    const std::vector<float> ood = undefended_answers(data.ood, policy);
    posteriors.insert(posteriors.end(), ood.begin(), ood.end());
  }
  return find_last_layer(posteriors, data.logits.columns);
}

finding measure(const std::string& text, const data& data, const chaff::policy& policy, const last_layer& undefended) {
  const chaff::any_defense defense = chaff::parse_defense(text);
  const std::size_t classes = data.logits.columns;
  std::vector<float> answers = answer(defense, data.logits, policy);
  std::vector<float> posteriors = undefended_answers(data.logits, policy);
  finding result{text, chaff::utility_of(answers, posteriors, classes, data.labels), std::nullopt, {}, undefended, {}};
  if (data.ood.rows() > 0) {
    const std::vector<float> ood_answers = answer(defense, data.ood, policy);
    const std::vector<float> ood_posteriors = undefended_answers(data.ood, policy);
    result.ood = chaff::utility_of(ood_answers, ood_posteriors, classes);
    answers.insert(answers.end(), ood_answers.begin(), ood_answers.end());
    posteriors.insert(posteriors.end(), ood_posteriors.begin(), ood_posteriors.end());
  }
  result.attack = attack_by_table(answers, posteriors, classes);
  result.layer = find_last_layer(answers, classes);
  return result;
}

/// The advice: a defense, or the reason why the rows are too few for one; neither where calibrate has nothing to
/// choose.
struct advice {
  std::string defense;  ///< its canonical text, or ""
  std::string too_few_rows;
};

/// Raises what calibrate raises for any other reason than too few rows.
advice run_calibrate(const std::string& text, const options& options, const data& data, progress& progress_line) {
  if (!has_choice(text)) return {};
  int tries = 0;
  const auto calibrated = [&](const chaff::utility_budget& budget) {
    return calibrated_text(text, data.for_calibration(), budget, options.policy,
                           [&] { progress_line.report("calibrate: %d settings tried", ++tries); });
  };
  try {
    return {calibrated(options.budget), ""};
  } catch (const std::invalid_argument& error) {
    // too few rows are too few for the room that the budget leaves, and enough without room
    chaff::utility_budget without_room = options.budget;
    without_room.sigmas = 0;
    if (!(options.budget.sigmas > 0)) throw;
    calibrated(without_room);
    return {"", error.what()};
  }
}

data read(const options& options) {
  data result;
  result.logits = read_logits(options.logits, options.has_header);
  if (!options.labels.empty()) {
    result.labels = read_labels(options.labels, result.logits.rows(), result.logits.columns, options.has_header);
  }
  if (!options.ood.empty()) {
    result.ood = read_logits(options.ood, options.has_header);
    if (result.ood.columns != result.logits.columns) {
      refuse(options.ood, "rows of ", result.ood.columns, " classes, ", options.logits, " has ", result.logits.columns);
    }
  }
  const bool hold_logits = options.policy.input == chaff::form::logits;
  result.warnings = warnings_about(result.logits, options.logits, hold_logits);
  if (result.ood.rows() > 0) {
    const std::vector<std::string> more = warnings_about(result.ood, options.ood, hold_logits);
    result.warnings.insert(result.warnings.end(), more.begin(), more.end());
  }
  for (const std::string& warning : result.warnings) std::fprintf(stderr, "audit: warning: %s\n", warning.c_str());
  return result;
}

/// Audits detection by account. `has_defense` says that the files hold logits, which the gate of --defense scores.
void run_accounts(const options& options, bool has_defense) {
  const std::string score = has_defense ? scoring_gate(options.defense) : "given";
  const auto read_scores = [&](const std::string& path) {
    const table rows = read_logits(path, options.has_header);
    if (has_defense) {
      for (const std::string& warning : warnings_about(rows, path, options.policy.input == chaff::form::logits)) {
        std::fprintf(stderr, "audit: warning: %s\n", warning.c_str());
      }
    }
    return scores_of(rows, path, score, options.policy);
  };
  const std::vector<double> benign = read_scores(options.logits), suspects = read_scores(options.accounts.suspects);
  const account_finding found = audit_accounts(benign, suspects, options.accounts, score);
  std::printf("chaff %d.%d.%d, %zu benign scores, %zu suspect scores, %d orders of these\n\n", CHAFF_VERSION_MAJOR,
              CHAFF_VERSION_MINOR, CHAFF_VERSION_PATCH, found.benign, found.suspects, found.orders);
  print(stdout, found, options.accounts.monitor);
  finish_standard_output();
  const nlohmann::ordered_json figures = json_of(found, options.accounts.monitor);
  if (!options.csv.empty()) write_file(options.csv, [&](std::ostream& file) { write_csv(file, figures); });
  if (!options.json.empty()) write_file(options.json, [&](std::ostream& file) { file << figures.dump(2) << "\n"; });
}

void run(const options& options) {
  audited_defenses defenses = read_defenses(options.defense);
  const data data = read(options);
  std::vector<finding> findings;
  std::optional<finding> advice_finding;
  std::string too_few_rows;
  {
    progress progress_line(!options.is_quiet);
    const advice advised = run_calibrate(defenses.texts[0], options, data, progress_line);
    too_few_rows = advised.too_few_rows;
    // an energy is on the scale of the model's logits, so no threshold suits every model
    if (defenses.needs_tau) {
      if (advised.defense.empty())
        throw std::runtime_error("no tau for the energy gate, and none from calibrate: " +
                                 (too_few_rows.empty() ? "it is not run for random_vertex" : too_few_rows));
      const double tau = number_in(advised.defense, "tau");
      for (std::string& text : defenses.texts) text = with_value(text, "tau", tau);
      std::fprintf(stderr, "audit: no tau for the energy gate, so calibrate's is taken: %g\n", tau);
    }
    const last_layer undefended = undefended_last_layer(data, options.policy);
    for (const std::string& text : defenses.texts) {
      progress_line.report("setting %zu of %zu", findings.size() + 1, defenses.texts.size());
      findings.push_back(measure(text, data, options.policy, undefended));
    }
    if (!advised.defense.empty()) advice_finding = measure(advised.defense, data, options.policy, undefended);
  }
  std::printf("chaff %d.%d.%d, %zu rows of %zu classes%s", CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR,
              CHAFF_VERSION_PATCH, data.logits.rows(), data.logits.columns, data.labels.empty() ? ", no labels" : "");
  if (data.ood.rows() > 0) std::printf(", %zu OOD queries", data.ood.rows());
  std::printf("\n%s: %s\n", options.logits.c_str(), data.logits.format.c_str());
  if (data.ood.rows() > 0) std::printf("%s: %s\n", options.ood.c_str(), data.ood.format.c_str());
  if (!options.policy_text.empty()) std::printf("%s\n", to_string(options.policy).c_str());
  std::printf("\n");
  findings.size() == 1 ? print(stdout, findings[0]) : print(stdout, findings);
  if (advice_finding) {
    const chaff::utility_budget& budget = options.budget;
    std::printf(
        "\nParameters that calibrate chose, for at most %g %% of rows perturbed, mean L1 %g, %g %% label changes, ECE "
        "+ %g, "
        "each with %g standard errors of room:\n",
        100 * budget.perturbed, budget.l1, 100 * budget.label_changes, budget.ece_increase, budget.sigmas);
    print(stdout, *advice_finding);
  }
  if (!too_few_rows.empty()) std::printf("\nno advice: %s\n", too_few_rows.c_str());
  finish_standard_output();

  if (!options.csv.empty()) write_file(options.csv, [&](std::ostream& file) { write_csv(file, findings); });
  if (!options.json.empty()) {
    nlohmann::ordered_json whole{
        {"rows", data.logits.rows()}, {"classes", data.logits.columns}, {"ood_rows", data.ood.rows()}};
    whole["policy"] = to_string(options.policy);
    for (const finding& one : findings) whole["findings"].push_back(json_of(one));
    whole["advice"] = advice_finding ? json_of(*advice_finding) : nlohmann::ordered_json();
    if (!too_few_rows.empty()) whole["no_advice"] = too_few_rows;
    if (!data.warnings.empty()) whole["warnings"] = data.warnings;
    // a file's name may be no UTF-8
    const std::string text = whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    write_file(options.json, [&](std::ostream& file) { file << text << "\n"; });
  }
  if (!options.svg.empty()) {
    const std::filesystem::path folder(options.svg);
    std::filesystem::create_directories(folder);
    const std::vector<float> posteriors = undefended_answers(data.logits, options.policy);
    const std::vector<float> answers =
        answer(chaff::parse_defense(findings.back().defense), data.logits, options.policy);
    draw_confidence(folder / "confidence.svg", posteriors, answers, data.logits.columns);
    if (!data.labels.empty()) {
      draw_reliability(folder / "reliability.svg", posteriors, answers, data.logits.columns, data.labels);
    }
    if (findings.size() > 1) draw_l1(folder / "l1.svg", defenses.parameter, defenses.values, findings);
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // writing to what has closed is an error like any other
  options options;
  CLI::App app("What a defense of chaff does to answers, from logits alone, and which parameters a budget allows.",
               "audit");
  app.add_option("logits", options.logits, "CSV or NPY, a row for each input, a column for each class")->required();
  CLI::Option* const labels = app.add_option("--labels", options.labels, "CSV or NPY of true labels, counted from 0");
  CLI::Option* const ood =
      app.add_option("--ood", options.ood, "logits of out-of-distribution inputs, such as attackers send");
  app.add_flag("--header", options.has_header, "the first line of CSV files names the columns");
  app.add_option(
         "--defense", options.defense,
         "its text, such as \"dcp(beta=1.2) | rounded(decimals=3)\"; one number may be a range, from:to:step. An "
         "energy gate without a tau gets calibrate's")
      ->capture_default_str();
  app.add_option("--policy", options.policy_text, "such as \"label_margin=0.011, input=probabilities\"");
  chaff::utility_budget& budget = options.budget;
  app.add_option("--budget-perturbed", budget.perturbed, "advice: share of benign users' answers that may be perturbed")
      ->capture_default_str();
  app.add_option("--budget-l1", budget.l1, "advice: their mean L1")->capture_default_str();
  app.add_option("--budget-label-changes", budget.label_changes, "advice: share of their labels that may change")
      ->capture_default_str();
  app.add_option("--budget-ece-increase", budget.ece_increase,
                 "advice: increase of their calibration error; needs --labels")
      ->capture_default_str();
  app.add_option("--sigmas", budget.sigmas, "advice: standard errors of sampling left as room")->capture_default_str();
  app.add_option("--max-beta", budget.max_beta, "advice: the largest beta")->capture_default_str();
  app.add_option("--csv", options.csv, "file to write the figures to");
  app.add_option("--json", options.json, "file to write the figures and the advice to");
  CLI::Option* const svg = app.add_option("--svg", options.svg, "folder to write charts to; needs gnuplot");
  app.add_option("--accounts", options.accounts.suspects,
                 "audit detection by account instead: a file of suspect queries. Both files hold scores, one a line, "
                 "low where suspicious; or logits, where --defense is given and its gate scores them")
      ->excludes(labels)
      ->excludes(ood)
      ->excludes(svg);
  chaff::monitor_options& monitor = options.accounts.monitor;
  app.add_option("--false-alarms", monitor.false_alarms, "accounts: share of benign accounts that may be flagged")
      ->capture_default_str();
  app.add_option("--queries", monitor.queries, "accounts: within so many queries")->capture_default_str();
  app.add_option("--drift", monitor.drift, "accounts: what each query takes from the evidence")->capture_default_str();
  app.add_option("--orders", options.accounts.orders, "accounts: orders of the suspect queries that are tried")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_flag("--quiet", options.is_quiet, "no progress");
  try {
    app.parse(count, arguments);
    options.policy = chaff::parse_policy(options.policy_text);
    if (options.policy.answer != chaff::form::probabilities) {
      throw std::invalid_argument("--policy: answers are audited as probabilities, so leave out answer");
    }
    options.accounts.suspects.empty() ? run(options) : run_accounts(options, app.count("--defense") > 0);
    return 0;
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    if (std::cout.flush()) return status;
    std::fprintf(stderr, "audit: standard output cannot be written\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "audit: %s\n", error.what());
    return 1;
  }
}
