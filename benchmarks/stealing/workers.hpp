// SPDX-License-Identifier: MIT
/// Runs many independent jobs in a few processes.
#ifndef CHAFF_BENCHMARKS_STEALING_WORKERS_HPP
#define CHAFF_BENCHMARKS_STEALING_WORKERS_HPP

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

/// Counts that all processes see.
struct shared_counts {
  std::atomic<std::size_t> begun = 0, done = 0;
};

/// Calls job(i, done) for each i in [0, count), in `processes` processes of their own; done counts those that are
/// finished, in all of them. Each process takes the next job when it has done one. The caller must not have started
/// threads; where it is killed, so are they. Raises std::runtime_error where a job raised, after all others are done:
/// it is said on stderr.
template <class Job>
void run_in_processes(std::size_t count, int processes, Job job) {
  void* memory = ::mmap(nullptr, sizeof(shared_counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory to share");
  auto* counts = new (memory) shared_counts;
  std::fflush(nullptr);
  std::vector<pid_t> started;
  const pid_t caller = ::getpid();
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("cannot start a process");
    if (child > 0) {
      started.push_back(child);
      continue;
    }
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != caller) ::_exit(1);
    int failed = 0;
    for (std::size_t next; (next = counts->begun++) < count;) {
      try {
        job(next, counts->done);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "stealing: job %zu: %s\n", next, error.what());
        failed = 1;
      }
      ++counts->done;
    }
    std::fflush(nullptr);
    ::_exit(failed);
  }
  bool failed = false;
  for (const pid_t child : started) {
    int status = 0;
    ::waitpid(child, &status, 0);
    failed |= status != 0;
  }
  counts->~shared_counts();
  ::munmap(memory, sizeof(shared_counts));
  if (failed) throw std::runtime_error("not all jobs were done; the same command again does the rest");
}

#endif
