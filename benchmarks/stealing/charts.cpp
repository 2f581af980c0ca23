// SPDX-License-Identifier: MIT
/// Makes of the results what people read: the points of the charts of all rows, and the tables of README.md of those
/// that three seeds or more have tried.
///
/// stealing_charts RESULTS.csv FOLDER [README.md]
/// Writes FOLDER/*.dat for charts.gnuplot, and FOLDER/tables.md. With a README, it exits with 1 where that does not
/// hold every table as it is written here.
#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>

#include "columns.hpp"

namespace {

/// Figures of the same theft from several seeds.
struct spread {
  std::vector<double> values;

  double mean() const {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }

  /// In per cent: the mean, with the standard deviation of the sample.
  std::string text() const {
    double square = 0;
    for (const double v : values) square += (v - mean()) * (v - mean());
    char written[48];
    std::snprintf(written, sizeof written, "%.1f ± %.1f", 100 * mean(),
                  100 * std::sqrt(square / static_cast<double>(values.size() - 1)));
    return written;
  }
};

/// All seeds of one theft: the figures of the first, and the spread of the clones.
struct row {
  result_line first;
  spread clone;
};

std::vector<row> rows_of(const std::vector<result_line>& lines) {
  std::vector<row> all;
  std::map<std::string, std::size_t> place;
  for (const result_line& line : lines) {
    const auto [found, is_new] = place.try_emplace(line.theft(), all.size());
    if (is_new) all.push_back({line, {}});
    all[found->second].clone.values.push_back(line.clone_accuracy);
  }
  return all;
}

std::string format(const char* how, double value) {
  char written[32];
  std::snprintf(written, sizeof written, how, value);
  return written;
}

/// A defense at a strength, as tables name it.
std::string setting_of(const result_line& line) {
  return line.defense + (line.parameters.empty() ? "" : " " + line.parameters) +
         (!line.label_kept && !line.defense.starts_with("misdirect") ? ", label free" : "");
}

/// A line of a chart: a defense, apart for gamma 0.1 and for the label.
std::string line_of(const result_line& line) {
  return line.defense + (line.parameters.find("gamma=0.1") != std::string::npos ? ", gamma 0.1" : "") +
         (!line.label_kept && !line.defense.starts_with("misdirect") ? ", label free" : "");
}

struct scene {
  const char *victim, *queries;
};
/// What the project's README shows, of three seeds each.
const std::set<std::string> quoted{"none",
                                   "label_only",
                                   "dcp beta=0.9 gamma=0.2",
                                   "dcp beta=1.2 gamma=0.2",
                                   "dcp_exact beta=1.2 gamma=0.2",
                                   "dcp_exact beta=1.5 gamma=0.2",
                                   "dcp_energy touched=0.01 beta=1.2 gamma=0.2",
                                   "dcp_energy touched=0.05 beta=1.2 gamma=0.2",
                                   "dcp beta=1.2 gamma=0.2, label free",
                                   "adaptive_misinformation tau=0.99",
                                   "misdirect_energy touched=0.005",
                                   "misdirect_energy touched=0.01"};

constexpr scene scenes[]{{"mnist", "fashion_mnist"}, {"fashion_mnist", "fashion_mnist"}, {"glyphs", "glyphs"}};

bool is_knockoff(const result_line& line, const scene& where, const char* thief) {
  return line.victim == where.victim && line.queries == where.queries && line.precision == "float32" &&
         line.attack == "knockoff" && line.variant == "random" && line.thief == thief;
}

/// Points by line, blocks that gnuplot reads by index, each under its name; returns how many. Of the label-only thief
/// those defenses alone that change labels: he is the same under all others.
std::size_t write_chart(const std::filesystem::path& path, const std::vector<row>& rows, const scene& where,
                        const char* thief, const std::function<double(const result_line&)>& x) {
  const bool labels = std::string(thief) == "label_only";
  std::map<std::string, std::vector<std::pair<double, double>>> lines;
  for (const row& one : rows) {
    if (is_knockoff(one.first, where, thief) && one.first.defense != "none" && !(labels && one.first.label_kept)) {
      lines[line_of(one.first) + (labels ? ", label-only thief" : "")].push_back(
          {x(one.first), 100 * one.clone.mean()});
    }
  }
  std::ofstream file(path);
  for (auto& [name, points] : lines) {
    std::sort(points.begin(), points.end());
    file << "\"" << name << "\"\n";
    for (const auto& [at, clone] : points) file << at << ' ' << clone << '\n';
    file << "\n\n";
  }
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return lines.size();
}

/// What charts.gnuplot reads of a scene: how many lines there are, and a clone's accuracy where nothing is defended, by
/// the answers and by the labels alone.
void write_scene(const std::filesystem::path& folder, const std::vector<row>& rows, const scene& where) {
  const std::string name = where.victim;
  const auto l1 = [](const result_line& line) { return line.l1_test; };
  const auto lost = [](const result_line& line) { return 100 * (line.victim_accuracy - line.defended_accuracy); };
  std::ofstream file(folder / (name + ".gp"));
  write_chart(folder / (name + "_l1.dat"), rows, where, "naive", l1);
  file << "lines = " << write_chart(folder / (name + "_lost.dat"), rows, where, "naive", lost) << '\n';
  file << "labels = " << write_chart(folder / (name + "_lost_labels.dat"), rows, where, "label_only", lost) << '\n';
  for (const row& one : rows) {
    for (const char* thief : {"naive", "label_only"}) {
      if (one.first.defense == "none" && is_knockoff(one.first, where, thief)) {
        file << thief << " = " << 100 * one.clone.mean() << '\n';
      }
    }
  }
}

/// Tables of Markdown, a heading each.
class tables {
 public:
  explicit tables(const std::vector<row>& rows) : rows_(rows) {}

