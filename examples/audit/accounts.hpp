// SPDX-License-Identifier: MIT
/// Detection by account: how soon a monitor flags an account that sends suspect queries.
#ifndef CHAFF_EXAMPLES_AUDIT_ACCOUNTS_HPP
#define CHAFF_EXAMPLES_AUDIT_ACCOUNTS_HPP

#include <algorithm>
#include <chaff/monitor.hpp>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "defense_text.hpp"
#include "table.hpp"

namespace audit {

/// The options of an audit of accounts.
struct account_options {
  std::string suspects;  ///< the file of suspect queries; empty for an audit of a defense
  chaff::monitor_options monitor;
  int orders = 1000;
};

/// What was found about accounts that send the suspect queries, each once, in random orders.
struct account_finding {
  std::string score;  ///< the gate that scored the queries, or "given"
  std::size_t benign, suspects;
  double threshold, mean_surprise;
  int orders;
  std::optional<std::size_t> median, percent_95;  ///< queries until so many of the orders are flagged; none: never
  double never_flagged;                           ///< share of the orders
};

/// What scores the queries: "given", where the files hold scores, or the gate that the text of a defense names.
/// Raises std::invalid_argument for a range, and for a defense whose gate has no score.
inline std::string scoring_gate(const std::string& defense) {
  const audited_defenses defenses = read_defenses(defense);
  if (defenses.texts.size() != 1) throw std::invalid_argument("--accounts: --defense is one defense, without a range");
  const std::string& text = defenses.texts[0];
  if (text.find("energy_") != std::string::npos) return "energy_gate";
  if (text.find("dcp(") != std::string::npos || text.find("confidence_gate(") != std::string::npos) {
    return "confidence_gate";
  }
  throw std::invalid_argument(
      "--accounts: " + defense +
      " has no gate with a score; say --defense dcp, energy_dcp, or gated with one of their gates");
}

/// The scores of a file: its one column, or those that a gate gives its logits.
inline std::vector<double> scores_of(const table& rows, const std::string& path, const std::string& score,
                                     const chaff::policy& policy) {
  if (score == "energy_gate") return chaff::gate_scores(chaff::energy_gate{}, rows.values, rows.columns, policy);
  if (score == "confidence_gate") {
    return chaff::gate_scores(chaff::confidence_gate{}, rows.values, rows.columns, policy);
  }
  if (rows.columns != 1) {
    refuse(path, rows.columns, " columns, scores are one; of logits, say which gate scores them: --defense energy_dcp");
  }
  return {rows.values.begin(), rows.values.end()};
}

/// The number of queries in sorted[i] such that the share of the orders is flagged within them.
inline std::optional<std::size_t> quantile(const std::vector<std::size_t>& sorted, std::size_t never, double share) {
  const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size()))) - 1;
  return sorted[index] == never ? std::nullopt : std::optional(sorted[index]);
}

/// Sends the suspect queries in random orders, which depend on their number alone.
inline account_finding audit_accounts(const std::vector<double>& benign, const std::vector<double>& suspects,
                                      const account_options& options, std::string score) {
  const chaff::query_monitor monitor(benign, options.monitor);
  double surprise = 0;
  for (const double suspect : suspects) surprise += monitor.surprise(suspect);
  const std::size_t never = suspects.size() + 1;
  std::vector<std::size_t> queries;
  std::vector<double> order = suspects;
  std::mt19937_64 random(1);
  for (int i = 0; i < options.orders; ++i) {
    for (std::size_t j = order.size(); j > 1; --j) std::swap(order[j - 1], order[random() % j]);
    double evidence = 0;
    std::size_t sent = 0;
    bool is_flagged = false;
    while (!is_flagged && sent < order.size()) is_flagged = monitor.update(evidence, order[sent++]);
    queries.push_back(is_flagged ? sent : never);
  }
  std::sort(queries.begin(), queries.end());
  const auto unflagged = std::count(queries.begin(), queries.end(), never);
  return {std::move(score),
          benign.size(),
          suspects.size(),
          monitor.threshold(),
          surprise / static_cast<double>(suspects.size()),
          options.orders,
          quantile(queries, never, 0.5),
          quantile(queries, never, 0.95),
          static_cast<double>(unflagged) / options.orders};
}

inline void print(std::FILE* out, const account_finding& found, const chaff::monitor_options& options) {
  std::fprintf(out, "score: %s\nat most %g %% of benign accounts flagged within %g queries, drift %g\n",
               found.score.c_str(), 100 * options.false_alarms, options.queries, options.drift);
  const auto line = [&](const char* name, double value) { std::fprintf(out, "%-44s%12.4f\n", name, value); };
  const auto count = [&](const char* name, const std::optional<std::size_t>& queries) {
    queries ? std::fprintf(out, "%-44s%12zu\n", name, *queries) : std::fprintf(out, "%-44s%12s\n", name, "never");
  };
  line("threshold of the evidence", found.threshold);
  line("mean surprise of suspect queries", found.mean_surprise);
  count("queries until flagged: median", found.median);
  count("queries until flagged: 95 %", found.percent_95);
  std::fprintf(out, "%-44s%11.4f%%\n", "random orders that were never flagged", 100 * found.never_flagged);
}

/// The figures under the names that CSV and JSON give them.
inline nlohmann::ordered_json json_of(const account_finding& found, const chaff::monitor_options& options) {
  const auto count = [](const std::optional<std::size_t>& queries) {
    return queries ? nlohmann::ordered_json(*queries) : nlohmann::ordered_json();
  };
  return {{"score", found.score},
          {"benign_scores", found.benign},
          {"suspect_scores", found.suspects},
          {"false_alarms", options.false_alarms},
          {"queries", options.queries},
          {"drift", options.drift},
          {"threshold", found.threshold},
          {"mean_surprise", found.mean_surprise},
          {"orders", found.orders},
          {"flagged_median", count(found.median)},
          {"flagged_95", count(found.percent_95)},
          {"never_flagged", found.never_flagged}};
}

/// Writes a line of names and a line of values. What is never reached is left empty.
inline void write_csv(std::ostream& out, const nlohmann::ordered_json& figures) {
  std::string names, values;
  for (const auto& [name, value] : figures.items()) {
    names += (names.empty() ? "" : ",") + name;
    values += (values.empty() ? "" : ",") + (value.is_null() ? "" : value.dump());
  }
  out << names << "\n" << values << "\n";
}

}  // namespace audit

#endif
