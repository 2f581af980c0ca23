// SPDX-License-Identifier: MIT
/// Makes tables of the results, and pictures of the configurations that have enough seeds. A file in which none has
/// them, as of a quick run, is drawn nevertheless.
///
/// stealing_charts RESULTS.csv FOLDER [ACCOUNTS.csv LATENCY.csv LAB_README.md README.md [write]]
/// Writes FOLDER/*.gp and FOLDER/pictures.txt for charts.gnuplot, and FOLDER/tables.md. With the other results, the
/// lab's and the project's README, it exits with 1 where the one has other tables or either has other figures.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "account_tables.hpp"
#include "decision.hpp"
#include "latency_table.hpp"
#include "markdown_tables.hpp"
#include "picture.hpp"
#include "readme_figures.hpp"

namespace {

/// The defenses of the DCP paper, ModelGuard, and others of the library, in the table of every attack and network.
constexpr const char* compared_settings[]{"none",
                                          "reverse_sigmoid(beta=0.9, rule=exact)",
                                          pictured::misinformation,
                                          pictured::mad,
                                          "gradient_redirection(epsilon=1)",
                                          "random_vertex(epsilon=1)",
                                          pictured::modelguard,
                                          "codebook(epsilon=1)",
                                          pictured::mild_dcp,
                                          "dcp(beta=1.2)",
                                          "dcp(beta=1.2, rule=exact)",
                                          pictured::exact_dcp,
                                          pictured::energy,
                                          pictured::misdirect};

/// An attack on a network: a column of that table.
struct compared_column {
  const char *text, *attack;
  const scene* where;
  const char *network, *precision;

  bool has(const result_line& line, const std::string& attacker) const {
    if (attack == std::string("knockoff")) return is_knockoff(line, *where, attacker.c_str(), network, precision);
    return line.attack == attack && line.victim == where->victim && line.attacker == attacker;
  }
};
constexpr compared_column compared_columns[]{
    {"MNIST, LeNet, KnockoffNets", "knockoff", &mnist_scene, "lenet", "float32"},
    {"MNIST, LeNet, DFME", "dfme", &mnist_scene, "lenet", "float32"},
    {"MNIST, LeNet, MAZE", "maze", &mnist_scene, "lenet", "float32"},
    {"MNIST, int8 LeNet, KnockoffNets", "knockoff", &mnist_scene, "lenet", "int8_ptq"},
    {"Fashion-MNIST, LeNet", "knockoff", &fashion_scene, "lenet", "float32"},
    {"Fashion-MNIST, ResNet-18", "knockoff", &fashion_scene, "resnet18", "float32"},
    {"Fashion-MNIST, int8 ResNet-18", "knockoff", &fashion_scene, "resnet18", "int8_ptq"},
    {"glyphs, LeNet", "knockoff", &glyphs_scene, "lenet", "float32"},
    {"glyphs, ResNet-18", "knockoff", &glyphs_scene, "resnet18", "float32"},
    {"glyphs, int8 ResNet-18", "knockoff", &glyphs_scene, "resnet18", "int8_ptq"}};

/// The tables about attacks.
class tables {
 public:
  explicit tables(const std::vector<row>& rows) : rows_(rows) {}

  /// The attacks and the defenses of the DCP paper, and ModelGuard, on a small and a large network, in float and in
  /// int8 (int8_ptq): clones of the naive attacker.
  void every_network() {
    std::vector<std::string> head{"defense"};
    for (const compared_column& each : compared_columns) head.emplace_back(each.text);
    written_.begin("Every attack and network, naive attacker: accuracy of clones, %", head);
    for (const char* setting : compared_settings) {
      every_network(cell_of(setting), setting, "naive");
      if (setting == std::string("none")) every_network("labels alone", setting, "label_only");
    }
  }

  /// What recipes of training are worth to attackers of undefended victims. `lines` has all recipes.
  void recipes(const std::vector<result_line>& lines) {
    std::vector<std::string> head{"victim", "attacker"};
    std::vector<std::vector<row>> of_recipe;
    for (const char* recipe : {"short", "long", "augmented", "rotations"}) {
      head.push_back(recipe);
      of_recipe.push_back(rows_of(lines, recipe));
    }
    written_.begin("Recipes of training, without a defense: accuracy of clones, %", head);
    for (const scene& where : scenes) {
      for (const char* attacker : {"naive", "label_only"}) {
        std::vector<std::string> cells{where.name, attacker};
        for (const std::vector<row>& rows : of_recipe) {
          const row* const found = find_row(rows, where, attacker, "none");
          cells.push_back(found == nullptr ? "-" : found->clone.text());
        }
        if (std::count(cells.begin(), cells.end(), "-") < 3) written_.line(cells);
      }
    }
  }

