// SPDX-License-Identifier: MIT
/// Runs the lab's jobs in a few processes, each with a lab and a thread of its own.
#ifndef CHAFF_BENCHMARKS_STEALING_LAB_WORKERS_HPP
#define CHAFF_BENCHMARKS_STEALING_LAB_WORKERS_HPP

#include <chrono>
#include <optional>
#include <vector>

#include "lab.hpp"
#include "workers.hpp"

class lab_workers {
 public:
  /// hours: after which no new job is begun; 0 for no limit.
  lab_workers(lab_setup setup, int processes, double hours)
      : setup_(std::move(setup)), processes_(processes), hours_(hours) {}

  /// Calls run(lab, job, done) for each job; done counts those that are finished. One thread for each process: they
  /// share the machine better, and a clone does not depend on their number.
  template <class Job, class Run>
  void run(const std::vector<Job>& jobs, Run run) const {
    std::optional<lab> own;  // a process's, once it is forked
    run_in_processes(jobs.size(), processes_, [&](std::size_t i, const std::atomic<std::size_t>& done) {
      if (hours_ > 0 && seconds() > 3600 * hours_) return;
      if (!own) {
        at::set_num_threads(1);
        at::globalContext().setQEngine(at::QEngine::QNNPACK);
        own.emplace(setup_);
      }
      run(*own, jobs[i], done);
    });
  }

  /// Since it was made.
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  lab_setup setup_;
  int processes_;
  double hours_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

#endif
