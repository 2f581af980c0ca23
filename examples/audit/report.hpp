// SPDX-License-Identifier: MIT
/// What the audit found, as text, CSV and JSON.
#ifndef CHAFF_EXAMPLES_AUDIT_REPORT_HPP
#define CHAFF_EXAMPLES_AUDIT_REPORT_HPP

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <vector>

#include "settings.hpp"
#include "undo.hpp"

namespace audit {

/// The effect of one setting.
struct finding {
  settings used;
  chaff::effect customers;
  std::optional<chaff::effect> strangers;  ///< where strange queries were given
  undone undo;
};

/// A column of the report: its name, and its number in a finding, NaN where there is none.
struct figure {
  const char* name;
  double (*of)(const finding&);
};

inline double of_strangers(const finding& one, double chaff::effect::*which) {
  return one.strangers ? (*one.strangers).*which : std::nan("");
}

inline constexpr figure figures[] = {
    {"beta", [](const finding& f) { return f.used.has_beta() ? f.used.beta : std::nan(""); }},
    {"tau", [](const finding& f) { return f.used.has_gate() ? f.used.threshold() : std::nan(""); }},
    {"accuracy_before", [](const finding& f) { return f.customers.before.accuracy; }},
    {"accuracy", [](const finding& f) { return f.customers.after.accuracy; }},
    {"changed", [](const finding& f) { return f.customers.changed; }},
    {"touched", [](const finding& f) { return f.customers.touched; }},
    {"l1", [](const finding& f) { return f.customers.l1; }},
    {"ece_before", [](const finding& f) { return f.customers.before.calibration_error; }},
    {"ece", [](const finding& f) { return f.customers.after.calibration_error; }},
    {"auroc_before", [](const finding& f) { return f.customers.before.auroc; }},
    {"auroc", [](const finding& f) { return f.customers.after.auroc; }},
    {"strange_changed", [](const finding& f) { return of_strangers(f, &chaff::effect::changed); }},
    {"strange_touched", [](const finding& f) { return of_strangers(f, &chaff::effect::touched); }},
    {"strange_l1", [](const finding& f) { return of_strangers(f, &chaff::effect::l1); }},
    {"undo_rows", [](const finding& f) { return static_cast<double>(f.undo.rows); }},
    {"undo_answered_l1", [](const finding& f) { return f.undo.answered; }},
    {"undo_restored_l1", [](const finding& f) { return f.undo.restored; }},
    {"undo_by_label_l1", [](const finding& f) { return f.undo.by_label; }},
};

/// One setting, in words.
inline void print(std::FILE* out, const finding& one) {
  const auto& [before, after] = std::pair{one.customers.before, one.customers.after};
  const auto line = [&](const char* name, double was, double is, double scale, const char* unit) {
    if (std::isnan(is)) return;
    std::fprintf(out, "%-44s", name);
    std::isnan(was) ? static_cast<void>(std::fprintf(out, "%12s", ""))
                    : static_cast<void>(std::fprintf(out, "%10.4f%-2s", was * scale, unit));
    std::fprintf(out, "%10.4f%s\n", is * scale, unit);
  };
  const double nothing = std::nan("");
  std::fprintf(out, "%s\n%-44s%12s%12s\n", one.used.code().c_str(), "", "before", "after");
  line("accuracy", before.accuracy, after.accuracy, 100, "%");
  line("labels changed", nothing, one.customers.changed, 100, "%");
  line("answers touched", nothing, one.customers.touched, 100, "%");
  line("mean L1 from the posterior", nothing, one.customers.l1, 1, "");
  line("expected calibration error", before.calibration_error, after.calibration_error, 1, "");
  line("AUROC, confidence ranks right before wrong", before.auroc, after.auroc, 1, "");
  if (one.strangers) {
    line("strange queries: labels changed", nothing, one.strangers->changed, 100, "%");
    line("strange queries: answers touched", nothing, one.strangers->touched, 100, "%");
    line("strange queries: mean L1", nothing, one.strangers->l1, 1, "");
  }
  if (std::isnan(one.undo.restored)) {
    std::fprintf(out, "a table to undo it: %zu touched answers are too few to say\n", one.undo.rows);
  } else {
    line("touched answers: mean L1", nothing, one.undo.answered, 1, "");
    line("  after a table has undone them", nothing, one.undo.restored, 1, "");
    line("  guessed from the label alone", nothing, one.undo.by_label, 1, "");
  }
}

/// Several settings, a line each.
inline void print(std::FILE* out, const std::vector<finding>& all) {
  std::fprintf(out, "%8s %8s %9s %8s %8s %8s %8s %8s %8s %9s %9s\n", "beta", "tau", "accuracy", "changed", "touched",
               "L1", "ECE", "AUROC", "strange", "restored", "by label");
  std::fprintf(out, "%8s %8s %9s %8s %8s %8s %8s %8s %8s %9s %9s\n", "", "", "%", "%", "%", "mean", "", "", "L1", "L1",
               "L1");
  for (const finding& one : all) {
    const auto cell = [&](double value, int width, int decimals) {
      std::isnan(value) ? static_cast<void>(std::fprintf(out, "%*s ", width, "-"))
                        : static_cast<void>(std::fprintf(out, "%*.*f ", width, decimals, value));
    };
    cell(figures[0].of(one), 8, 4);
    cell(figures[1].of(one), 8, 4);
    cell(100 * one.customers.after.accuracy, 9, 2);
    cell(100 * one.customers.changed, 8, 2);
    cell(100 * one.customers.touched, 8, 2);
    cell(one.customers.l1, 8, 4);
    cell(one.customers.after.calibration_error, 8, 4);
    cell(one.customers.after.auroc, 8, 4);
    cell(of_strangers(one, &chaff::effect::l1), 8, 4);
    cell(one.undo.restored, 9, 4);
    cell(one.undo.by_label, 9, 4);
    std::fprintf(out, "\n");
  }
}

/// A line of names, then a line a finding; a number that there is not is empty.
inline void write_csv(std::ostream& out, const std::vector<finding>& all) {
  out << "defense,reductions";
  for (const figure& column : figures) out << "," << column.name;
  out << "\n";
  for (const finding& one : all) {
    const chosen_reductions& cut = one.used.reductions;
    out << one.used.defense << "," << (cut.label_only ? "label_only " : "")
        << (cut.top_k > 0 ? "top_k=" + std::to_string(cut.top_k) + " " : "")
        << (cut.decimals >= 0 ? "decimals=" + std::to_string(cut.decimals) : "");
    for (const figure& column : figures) {
      out << ",";
      if (const double value = column.of(one); !std::isnan(value)) out << value;
    }
    out << "\n";
  }
}

inline nlohmann::ordered_json json_of(const finding& one) {
  nlohmann::ordered_json object{{"defense", one.used.code()}};
  for (const figure& column : figures) {
    const double value = column.of(one);
    object[column.name] = std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  }
  return object;
}

}  // namespace audit

#endif