  /// Clones of the naive attacker under every defense.
  void naive() {
    for (const scene& where : scenes) {
      written_.begin(heading(where) + ": every defense, naive attacker",
                     {"defense", "defended accuracy, %", "L1 on test", "L1 on queries", "ECE on test", "clone, %"});
      for (const row& one : rows_) {
        if (is_knockoff(one.first, where, "naive")) {
          written_.line({cell_of(setting_of(one.first)), format("%.2f", 100 * one.accuracy.mean()),
                         format("%.3f", one.l1.mean()), format("%.3f", one.l1_queries.mean()),
                         format("%.3f", one.ece.mean()), one.clone.text()});
        }
      }
    }
  }

  /// A column for each attacker, where adaptive attackers are recorded.
  void attackers() {
    for (const scene& where : scenes) {
      for (const char* network : {"lenet", "resnet18"}) {
        for (const char* precision : {"float32", "int8_ptq", "int8_qat"}) attackers(where, network, precision);
      }
    }
  }

  void data_free() {
    written_.begin("mnist, data-free attacks: accuracy of clones, %", {"defense", "dfme", "maze"});
    for (const row& one : rows_) {
      if (one.first.attack != "dfme") continue;
      result_line other = one.first;
      other.attack = "maze";
      written_.line({cell_of(setting_of(one.first)), one.clone.text(), clone_of(other)});
    }
  }

  void adaptive() {
    written_.begin("mnist queried with fashion_mnist, images sampled by a reward: accuracy of clones, %",
                   {"defense", "random", "certainty", "diversity", "loss", "all"});
    for (const row& one : rows_) {
      if (one.first.sampling != "certainty") continue;
      std::vector<std::string> cells{cell_of(setting_of(one.first))};
      for (const char* sampling : {"random", "certainty", "diversity", "loss", "all"}) {
        result_line other = one.first;
        other.sampling = sampling;
        cells.push_back(clone_of(other));
      }
      written_.line(cells);
    }
  }

  const std::string& text() { return written_.text(); }

 private:
  void every_network(const std::string& name, const std::string& setting, const char* attacker) {
    std::vector<std::string> cells{name};
    for (const compared_column& column : compared_columns) {
      const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const row& one) {
        return column.has(one.first, attacker) && setting_of(one.first) == setting;
      });
      cells.push_back(found == rows_.end() ? "-" : found->clone.text());
    }
    if (std::count(cells.begin(), cells.end(), "-") < std::ssize(compared_columns)) written_.line(cells);
  }

  void attackers(const scene& where, const char* network, const char* precision) {
    const bool has_adaptive = std::any_of(rows_.begin(), rows_.end(), [&](const row& one) {
      return is_knockoff(one.first, where, "partial_bayes", network, precision);
    });
    if (!has_adaptive) return;
    written_.begin(heading(where) + ", " + network + " in " + precision + ": every attacker, accuracy of clones, %",
                   {"defense", "defended accuracy, %", "L1 on test", "naive", "label-only", "D-DAE", "partial Bayes",
                    "query-averaging"});
    for (const row& one : rows_) {
      if (!is_knockoff(one.first, where, "naive", network, precision)) continue;
      const bool is_none = one.first.defense == "none", keeps_label = one.first.policy.empty();
      if (!is_none && clone_of(one, "partial_bayes") == "-" && clone_of(one, "d_dae") == "-") continue;
      // a defense that keeps the label leaves the clone of the undefended victim's labels
      row labels = one;
      if (keeps_label) labels.first.defense = "none", labels.first.perturbed = "";
      written_.line({cell_of(setting_of(one.first)), format("%.2f", 100 * one.accuracy.mean()),
                     format("%.3f", one.l1.mean()), one.clone.text(), clone_of(labels, "label_only"),
                     clone_of(one, "d_dae"), clone_of(one, "partial_bayes"), clone_of(one, "query_averaging")});
    }
  }

  static std::string heading(const scene& where) {
    return std::string(where.victim) + " queried with " + where.query_data;
  }

  std::string clone_of(const result_line& wanted) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const row& each) {
      return each.first.configuration() == wanted.configuration();
    });
    return found == rows_.end() ? "-" : found->clone.text();
  }

  std::string clone_of(const row& like, const char* attacker) const {
    result_line wanted = like.first;
    wanted.attacker = attacker;
    return clone_of(wanted);
  }

  const std::vector<row>& rows_;
  markdown_tables written_;
};

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) throw std::runtime_error(std::string("cannot read ") + path);
  return text;
}