  /// Clones of the naive thief under every defense.
  void naive() {
    for (const scene& where : scenes) {
      begin(std::string(where.victim) + " asked with " + where.queries + ": every defense, the naive thief");
      line({"defense", "accuracy of answers, %", "L1 on test", "L1 on queries", "ECE on test", "clone, %"});
      line({"---", "---", "---", "---", "---", "---"});
      for (const row& one : rows_) {
        if (is_knockoff(one.first, where, "naive")) {
          line({setting_of(one.first), format("%.2f", 100 * one.first.defended_accuracy),
                format("%.3f", one.first.l1_test), format("%.3f", one.first.l1_queries),
                format("%.3f", one.first.ece_test), one.clone.text()});
        }
      }
    }
  }

  /// A column a thief.
  void thieves() {
    for (const scene& where : scenes) {
      if (std::string(where.victim) == "glyphs") continue;
      begin(std::string(where.victim) + " asked with " + where.queries + ": every thief, clones in %");
      line({"defense", "accuracy of answers, %", "naive", "label_only", "restoring, network", "restoring, table",
            "averaging"});
      line({"---", "---", "---", "---", "---", "---", "---"});
      for (const row& one : rows_) {
        if (!is_knockoff(one.first, where, "averaging")) continue;
        line({setting_of(one.first), format("%.2f", 100 * one.first.defended_accuracy), clone_of(one, "naive", ""),
              clone_of(one, "label_only", ""), clone_of(one, "restoring", "network"),
              clone_of(one, "restoring", "table"), one.clone.text()});
      }
    }
  }

