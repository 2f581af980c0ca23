// SPDX-License-Identifier: MIT
/// Audits a defense on logits, without the model: what it costs benign users, what it does to OOD queries, what an
/// attacker with a table recovers, and which parameters a budget allows. See README.md.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>

#include "charts.hpp"
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
  std::string betas;
  bool has_header = false, is_quiet = false;
  chaff::utility_budget budget{.perturbed = 0.05};
  settings setting;
};

struct data {
  table logits;
  std::vector<int> labels;
  table ood;
  std::vector<std::string> warnings;  ///< what is suspicious about the files

  chaff::calibration_data<float> for_calibration() const { return {logits.values, logits.columns, labels, ood.values}; }
};

/// Parses 0.9, or 0.3,0.6,0.9, or 0.3:1.5:0.1 (from, to, step).
std::vector<double> parse_betas(const std::string& text) {
  std::vector<double> values;
  const bool is_range = text.find(':') != text.npos;
  for (const std::string& part : CLI::detail::split(text, is_range ? ':' : ',')) {
    double value = 0;
    if (!CLI::detail::lexical_cast(part, value)) throw CLI::ValidationError("--beta", "'" + part + "' is no number");
    if (!(value >= 0 && value <= 1000)) throw CLI::ValidationError("--beta", part + " is not in [0, 1000]");
    values.push_back(value);
  }
  if (!is_range) return values;
  if (values.size() != 3 || !(values[2] > 0) || !(values[1] >= values[0]) ||
      (values[1] - values[0]) / values[2] > 1000) {
    throw CLI::ValidationError("--beta", "a range is from:to:step, of at most 1000 steps");
  }
  std::vector<double> betas;
  const auto steps = static_cast<int>((values[1] - values[0]) / values[2] + 1e-9);
  for (int i = 0; i <= steps; ++i) betas.push_back(values[0] + i * values[2]);
  return betas;
}

/// Answers all rows under a setting.
std::vector<float> answer(const settings& setting, const table& logits) {
  std::vector<float> answers(logits.values.size());
  setting.with_defense(
      [&](const auto& defense) { chaff::apply_rows(defense, logits.values, logits.columns, answers, setting.policy); });
  return answers;
}

/// The posteriors of all rows: the answers of `none`.
std::vector<float> undefended_answers(const settings& setting, const table& logits) {
  settings none;
  none.defense = "none";
  none.policy.input = setting.policy.input;
  return answer(none, logits);
}

finding measure(const settings& setting, const data& data) {
  const std::size_t classes = data.logits.columns;
  std::vector<float> answers = answer(setting, data.logits), posteriors = undefended_answers(setting, data.logits);
  finding result{setting, chaff::utility_of(answers, posteriors, classes, data.labels), std::nullopt, {}};
  if (data.ood.rows() > 0) {
    const std::vector<float> ood_answers = answer(setting, data.ood);
    const std::vector<float> ood_posteriors = undefended_answers(setting, data.ood);
    result.ood = chaff::utility_of(ood_answers, ood_posteriors, classes);
    answers.insert(answers.end(), ood_answers.begin(), ood_answers.end());
    posteriors.insert(posteriors.end(), ood_posteriors.begin(), ood_posteriors.end());
  }
  result.attack = attack_by_table(answers, posteriors, classes);
  return result;
}

/// The setting that calibrate chooses.
settings calibrated_setting(const options& options, const data& data, const chaff::utility_budget& budget,
                            progress& progress_line) {
  settings setting = options.setting;
  int tries = 0;
  options.setting.with_gated_defense([&](const auto& defense) {
    const auto calibrated = chaff::calibrate(data.for_calibration(), budget, defense, options.setting.policy,
                                             [&] { progress_line.report("calibrate: %d settings tried", ++tries); });
    setting.tau = calibrated.tau;
    if (options.setting.has_beta()) setting.beta = calibrated.beta;
  });
  return setting;
}

/// The advice: a setting, or the reason why the rows are too few for one; neither for a defense without a gate.
struct advice {
  std::optional<settings> setting;
  std::string too_few_rows;
};

