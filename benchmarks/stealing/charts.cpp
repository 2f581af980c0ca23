// SPDX-License-Identifier: MIT
/// Makes charts and tables of the results with clones of short training: the points of the charts from all rows, and
/// the tables of README.md from the configurations that have three seeds or more.
///
/// stealing_charts RESULTS.csv FOLDER [LAB_README.md README.md [write]]
/// Writes FOLDER/*.dat for charts.gnuplot, and FOLDER/tables.md. With the lab's and the project's README, it exits with
/// 1 where the one has other tables or the other has other figures.
#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>

#include "columns.hpp"

namespace {

/// The clones' accuracy of one configuration, a value for each seed.
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

/// All seeds of one configuration: the figures of the first, and the spread of the clones.
struct row {
  result_line first;
  spread clone;
};

/// The configurations whose clones were trained by this recipe.
std::vector<row> rows_of(const std::vector<result_line>& lines, const std::string& training) {
  std::vector<row> all;
  std::map<std::string, std::size_t> place;
  for (const result_line& line : lines) {
    if (line.training != training) continue;
    const auto [found, is_new] = place.try_emplace(line.configuration(), all.size());
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

/// A defense at a strength: what one would type, and how its gate is calibrated.
std::string setting_of(const result_line& line) {
  return line.defense + (line.policy.empty() ? "" : ", " + line.policy) +
         (line.perturbed.empty() ? "" : ", perturbed=" + line.perturbed);
}

/// The setting as code in a cell of a Markdown table.
std::string cell_of(const result_line& line) {
  std::string cell = "`" + setting_of(line) + "`";
  if (const std::size_t at = cell.find('|'); at != std::string::npos) cell.insert(at, 1, '\\');
  return cell;
}

/// The line of a chart that a setting is a point of: its text without the number that is its strength.
std::string line_of(const result_line& line) {
  std::string name = line.defense;
  const std::size_t equals = name.find('=');
  if (line.perturbed.empty() && equals != std::string::npos) {
    name.erase(equals, name.find_first_of(",)", equals) - equals);
  }
  return name + (line.policy.empty() ? "" : ", " + line.policy);
}

struct scene {
  const char *victim, *query_data;
};
/// A row of the table in the project's README: text that identifies its line, and the setting.
struct readme_row {
  const char *mark, *setting;
};
constexpr readme_row readme_rows[]{
    {"`chaff::energy_dcp`", "energy_dcp(beta=1.2), perturbed=0.05"},
    {"`chaff::dcp{.beta = 1.2, .rule = chaff::odds::exact}`", "dcp(beta=1.2, rule=exact)"},
    {"`chaff::none{} \\| chaff::label_only{}`", "none | label_only"},
    {"`chaff::none{}`", "none"}};

constexpr scene scenes[]{{"mnist", "fashion_mnist"}, {"fashion_mnist", "fashion_mnist"}, {"glyphs", "glyphs"}};

bool is_knockoff(const result_line& line, const scene& where, const char* attacker) {
  return line.victim == where.victim && line.query_data == where.query_data && line.precision == "float32" &&
         line.attack == "knockoff" && line.sampling == "random" && line.attacker == attacker;
}

/// Writes the points of a chart, a block for each line under its name, as gnuplot reads them by index. Returns how many
/// lines there are. For the label-only attacker it writes the defenses alone that change labels.
std::size_t write_chart(const std::filesystem::path& path, const std::vector<row>& rows, const scene& where,
                        const char* attacker, const std::function<double(const result_line&)>& x) {
  const bool labels = std::string(attacker) == "label_only";
  std::map<std::string, std::vector<std::pair<double, double>>> lines;
  for (const row& one : rows) {
    if (is_knockoff(one.first, where, attacker) && one.first.defense != "none" &&
        !(labels && one.first.policy.empty())) {
      lines[line_of(one.first) + (labels ? ", label-only attacker" : "")].push_back(
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

/// What charts.gnuplot reads of a scene: how many lines there are, and the clone's accuracy without a defense, from
/// responses and from labels alone.
void write_scene(const std::filesystem::path& folder, const std::vector<row>& rows, const scene& where) {
  const std::string name = where.victim;
  const auto l1 = [](const result_line& line) { return line.l1_test; };
  const auto lost = [](const result_line& line) { return 100 * (line.victim_accuracy - line.defended_accuracy); };
  std::ofstream file(folder / (name + ".gp"));
  write_chart(folder / (name + "_l1.dat"), rows, where, "naive", l1);
  file << "lines = " << write_chart(folder / (name + "_lost.dat"), rows, where, "naive", lost) << '\n';
  file << "labels = " << write_chart(folder / (name + "_lost_labels.dat"), rows, where, "label_only", lost) << '\n';
  for (const row& one : rows) {
    for (const char* attacker : {"naive", "label_only"}) {
      if (one.first.defense == "none" && is_knockoff(one.first, where, attacker)) {
        file << attacker << " = " << 100 * one.clone.mean() << '\n';
      }
    }
  }
}

/// Tables of Markdown, a heading each.
class tables {
 public:
  explicit tables(const std::vector<row>& rows) : rows_(rows) {}

  /// Clones of the naive attacker under every defense.
  void naive() {
    for (const scene& where : scenes) {
      begin(heading(where) + ": every defense, naive attacker");
      line({"defense", "defended accuracy, %", "L1 on test", "L1 on queries", "ECE on test", "clone, %"});
      line({"---", "---", "---", "---", "---", "---"});
      for (const row& one : rows_) {
        if (is_knockoff(one.first, where, "naive")) {
          line({cell_of(one.first), format("%.2f", 100 * one.first.defended_accuracy),
                format("%.3f", one.first.l1_test), format("%.3f", one.first.l1_queries),
                format("%.3f", one.first.ece_test), one.clone.text()});
        }
      }
    }
  }

  /// A column for each attacker.
  void attackers() {
    for (const scene& where : scenes) {
      if (std::string(where.victim) == "glyphs") continue;
      begin(heading(where) + ": every attacker, accuracy of clones, %");
      line({"defense", "defended accuracy, %", "naive", "label-only", "D-DAE", "partial Bayes", "query-averaging"});
      line({"---", "---", "---", "---", "---", "---", "---"});
      for (const row& one : rows_) {
        if (!is_knockoff(one.first, where, "query_averaging")) continue;
        line({cell_of(one.first), format("%.2f", 100 * one.first.defended_accuracy), clone_of(one, "naive"),
              clone_of(one, "label_only"), clone_of(one, "d_dae"), clone_of(one, "partial_bayes"), one.clone.text()});
      }
    }
  }

  void data_free() {
    begin("mnist, data-free attacks: accuracy of clones, %");
    line({"defense", "dfme", "maze", "queries"});
    line({"---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.attack != "dfme") continue;
      result_line other = one.first;
      other.attack = "maze";
      line({cell_of(one.first), one.clone.text(), clone_of(other), std::to_string(one.first.queries)});
    }
  }

  void int8() {
    begin("mnist in int8, queried with fashion_mnist: accuracy of clones, %");
    line({"defense", "precision", "defended accuracy, %", "L1 on test", "naive", "label-only", "D-DAE",
          "partial Bayes"});
    line({"---", "---", "---", "---", "---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (!one.first.precision.starts_with("int8") || one.first.attacker != "naive") continue;
      line({cell_of(one.first), one.first.precision, format("%.2f", 100 * one.first.defended_accuracy),
            format("%.3f", one.first.l1_test), one.clone.text(), clone_of(one, "label_only"), clone_of(one, "d_dae"),
            clone_of(one, "partial_bayes")});
    }
  }

  void adaptive() {
    begin("mnist queried with fashion_mnist, images sampled by a reward: accuracy of clones, %");
    line({"defense", "random", "certainty", "diversity", "loss", "all"});
    line({"---", "---", "---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.sampling != "certainty") continue;
      std::vector<std::string> cells{cell_of(one.first)};
      for (const char* sampling : {"random", "certainty", "diversity", "loss", "all"}) {
        result_line other = one.first;
        other.sampling = sampling;
        cells.push_back(clone_of(other));
      }
      line(cells);
    }
  }

  void other_images() {
    begin("fashion_mnist queried with mnist: naive attacker");
    line({"defense", "defended accuracy, %", "L1 on queries", "clone, %"});
    line({"---", "---", "---", "---"});
    for (const row& one : rows_) {
      if (one.first.victim == "fashion_mnist" && one.first.query_data == "mnist") {
        line({cell_of(one.first), format("%.2f", 100 * one.first.defended_accuracy),
              format("%.3f", one.first.l1_queries), one.clone.text()});
      }
    }
  }

  const std::string& text() {
    drop_empty();
    return text_;
  }

  /// The cells of the project's README: clones of MNIST queried with Fashion-MNIST, by the naive, the best adaptive,
  /// and the label-only attacker, in %.
  std::string readme_cell(const std::string& setting) const {
    for (const row& one : rows_) {
      if (!is_knockoff(one.first, scenes[0], "naive") || setting_of(one.first) != setting) continue;
      const double labels = mean_of(one, "label_only");
      // of one-hot responses, an adaptive attacker recovers the labels
      const bool has_labels_alone = one.first.defense == "none | label_only";
      const double adaptive =
          has_labels_alone ? labels : std::max(mean_of(one, "d_dae"), mean_of(one, "partial_bayes"));
      return format("| %.0f |", 100 * one.clone.mean()) + format(" %.0f |", 100 * adaptive) +
             format(" %.0f |", 100 * labels);
    }
    throw std::runtime_error("no row of three seeds for " + setting);
  }

 private:
  static std::string heading(const scene& where) {
    return std::string(where.victim) + " queried with " + where.query_data;
  }

  /// Begins a table, which is left out if it stays without rows.
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
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const row& each) {
      return each.first.configuration() == wanted.configuration();
    });
    return found == rows_.end() ? "" : found->clone.text();
  }

  std::string clone_of(const row& like, const char* attacker) const {
    result_line wanted = like.first;
    wanted.attacker = attacker;
    return clone_of(wanted);
  }

  double mean_of(const row& like, const char* attacker) const {
    result_line wanted = like.first;
    wanted.attacker = attacker;
    for (const row& one : rows_) {
      if (one.first.configuration() == wanted.configuration()) return one.clone.mean();
    }
    throw std::runtime_error("no row of three seeds for " + wanted.configuration());
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

/// Whether the lines of the project's README have the clones' figures of these results.
bool has_figures(const char* path, const tables& all) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  bool has_all = true;
  for (const readme_row& row : readme_rows) {
    const std::string cell = all.readme_cell(row.setting);
    const auto is_right = [&](const std::string& line) {
      return line.find(row.mark) < line.find(cell) && line.ends_with(cell);
    };
    if (std::any_of(lines.begin(), lines.end(), is_right)) continue;
    std::cerr << path << ": no line with " << row.mark << " ends in " << cell << '\n';
    has_all = false;
  }
  return has_all;
}

int run(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: stealing_charts RESULTS.csv FOLDER [LAB_README.md README.md [write]]\n";
    return 2;
  }
  const std::vector<row> rows = rows_of(lines_of<result_line>(arguments[1]), "short");
  const std::filesystem::path folder = arguments[2];
  std::filesystem::create_directories(folder);
  for (const scene& where : scenes) write_scene(folder, rows, where);
  std::vector<row> with_spread;  // configurations of one seed stay in the charts
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(with_spread),
               [](const row& one) { return one.clone.values.size() >= 3; });
  tables all(with_spread);
  all.attackers();
  all.naive();
  all.data_free();
  all.int8();
  all.adaptive();
  all.other_images();
  std::ofstream(folder / "tables.md") << all.text();
  if (count < 5) return 0;
  const bool write = count > 5 && std::string(arguments[5]) == "write";
  const bool has_tables = holds(arguments[3], all.text(), write);
  return has_figures(arguments[4], all) && has_tables ? 0 : 1;
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
