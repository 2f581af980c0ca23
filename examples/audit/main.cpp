// SPDX-License-Identifier: MIT
/// Audits a defense on logits, without the model: what it costs customers, what it does to strangers, what a table
/// restores, and which parameters a budget allows. See README.md.
#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>

#include "charts.hpp"
#include "read.hpp"

namespace {

using namespace audit;

/// A line on standard error, at most four times a second.
class progress {
 public:
  explicit progress(bool is_shown) : is_shown_(is_shown) {}
  ~progress() {
    if (was_shown_) std::fputs("\r\x1b[K", stderr);
  }
  template <class... Values>
  void say(const char* format, Values... values) {
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
  std::string logits, labels, strange, csv, json, svg;
  std::string betas;
  bool has_header = false, is_quiet = false, exact = false, label_only = false;
  chaff::budget allowed{.touched = 0.05};
  settings used;
};

struct data {
  table logits;
  std::vector<int> truth;
  table strange;

  chaff::held_out<float> held_out() const { return {logits.values, logits.columns, truth, strange.values}; }
};

/// 0.9, or 0.3,0.6,0.9, or 0.3:1.5:0.1 (from, to, step).
std::vector<double> betas_of(const std::string& text) {
  std::vector<double> found;
  const bool is_range = text.find(':') != text.npos;
  for (const std::string& part : CLI::detail::split(text, is_range ? ':' : ',')) {
    double value = 0;
    if (!CLI::detail::lexical_cast(part, value)) throw CLI::ValidationError("--beta", "'" + part + "' is no number");
    if (!(value >= 0 && value <= 1000)) throw CLI::ValidationError("--beta", part + " is not in [0, 1000]");
    found.push_back(value);
  }
  if (!is_range) return found;
  if (found.size() != 3 || !(found[2] > 0) || !(found[1] >= found[0]) || (found[1] - found[0]) / found[2] > 1000) {
    throw CLI::ValidationError("--beta", "a range is from:to:step, of at most 1000 steps");
  }
  std::vector<double> all;
  const auto steps = static_cast<int>((found[1] - found[0]) / found[2] + 1e-9);
  for (int i = 0; i <= steps; ++i) all.push_back(found[0] + i * found[2]);
  return all;
}

/// The answers to all rows; the posteriors are those of `none`.
std::vector<float> answers_of(const settings& used, const table& logits) {
  std::vector<float> answers(logits.values.size());
  used.with_defense(
      [&](const auto& defense) { chaff::apply_rows(defense, logits.values, logits.columns, answers, used.promised); });
  return answers;
}
std::vector<float> posteriors_of(const settings& used, const table& logits) {
  settings none;
  none.defense = "none";
  none.promised.input = used.promised.input;
  return answers_of(none, logits);
}

finding find(const settings& used, const data& all) {
  const std::size_t classes = all.logits.columns;
  std::vector<float> answers = answers_of(used, all.logits), posteriors = posteriors_of(used, all.logits);
  finding found{used, chaff::effect_of(answers, posteriors, classes, all.truth), std::nullopt, {}};
  if (all.strange.rows() > 0) {
    const std::vector<float> strange = answers_of(used, all.strange), theirs = posteriors_of(used, all.strange);
    found.strangers = chaff::effect_of(strange, theirs, classes);
    answers.insert(answers.end(), strange.begin(), strange.end());
    posteriors.insert(posteriors.end(), theirs.begin(), theirs.end());
  }
  found.undo = undo(answers, posteriors, classes);
  return found;
}

/// The settings that calibrate advises; none for a defense without a gate.
std::optional<settings> advice(const options& asked, const data& all, progress& told) {
  if (!asked.used.has_gate()) return std::nullopt;
  settings advised = asked.used;
  int tries = 0;
  asked.used.with_defense([&](const auto& defense) {
    if constexpr (chaff::threshold_gate<std::remove_cvref_t<decltype(chaff::parts_of(defense).gate)>>) {
      const auto found = chaff::calibrate(all.held_out(), asked.allowed, defense, asked.used.promised,
                                          [&] { told.say("calibrate: %d settings tried", ++tries); });
      advised.tau = found.tau;
      if (asked.used.has_beta()) advised.beta = found.beta;
    }
  });
  return advised;
}

data read(const options& asked) {
  data all;
  all.logits = read_logits(asked.logits, asked.has_header);
  if (!asked.labels.empty()) {
    all.truth = read_labels(asked.labels, all.logits.rows(), all.logits.columns, asked.has_header);
  }
  if (!asked.strange.empty()) {
    all.strange = read_logits(asked.strange, asked.has_header);
    if (all.strange.columns != all.logits.columns) {
      refuse(asked.strange, "rows of ", all.strange.columns, " classes, ", asked.logits, " has ", all.logits.columns);
    }
  }
  return all;
}

void run(options& asked) {
  const std::vector<double> betas = betas_of(asked.betas);
  const data all = read(asked);
  std::vector<finding> findings;
  std::optional<finding> advised;
  std::vector<finding> drawn;
  {
    progress told(!asked.is_quiet);
    const auto settings_advised = advice(asked, all, told);
    // an energy is in the model's own units, so there is no threshold that suits all
    const bool takes_advice = asked.used.has_gate() && asked.used.gate == "energy" && !asked.used.tau;
    if (takes_advice) {
      asked.used.tau = settings_advised->tau;
      std::fprintf(stderr, "audit: no --tau for the energy gate, so calibrate's is taken: %g\n", *asked.used.tau);
    }
    const auto find_all = [&](const std::vector<double>& of_betas, std::vector<finding>& found) {
      for (const double beta : of_betas) {
        told.say("beta %g, setting %zu of %zu", beta, found.size() + 1, of_betas.size());
        settings one = asked.used;
        one.beta = beta;
        found.push_back(find(one, all));
      }
    };
    find_all(betas, findings);
    if (settings_advised) advised = find(*settings_advised, all);
    if (!asked.svg.empty() && asked.used.has_beta()) {
      betas.size() > 1 ? static_cast<void>(drawn = findings) : find_all(betas_of("0:1.5:0.1"), drawn);
    }
  }
  std::printf("chaff %d.%d.%d, %zu rows of %zu classes%s", CHAFF_VERSION_MAJOR, CHAFF_VERSION_MINOR,
              CHAFF_VERSION_PATCH, all.logits.rows(), all.logits.columns, all.truth.empty() ? ", no labels" : "");
  if (all.strange.rows() > 0) std::printf(", %zu strange queries", all.strange.rows());
  std::printf("\n\n");
  findings.size() == 1 ? print(stdout, findings[0]) : print(stdout, findings);
  if (advised) {
    std::printf(
        "\ncalibrate advises, for at most %g %% of answers touched, L1 %g, %g %% of labels changed, ECE + %g, each by "
        "%g "
        "standard errors:\n",
        100 * asked.allowed.touched, asked.allowed.l1, 100 * asked.allowed.changed, asked.allowed.calibration_error,
        asked.allowed.sigmas);
    print(stdout, *advised);
  }

  const auto open = [](const std::string& path) {
    std::ofstream file(path);
    if (!file) refuse(path, "cannot be written");
    return file;
  };
  if (!asked.csv.empty()) {
    std::ofstream file = open(asked.csv);
    write_csv(file, findings);
  }
  if (!asked.json.empty()) {
    nlohmann::ordered_json whole{
        {"rows", all.logits.rows()}, {"classes", all.logits.columns}, {"strange_rows", all.strange.rows()}};
    for (const finding& one : findings) whole["findings"].push_back(json_of(one));
    whole["advice"] = advised ? json_of(*advised) : nlohmann::ordered_json();
    open(asked.json) << whole.dump(2) << "\n";
  }
  if (!asked.svg.empty()) {
    const std::filesystem::path folder(asked.svg);
    std::filesystem::create_directories(folder);
    const settings& last = findings.back().used;
    const std::vector<float> posteriors = posteriors_of(last, all.logits), answers = answers_of(last, all.logits);
    draw_confidence(folder / "confidence.svg", posteriors, answers, all.logits.columns);
    if (!all.truth.empty())
      draw_reliability(folder / "reliability.svg", posteriors, answers, all.logits.columns, all.truth);
    if (!drawn.empty()) draw_l1(folder / "l1.svg", drawn);
  }
}

}  // namespace

int main(int count, char** arguments) {
  options asked;
  asked.betas = "0.9";
  CLI::App app("What a defense of chaff does to answers, from logits alone, and which parameters a budget allows.",
               "audit");
  app.add_option("logits", asked.logits, "CSV or NPY, a row for each input, a column for each class")->required();
  app.add_option("--labels", asked.labels, "CSV or NPY of true labels, counted from 0");
  app.add_option("--strange", asked.strange, "logits of inputs such as a thief sends");
  app.add_flag("--header", asked.has_header, "the first line of CSV files names the columns");
  settings& used = asked.used;
  app.add_option("--defense", used.defense, "")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "dcp", "reverse_sigmoid", "misdirect"}));
  app.add_option("--gate", used.gate, "what dcp and misdirect stand behind")
      ->capture_default_str()
      ->check(CLI::IsMember({"confidence", "energy"}));
  app.add_option("--beta", asked.betas, "strength: one, some (0.3,0.6), or a range (0.1:1.5:0.1)")
      ->capture_default_str();
  app.add_option("--gamma", used.gamma, "")->capture_default_str();
  app.add_option(
      "--tau", used.tau,
      "the gate's threshold; where none is given, beta for dcp, 0.9 for misdirect, and calibrate's for an energy gate");
  app.add_option("--nu", used.nu, "the gate's steepness")->capture_default_str();
  app.add_flag("--exact-odds", used.exact_odds, "the formula's odds, not the authors' clamped ones");
  app.add_option("--key", used.key, "32 hexadecimal digits, for misdirect");
  app.add_option("--top-k", used.reductions.top_k, "then only the k most probable classes");
  app.add_option("--decimals", used.reductions.decimals, "then rounded to so many decimals");
  app.add_flag("--label-only", used.reductions.label_only, "then only the label");
  app.add_option("--max-l1", used.promised.max_l1, "the policy's limit for one answer")->capture_default_str();
  app.add_option("--label-margin", used.promised.label_margin, "the policy's lead of the label")->capture_default_str();
  bool are_probabilities = false;
  app.add_flag("--probabilities", are_probabilities, "the files hold probabilities, not logits");
  chaff::budget& allowed = asked.allowed;
  app.add_option("--budget-touched", allowed.touched, "advice: share of customers' answers that may be touched")
      ->capture_default_str();
  app.add_option("--budget-l1", allowed.l1, "advice: their mean L1")->capture_default_str();
  app.add_option("--budget-changed", allowed.changed, "advice: share of their labels that may change")
      ->capture_default_str();
  app.add_option("--budget-ece", allowed.calibration_error, "advice: rise of their calibration error; needs --labels")
      ->capture_default_str();
  app.add_option("--sigmas", allowed.sigmas, "advice: standard errors of sampling kept free")->capture_default_str();
  app.add_option("--most-beta", allowed.most_beta, "advice: the largest beta")->capture_default_str();
  app.add_option("--csv", asked.csv, "file to write the figures to");
  app.add_option("--json", asked.json, "file to write the figures and the advice to");
  app.add_option("--svg", asked.svg, "folder to write charts to; needs gnuplot");
  app.add_flag("--quiet", asked.is_quiet, "no progress");
  try {
    app.parse(count, arguments);
    if (are_probabilities) used.promised.input = chaff::form::probabilities;
    if (used.defense == "misdirect") {
      used.promised.keep_label = false;
      if (used.key.empty()) throw CLI::RequiredError("--key");
    }
    run(asked);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "audit: %s\n", error.what());
    return 1;
  }
}
