// SPDX-License-Identifier: MIT
/// How well response times reveal the gate: rows with a closed and with an open gate are timed in turns, with and
/// without policy.constant_time_gate, where half of the gates are open and where few are. Output, printed and in the
/// CSV: medians in nanoseconds, and the AUROC of a guess by a threshold on the time, which is the fraction of pairs of
/// a closed and an open row in which the open one took longer (ties count half). It is 1 where a single response
/// reveals the gate, and 1/2 where time reveals nothing. `auroc_floor` is the AUROC of closed rows against other closed
/// rows, which shows how far noise moves it. Usage: gate_timing [--csv FILE] [--pairs N]
#include <algorithm>
#include <chaff/chaff.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

template <class Call>
double nanoseconds(Call call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// The fraction of pairs (a, b) with b the larger, which is the area under the ROC curve of a threshold.
double auroc(std::vector<double> a, const std::vector<double>& b) {
  std::sort(a.begin(), a.end());
  double sum = 0;
  for (const double time : b) {
    const auto [low, high] = std::equal_range(a.begin(), a.end(), time);
    sum += static_cast<double>((low - a.begin()) + (high - a.begin())) / 2;
  }
  return sum / (static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

struct timings {
  std::vector<double> closed, closed_again, open, open_again;
};

/// Logits of deviation 2, with one class's raised until it has that confidence.
std::vector<float> row_of_confidence(std::size_t classes, double confidence, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> draw(0, 2);
  std::vector<float> z(classes);
  double others = 0;
  for (float& value : z) others += std::exp(static_cast<double>(value = static_cast<float>(draw(random))));
  const std::size_t label = random() % classes;
  others -= std::exp(static_cast<double>(z[label]));
  z[label] = static_cast<float>(std::log(others * confidence / (1 - confidence)));
  return z;
}

/// Rows that differ in nothing but on which side of tau = 0.9 their label is, `open_share` of them where the gate is
/// open; none is there twice, so that a processor cannot know the frequent ones by heart.
timings time_by_turns(std::size_t classes, const chaff::policy& policy, double open_share, int pairs) {
  constexpr unsigned rows = 32;
  std::vector<float> z(classes), y(classes);
  std::minstd_rand quick(1);
  const auto answer = [&](const std::vector<float>& row) {
    const auto from = row.begin() + static_cast<std::ptrdiff_t>(quick() % classes);
    std::rotate_copy(row.begin(), from, row.end(), z.begin());  // each from the same memory
    for (float& value : z) value += static_cast<float>(quick() % 1024) * 1e-4f;
    return nanoseconds([&] { chaff::apply(chaff::dcp{}, z, y, policy); });
  };
  std::vector<std::vector<float>> closed_rows, open_rows;
  for (unsigned i = 0; i < rows; ++i) {
    closed_rows.push_back(row_of_confidence(classes, 0.97, i));
    open_rows.push_back(row_of_confidence(classes, 0.80, i));
  }
  timings found;
  // by chance, so that no neighbour's rhythm falls in with the turns
  std::mt19937 random(1);
  std::vector<double>* const lists[] = {&found.closed, &found.closed_again, &found.open, &found.open_again};
  const int turns = static_cast<int>(2 * pairs / open_share);
  for (int i = -1000; i < turns; ++i) {
    const bool open = static_cast<double>(random() % 1024) < 1024 * open_share;
    const double time = answer((open ? open_rows : closed_rows)[random() % rows]);
    if (i >= 0) lists[2 * static_cast<int>(open) + static_cast<int>(random() % 2)]->push_back(time);
  }
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  int pairs = 20000;
  std::string csv;
  for (int i = 1; i + 1 < count; i += 2) {
    if (std::strcmp(arguments[i], "--csv") == 0) csv = arguments[i + 1];
    if (std::strcmp(arguments[i], "--pairs") == 0) pairs = std::max(100, std::atoi(arguments[i + 1]));
  }
  std::FILE* const file = csv.empty() ? nullptr : std::fopen(csv.c_str(), "w");
  if (!csv.empty() && file == nullptr) return std::perror(csv.c_str()), 1;
  if (file != nullptr) std::fputs("classes,open_share,constant_time_gate,closed_ns,open_ns,auroc,auroc_floor\n", file);
  std::puts("classes  open share  constant_time_gate  closed ns  open ns  auroc  floor");
  for (const std::size_t classes : {10u, 100u, 1000u}) {
    for (const double share : {0.5, 0.03125}) {
      for (const bool constant : {false, true}) {
        const timings found = time_by_turns(classes, {.constant_time_gate = constant}, share, pairs);
        const double closed = median(found.closed), open = median(found.open);
        const double by_gate = auroc(found.closed, found.open), by_noise = auroc(found.closed, found.closed_again);
        std::printf("%7zu  %10.3f  %18s  %9.0f  %7.0f  %5.3f  %5.3f\n", classes, share, constant ? "on" : "off", closed,
                    open, by_gate, by_noise);
        if (file != nullptr) {
          std::fprintf(file, "%zu,%g,%d,%.0f,%.0f,%.3f,%.3f\n", classes, share, constant, closed, open, by_gate,
                       by_noise);
        }
      }
    }
  }
  if (file != nullptr && std::fclose(file) != 0) return std::perror(csv.c_str()), 1;
}