/// Whether a README has this text between the marks of a name; it is written there first, if wanted.
bool holds(const char* path, const std::string& name, const std::string& wanted, bool write) {
  const std::string begin = "<!-- " + name + " -->\n\n", end = "\n<!-- end of " + name + " -->";
  std::string readme = text_of(path);
  const std::size_t from = readme.find(begin), to = readme.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from + begin.size()) {
    throw std::runtime_error(std::string(path) + " has no marks of " + name);
  }
  const std::size_t first = from + begin.size();
  if (readme.substr(first, to - first) == wanted) return true;
  if (!write) {
    std::cerr << path << " shows other text for " << name << " than this:\n" << wanted;
    return false;
  }
  std::ofstream(path) << readme.replace(first, to - first, wanted);
  return true;
}

/// Prints what a README lacks. Returns whether it lacks nothing.
bool has_all(const char* path, const std::string& lacks) {
  if (!lacks.empty()) std::cerr << path << ":\n" << lacks;
  return lacks.empty();
}

/// Writes what charts.gnuplot draws: a file for each scene, and their names.
void draw(const std::filesystem::path& folder, const std::vector<row>& rows) {
  std::ofstream names(folder / "pictures.txt");
  for (const scene& where : scenes) {
    const std::optional<pictured_scene> found = scene_of(rows, where);
    if (!found) continue;
    std::ofstream(folder / (std::string(where.victim) + ".gp")) << picture(where, *found).commands();
    names << where.victim << '\n';
  }
  if (!names) throw std::runtime_error("cannot write to " + folder.string());
}

int run(int count, char** arguments) {
  const bool has_readmes = count == 7 || count == 8, write = count == 8 && std::string(arguments[7]) == "write";
  if ((count != 3 && !has_readmes) || (count == 8 && !write)) {
    std::cerr
        << "usage: stealing_charts RESULTS.csv FOLDER [ACCOUNTS.csv LATENCY.csv LAB_README.md README.md [write]]\n";
    return 2;
  }
  const std::vector<result_line> lines = lines_of<result_line>(arguments[1]);
  const std::filesystem::path folder = arguments[2];
  std::filesystem::create_directories(folder);
  const std::vector<row> any = rows_of(lines, pictured_training), shown = with_enough_seeds(any);
  const bool has_scene = std::any_of(std::begin(scenes), std::end(scenes),
                                     [&](const scene& where) { return scene_of(shown, where).has_value(); });
  draw(folder, has_scene ? shown : any);
  tables all(any);
  all.every_network();
  all.recipes(lines);
  all.attackers();
  all.naive();
  all.data_free();
  all.adaptive();
  std::ofstream(folder / "tables.md") << all.text();
  if (!has_readmes) return 0;
  const char *const of_lab = arguments[5], *const of_project = arguments[6];
  const std::string about_accounts = account_tables(lines_of<account_line>(arguments[3])).text(),
                    about_latency = latency_table(lines_of<latency_line>(arguments[4])),
                    decided = decision(shown).text();
  const bool has_tables = holds(of_lab, "the tables", all.text() + '\n' + about_accounts, write);
  const bool has_decision = holds(of_lab, "the decision", decided, write);
  const bool has_latency = holds(of_lab, "the latency", about_latency, write);
  const std::string unknown = unknown_figures(text_of(of_lab), all.text() + decided, about_accounts, about_latency);
  const bool has_sentences = has_all(of_lab, unknown);
  const bool has_figures = has_all(of_project, readme_figures(shown).missing_in(text_of(of_project)));
  return has_tables && has_decision && has_latency && has_sentences && has_figures ? 0 : 1;
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