/// Raises what calibrate raises for any other reason than too few rows.
advice ask_calibrate(const options& options, const data& data, progress& progress_line) {
  if (!options.setting.has_gate()) return {};
  try {
    return {calibrated_setting(options, data, options.budget, progress_line), ""};
  } catch (const std::invalid_argument& error) {
    // too few rows are too few for the room that the budget leaves, and enough without room
    chaff::utility_budget without_room = options.budget;
    without_room.sigmas = 0;
    if (!(options.budget.sigmas > 0)) throw;
    calibrated_setting(options, data, without_room, progress_line);
    return {std::nullopt, error.what()};
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
  const bool hold_logits = options.setting.policy.input == chaff::form::logits;
  result.warnings = warnings_about(result.logits, options.logits, hold_logits);
  if (result.ood.rows() > 0) {
    const std::vector<std::string> more = warnings_about(result.ood, options.ood, hold_logits);
    result.warnings.insert(result.warnings.end(), more.begin(), more.end());
  }
  for (const std::string& warning : result.warnings) std::fprintf(stderr, "audit: warning: %s\n", warning.c_str());
  return result;
}

void run(options& options) {
  const std::vector<double> betas = parse_betas(options.betas);
  const data data = read(options);
  std::vector<finding> findings;
  std::optional<finding> advice_finding;
  std::string too_few_rows;
  std::vector<finding> chart_findings;
  {
    progress progress_line(!options.is_quiet);
    const auto [advised_setting, reason] = ask_calibrate(options, data, progress_line);
    too_few_rows = reason;
    // an energy is on the scale of the model's logits, so no threshold suits every model
    if (options.setting.has_gate() && options.setting.gate == "energy" && !options.setting.tau) {
      if (!advised_setting)
        throw std::runtime_error("no --tau for the energy gate, and none from calibrate: " + reason);
      options.setting.tau = advised_setting->tau;
      std::fprintf(stderr, "audit: no --tau for the energy gate, so calibrate's is taken: %g\n", *options.setting.tau);
    }
    const auto measure_all = [&](const std::vector<double>& some_betas, std::vector<finding>& results) {
      for (const double beta : some_betas) {
        progress_line.report("beta %g, setting %zu of %zu", beta, results.size() + 1, some_betas.size());
        settings setting = options.setting;
        setting.beta = beta;
        results.push_back(measure(setting, data));
      }
    };
    measure_all(betas, findings);
    if (advised_setting) advice_finding = measure(*advised_setting, data);
    if (!options.svg.empty() && options.setting.has_beta()) {
      betas.size() > 1 ? static_cast<void>(chart_findings = findings)
                       : measure_all(parse_betas("0:1.5:0.1"), chart_findings);
    }
  }
  std::printf("chaff %d.%d.%d, %zu rows of %zu classes%s", CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR,
              CHAFF_VERSION_PATCH, data.logits.rows(), data.logits.columns, data.labels.empty() ? ", no labels" : "");
  if (data.ood.rows() > 0) std::printf(", %zu OOD queries", data.ood.rows());
  std::printf("\n%s: %s\n", options.logits.c_str(), data.logits.format.c_str());
  if (data.ood.rows() > 0) std::printf("%s: %s\n", options.ood.c_str(), data.ood.format.c_str());
  std::printf("\n");
  findings.size() == 1 ? print(stdout, findings[0]) : print(stdout, findings);
  if (advice_finding) {
    const chaff::utility_budget& budget = options.budget;
    std::printf(
        "\ncalibrate advises, for at most %g %% of answers perturbed, L1 %g, %g %% label changes, ECE + %g, with %g "
        "standard errors of room:\n",
        100 * budget.perturbed, budget.l1, 100 * budget.label_changes, budget.ece_increase, budget.sigmas);
    print(stdout, *advice_finding);
  }
  if (!too_few_rows.empty()) std::printf("\nno advice: %s\n", too_few_rows.c_str());
  finish_standard_output();

  if (!options.csv.empty()) write_file(options.csv, [&](std::ostream& file) { write_csv(file, findings); });
  if (!options.json.empty()) {
    nlohmann::ordered_json whole{
        {"rows", data.logits.rows()}, {"classes", data.logits.columns}, {"ood_rows", data.ood.rows()}};
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
    const settings& last = findings.back().setting;
    const std::vector<float> posteriors = undefended_answers(last, data.logits), answers = answer(last, data.logits);
    draw_confidence(folder / "confidence.svg", posteriors, answers, data.logits.columns);
    if (!data.labels.empty()) {
      draw_reliability(folder / "reliability.svg", posteriors, answers, data.logits.columns, data.labels);
    }
    if (!chart_findings.empty()) draw_l1(folder / "l1.svg", chart_findings);
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // writing to what has closed is an error like any other
  options options;
  options.betas = "0.9";
  CLI::App app("What a defense of chaff does to answers, from logits alone, and which parameters a budget allows.",
               "audit");
  app.add_option("logits", options.logits, "CSV or NPY, a row for each input, a column for each class")->required();
  app.add_option("--labels", options.labels, "CSV or NPY of true labels, counted from 0");
  app.add_option("--ood", options.ood, "logits of out-of-distribution inputs, such as attackers send");
  app.add_flag("--header", options.has_header, "the first line of CSV files names the columns");
  settings& setting = options.setting;
  app.add_option("--defense", setting.defense, "")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "dcp", "reverse_sigmoid", "misdirect"}));
  app.add_option("--gate", setting.gate, "what dcp and misdirect stand behind")
      ->capture_default_str()
      ->check(CLI::IsMember({"confidence", "energy"}));
  app.add_option("--beta", options.betas, "strength: one, some (0.3,0.6), or a range (0.1:1.5:0.1)")
      ->capture_default_str();
  app.add_option("--gamma", setting.gamma, "")->capture_default_str();
  app.add_option(
      "--tau", setting.tau,
      "the gate's threshold; where none is given, beta for dcp, 0.9 for misdirect, and calibrate's for an energy gate");
  app.add_option("--nu", setting.nu, "the gate's steepness")->capture_default_str();
  app.add_flag("--exact-odds", setting.exact_odds, "the formula's odds, not the authors' clamped ones");
  app.add_option("--key", setting.key, "32 hexadecimal digits, for misdirect");
  app.add_option("--top-k", setting.reductions.top_k, "then only the k most probable classes");
  app.add_option("--decimals", setting.reductions.decimals, "then rounded to so many decimals");
  app.add_flag("--label-only", setting.reductions.label_only, "then only the label");
  app.add_option("--max-l1", setting.policy.max_l1, "the policy's limit for one answer")->capture_default_str();
  app.add_option("--label-margin", setting.policy.label_margin, "the policy's lead of the label")
      ->capture_default_str();
  bool are_probabilities = false;
  app.add_flag("--probabilities", are_probabilities, "the files hold probabilities, not logits");
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
  app.add_option("--svg", options.svg, "folder to write charts to; needs gnuplot");
  app.add_flag("--quiet", options.is_quiet, "no progress");
  try {
    app.parse(count, arguments);
    if (are_probabilities) setting.policy.input = chaff::form::probabilities;
    if (setting.defense == "misdirect") {
      setting.policy.keep_label = false;
      if (setting.key.empty()) throw CLI::RequiredError("--key");
    }
    run(options);
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
