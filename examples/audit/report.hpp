// SPDX-License-Identifier: MIT
/// What the audit found, as text, CSV and JSON.
#ifndef CHAFF_EXAMPLES_AUDIT_REPORT_HPP
#define CHAFF_EXAMPLES_AUDIT_REPORT_HPP

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "last_layer.hpp"
#include "undo.hpp"

namespace audit {

/// What was measured for one defense.
struct finding {
  std::string defense;  ///< its canonical text
  chaff::utility benign;
  std::optional<chaff::utility> ood;  ///< where OOD queries were given
  table_attack attack;
  last_layer layer_before, layer;  ///< what shows of the last hidden layer, before and after the defense
};

/// A column of the report: its name, and its value in a finding, NaN where there is none.
struct figure {
  const char* name;
  double (*value)(const finding&);
};

inline double ood_figure(const finding& one, double chaff::utility::*member) {
  return one.ood ? (*one.ood).*member : std::nan("");
}

/// The width that shows before the defense, and that shows after it, too.
inline double width_before(const finding& one) {
  return one.layer_before.width ? static_cast<double>(*one.layer_before.width) : std::nan("");
}
inline double width_after(const finding& one) {
  return shows_width(one.layer, one.layer_before) ? width_before(one) : std::nan("");
}

inline constexpr figure figures[] = {
    {"accuracy_before", [](const finding& f) { return f.benign.undefended.accuracy; }},
    {"accuracy", [](const finding& f) { return f.benign.defended.accuracy; }},
    {"label_changes", [](const finding& f) { return f.benign.label_changes; }},
    {"perturbed", [](const finding& f) { return f.benign.perturbed; }},
    {"l1", [](const finding& f) { return f.benign.l1; }},
    {"ece_before", [](const finding& f) { return f.benign.undefended.ece; }},
    {"ece", [](const finding& f) { return f.benign.defended.ece; }},
    {"auroc_before", [](const finding& f) { return f.benign.undefended.auroc; }},
    {"auroc", [](const finding& f) { return f.benign.defended.auroc; }},
    {"ood_label_changes", [](const finding& f) { return ood_figure(f, &chaff::utility::label_changes); }},
    {"ood_perturbed", [](const finding& f) { return ood_figure(f, &chaff::utility::perturbed); }},
    {"ood_l1", [](const finding& f) { return ood_figure(f, &chaff::utility::l1); }},
    {"undo_rows", [](const finding& f) { return static_cast<double>(f.attack.rows); }},
    {"undo_answered_l1", [](const finding& f) { return f.attack.answered; }},
    {"undo_restored_l1", [](const finding& f) { return f.attack.restored; }},
    {"undo_by_label_l1", [](const finding& f) { return f.attack.by_label; }},
    {"last_layer_width_before", width_before},
    {"last_layer_width", width_after},
    {"last_layer_drop_before", [](const finding& f) { return f.layer_before.drop; }},
    {"last_layer_drop", [](const finding& f) { return f.layer.drop; }},
};

/// Prints one finding, a line for each figure.
inline void print(std::FILE* out, const finding& one) {
  const chaff::utility::against_labels &undefended = one.benign.undefended, &defended = one.benign.defended;
  const auto line = [&](const char* name, double before, double after, double scale, const char* unit) {
    if (std::isnan(after)) return;
    std::fprintf(out, "%-44s", name);
    std::isnan(before) ? static_cast<void>(std::fprintf(out, "%12s", ""))
                       : static_cast<void>(std::fprintf(out, "%10.4f%-2s", before * scale, unit));
    std::fprintf(out, "%10.4f%s\n", after * scale, unit);
  };
  const double none = std::nan("");
  std::fprintf(out, "%s\n%-44s%12s%12s\n", one.defense.c_str(), "", "before", "after");
  line("accuracy", undefended.accuracy, defended.accuracy, 100, "%");
  line("label changes", none, one.benign.label_changes, 100, "%");
  line("rows perturbed", none, one.benign.perturbed, 100, "%");
  line("mean L1 from the posterior", none, one.benign.l1, 1, "");
  line("expected calibration error", undefended.ece, defended.ece, 1, "");
  line("AUROC of the confidence, correct over wrong", undefended.auroc, defended.auroc, 1, "");
  if (one.ood) {
    line("OOD queries: label changes", none, one.ood->label_changes, 100, "%");
    line("OOD queries: rows perturbed", none, one.ood->perturbed, 100, "%");
    line("OOD queries: mean L1", none, one.ood->l1, 1, "");
  }
  if (std::isnan(one.attack.restored)) {
    std::fprintf(out, "lookup-table attack: %zu perturbed responses are too few to measure it\n", one.attack.rows);
  } else {
    line("perturbed responses: mean L1", none, one.attack.answered, 1, "");
    line("  after a lookup-table attack", none, one.attack.restored, 1, "");
    line("  as guessed from the label alone", none, one.attack.by_label, 1, "");
  }
  const auto words = [&](const char* name, const std::string& before, const std::string& after) {
    std::fprintf(out, "%-44s%12s%12s\n", name, before.c_str(), after.c_str());
  };
  const last_layer &layer_before = one.layer_before, &layer = one.layer;
  const auto drop_text = [](const last_layer& found) { return found.drop_after == 0 ? "-" : factor_text(found.drop); };
  words("largest drop of singular values", drop_text(layer_before), drop_text(layer));
  words("  after so many of them", std::to_string(layer_before.drop_after), std::to_string(layer.drop_after));
  std::fprintf(out, "before: %s\nafter: %s\n", verdict_on(layer_before).c_str(),
               verdict_on(layer, layer_before).c_str());
}

/// Prints several findings, a line for each, with the defense last. "width" is that of the last hidden layer, where it
/// can be read off the answers.
inline void print(std::FILE* out, const std::vector<finding>& all) {
  std::fprintf(out, "%9s %8s %9s %8s %8s %8s %8s %9s %9s %6s  defense\n", "accuracy", "changes", "perturbed", "L1",
               "ECE", "AUROC", "OOD", "restored", "by label", "width");
  std::fprintf(out, "%9s %8s %9s %8s %8s %8s %8s %9s %9s %6s\n", "%", "%", "%", "mean", "", "", "L1", "L1", "L1", "");
  for (const finding& one : all) {
    const auto cell = [&](double value, int width, int decimals) {
      std::isnan(value) ? static_cast<void>(std::fprintf(out, "%*s ", width, "-"))
                        : static_cast<void>(std::fprintf(out, "%*.*f ", width, decimals, value));
    };
    cell(100 * one.benign.defended.accuracy, 9, 2);
    cell(100 * one.benign.label_changes, 8, 2);
    cell(100 * one.benign.perturbed, 9, 2);
    cell(one.benign.l1, 8, 4);
    cell(one.benign.defended.ece, 8, 4);
    cell(one.benign.defended.auroc, 8, 4);
    cell(ood_figure(one, &chaff::utility::l1), 8, 4);
    cell(one.attack.restored, 9, 4);
    cell(one.attack.by_label, 9, 4);
    cell(width_after(one), 6, 0);
    std::fprintf(out, " %s\n", one.defense.c_str());
  }
}

/// Writes a line of names, then a line for each finding. A figure that does not exist is left empty.
inline void write_csv(std::ostream& out, const std::vector<finding>& all) {
  out << "defense";
  for (const figure& column : figures) out << "," << column.name;
  out << "\n";
  for (const finding& one : all) {
    out << '"' << one.defense << '"';  // it has commas, and no quotes
    for (const figure& column : figures) {
      out << ",";
      if (const double value = column.value(one); !std::isnan(value)) out << value;
    }
    out << "\n";
  }
}

inline nlohmann::ordered_json json_of(const last_layer& found, const std::string& verdict) {
  return {{"verdict", verdict},
          {"rows", found.rows},
          {"classes", found.classes},
          {"share", 1.0 / static_cast<double>(found.share)},
          {"drop_after", found.drop_after},
          {"singular_values", found.singular_values}};
}

inline nlohmann::ordered_json json_of(const finding& one) {
  nlohmann::ordered_json object{{"defense", one.defense}};
  for (const figure& column : figures) {
    const double value = column.value(one);
    object[column.name] = std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
  }
  object["last_layer_before"] = json_of(one.layer_before, verdict_on(one.layer_before));
  object["last_layer"] = json_of(one.layer, verdict_on(one.layer, one.layer_before));
  return object;
}

}  // namespace audit

#endif