  void data_free() {
    begin("mnist without images, clones in %");
    line({"defense", "dfme", "maze", "queries"});
    line({"---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.attack != "dfme") continue;
      result_line other = one.first;
      other.attack = "maze";
      line({setting_of(one.first), one.clone.text(), clone_of(other), std::to_string(one.first.queries_spent)});
    }
  }

  void int8() {
    begin("mnist in int8, asked with fashion_mnist, clones in %");
    line({"defense", "quantised", "accuracy of answers, %", "L1 on test", "naive", "label_only", "restoring, network",
          "restoring, table"});
    line({"---", "---", "---", "---", "---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.precision != "int8" || one.first.thief != "naive") continue;
      line({setting_of(one.first), one.first.variant, format("%.2f", 100 * one.first.defended_accuracy),
            format("%.3f", one.first.l1_test), one.clone.text(), clone_of(one, "label_only", ""),
            clone_of(one, "restoring", "network"), clone_of(one, "restoring", "table")});
    }
  }

  void adaptive() {
    begin("mnist asked with fashion_mnist, images chosen by a reward, clones in %");
    line({"defense", "random", "certainty", "diversity", "loss", "all"});
    line({"---", "---", "---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.variant != "certainty") continue;
      std::vector<std::string> cells{setting_of(one.first)};
      for (const char* variant : {"random", "certainty", "diversity", "loss", "all"}) {
        result_line other = one.first;
        other.variant = variant;
        cells.push_back(clone_of(other));
      }
      line(cells);
    }
  }

  void strange() {
    begin("fashion_mnist asked with mnist, the naive thief");
    line({"defense", "accuracy of answers, %", "L1 on queries", "clone, %"});
    line({"---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.victim == "fashion_mnist" && one.first.queries == "mnist") {
        line({setting_of(one.first), format("%.2f", 100 * one.first.defended_accuracy),
              format("%.3f", one.first.l1_queries), one.clone.text()});
      }
    }
  }

  const std::string& text() {
    drop_empty();
    return text_;
  }

  /// The few rows that the project's README shows: MNIST asked with Fashion-MNIST.
  std::string summary() {
    tables few(rows_);
    few.line({"answers", "accuracy, %", "mean L1", "ECE", "copy from the answers, %", "copy from the labels, %"});
    few.line({"---", "---", "---", "---", "---", "---"});
    for (const row& one : rows_) {
      const std::string name = setting_of(one.first), labels = clone_of(one, "label_only", "");
      if (!is_knockoff(one.first, scenes[0], "naive") || !quoted.contains(name)) continue;
      few.line({name, format("%.2f", 100 * one.first.defended_accuracy), format("%.2f", one.first.l1_test),
                format("%.3f", one.first.ece_test), one.clone.text(), labels});
    }
    return few.text_;
  }

 private:
  /// A table of which no row is there yet is left out.
  void begin(const std::string& heading) {
    drop_empty();
    start_ = text_.size();
    lines_ = 0;
    text_ += (text_.empty() ? "### " : "\n### ") + heading + "\n\n";
  }

  void drop_empty() {
    if (lines_ <= 2) text_.resize(start_);
  }

  void line(const std::vector<std::string>& cells) {
    ++lines_;
    for (const std::string& cell : cells) text_ += "| " + cell + ' ';
    text_ += "|\n";
  }

  std::string clone_of(const result_line& wanted) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const row& each) { return each.first.theft() == wanted.theft(); });
    return found == rows_.end() ? "" : found->clone.text();
  }

  std::string clone_of(const row& like, const char* thief, const char* restored_by) const {
    result_line wanted = like.first;
    wanted.thief = thief;
    wanted.restored_by = restored_by;
    return clone_of(wanted);
  }

  const std::vector<row>& rows_;
  std::string text_;
  std::size_t start_ = 0;  // of the last table, and how many lines it has: two are its head
  int lines_ = 0;
};

/// Whether a README has these tables between its marks; they are written there first, if wanted.
bool holds(const char* path, const std::string& wanted, bool write) {
  const std::string begin = "<!-- tables of the lab -->\n\n", end = "\n<!-- end of the tables -->";
  std::ifstream file(path);
  std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::size_t from = readme.find(begin), to = readme.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    throw std::runtime_error(std::string(path) + " has no marks where the tables stand");
  }
  const std::size_t first = from + begin.size();
  if (readme.substr(first, to - first) == wanted) return true;
  if (!write) {
    std::cerr << path << " shows other tables than these:\n" << wanted;
    return false;
  }
  std::ofstream(path) << readme.replace(first, to - first, wanted);
  return true;
}

int run(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: stealing_charts RESULTS.csv FOLDER [LAB_README.md README.md [write]]\n";
    return 2;
  }
  const std::vector<row> rows = rows_of(results_of(arguments[1]));
  const std::filesystem::path folder = arguments[2];
  std::filesystem::create_directories(folder);
  for (const scene& where : scenes) write_scene(folder, rows, where);
  std::vector<row> told;  // what rests on one seed stays in the charts
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(told),
               [](const row& one) { return one.clone.values.size() >= 3; });
  tables all(told);
  all.thieves();
  all.naive();
  all.data_free();
  all.int8();
  all.adaptive();
  all.strange();
  std::ofstream(folder / "tables.md") << all.text();
  if (count < 5) return 0;
  const bool write = count > 5 && std::string(arguments[5]) == "write";
  const bool whole = holds(arguments[3], all.text(), write), few = holds(arguments[4], all.summary(), write);
  return whole && few ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "stealing_charts: " << error.what() << '\n';
    return 1;
  }
}
