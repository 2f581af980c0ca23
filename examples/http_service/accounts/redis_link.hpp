// SPDX-License-Identifier: MIT
/// One connection to Redis that many threads share, and that never keeps one waiting for long.
#ifndef CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_LINK_HPP
#define CHAFF_EXAMPLES_HTTP_SERVICE_ACCOUNTS_REDIS_LINK_HPP

#include <sys/eventfd.h>
#include <unistd.h>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "accounts/redis_connection.hpp"

namespace service {

/// How long Redis may take.
struct redis_patience {
  std::chrono::milliseconds connect{500};         ///< for a connection, its password, and the preparation that follows
  std::chrono::milliseconds command{100};         ///< for a reply; no call waits longer
  std::chrono::milliseconds idle{5000};           ///< after this time without a command, the link sends one
  std::chrono::milliseconds first_pause{100};     ///< before the next attempt; doubled after each that fails,
  std::chrono::milliseconds longest_pause{2000};  ///< up to this
};

/// A thread of its own connects, sends, receives, and connects again after any failure. A call while there is no
/// connection fails at once (this is the circuit breaker); no call connects. A reply that is late, or that no call
/// waits for, ends the connection. A command that failed may or may not have been executed.
class redis_link {
 public:
  using clock = redis_connection::clock;

  /// Runs a command within the connect patience of a new connection.
  using runner = std::function<std::optional<redis_reply>(const redis_command&)>;

  /// `prepare` is called with each new connection, in the link's thread, and returns whether it can be used.
  redis_link(redis_address address, const redis_patience& patience, std::function<bool(const runner&)> prepare)
      : address_(std::move(address)),
        patience_(patience),
        prepare_(std::move(prepare)),
        wake_(eventfd(0, EFD_NONBLOCK)) {
    if (wake_ < 0) throw std::runtime_error("no event descriptor is left");
    thread_ = std::jthread([this](std::stop_token stop) { keep_connected(stop); });
  }
  ~redis_link() {
    thread_.request_stop();
    wake();
    thread_.join();
    close(wake_);
  }
  redis_link(const redis_link&) = delete;
  redis_link& operator=(const redis_link&) = delete;

  bool is_up() const { return is_up_; }
  std::uint64_t outages() const { return outages_; }

  /// The reply to a command, or nothing if there is no connection or none arrived in time.
  std::optional<redis_reply> call(const redis_command& command, clock::time_point deadline) {
    const auto waiting = std::make_shared<call_state>(bytes_of(command), deadline);
    std::unique_lock lock(mutex_);
    if (!is_up_) return std::nullopt;
    unsent_.push_back(waiting);
    wake();
    // the link's thread ends late calls too, but may be late itself on a busy machine
    waiting->changed.wait_until(lock, deadline, [&] { return waiting->is_done; });
    return std::move(waiting->reply);
  }

  /// Ends the connection, whose replies are of no use, and pauses before the next one.
  void drop() {
    const std::scoped_lock lock(mutex_);
    is_dropped_ = true;
    wake();
  }

  /// Says that a connection was of use: the pause before the next one starts from its shortest again.
  void confirm() { pause_is_short_ = true; }

  /// Waits until there is a connection or the time is up; returns whether there is one.
  bool wait_until_up(std::chrono::milliseconds time, std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, stop, time, [&] { return is_up_.load(); });
  }

 private:
  struct call_state {
    call_state(std::string command, clock::time_point last) : bytes(std::move(command)), deadline(last) {}

    std::string bytes;
    clock::time_point deadline;
    bool is_done = false;
    std::condition_variable changed;
    std::optional<redis_reply> reply;

    void finish() {
      is_done = true;
      changed.notify_one();
    }
  };
  using calls = std::deque<std::shared_ptr<call_state>>;

  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
  }

  /// The link's thread.
  void keep_connected(const std::stop_token& stop) {
    auto pause = patience_.first_pause;
    bool has_said_down = false;
    while (!stop.stop_requested()) {
      const char* why = nullptr;
      {
        redis_connection connected(address_, wake_);
        why = prepare(connected, stop);
        if (!why) {
          if (has_said_down) std::fprintf(stderr, "http_service: Redis is back\n");
          has_said_down = false;
          set_up(true);
          why = serve(connected, stop);
          set_up(false);
        }
      }
      if (stop.stop_requested()) return;
      if (!has_said_down)
        std::fprintf(
            stderr, "http_service: Redis is unreachable (%s); this process keeps the evidence until it answers again\n",
            why);
      has_said_down = true;
      if (pause_is_short_.exchange(false)) pause = patience_.first_pause;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, pause, [] { return false; });
      pause = std::min(2 * pause, patience_.longest_pause);
    }
  }

  void set_up(bool is_up) {
    const std::scoped_lock lock(mutex_);
    is_up_ = is_up;
    is_dropped_ = false;
    if (is_up) {
      changed_.notify_all();
      return;
    }
    ++outages_;
    for (calls* each : {&unsent_, &unanswered_}) {
      for (const auto& call : *each) call->finish();
      each->clear();
    }
  }

  /// Makes a new connection ready for calls; returns why it cannot, or null.
  const char* prepare(redis_connection& connected, const std::stop_token& stop) {
    const auto deadline = clock::now() + patience_.connect;
    const runner run = [&](const redis_command& command) { return connected.run(command, deadline, stop); };
    const auto succeeds = [&](const redis_command& command) {
      const auto reply = run(command);
      return reply && !reply->is_error;
    };
    const auto why = [&](const char* failed) { return connected.has_answered() ? failed : "it cannot be reached"; };
    if (!connected.is_open()) return why("");
    if (!address_.password.empty()) {
      redis_command login{"AUTH", address_.user, address_.password};
      if (address_.user.empty()) login.erase(login.begin() + 1);
      if (!succeeds(login)) return why("it refuses the password");
    }
    if (address_.database != 0 && !succeeds({"SELECT", std::to_string(address_.database)}))
      return why("it does not have the database");
    return prepare_(run) ? nullptr : why("it does not run the script");
  }

  /// Sends and receives until the connection ends; returns why it did.
  const char* serve(redis_connection& connected, const std::stop_token& stop) {
    auto next_check = clock::now() + patience_.idle;
    for (;;) {
      auto deadline = next_check;
      {
        const std::scoped_lock lock(mutex_);
        if (stop.stop_requested()) return "the service ends";
        if (is_dropped_) return "its replies cannot be used";
        // nobody else would notice that a firewall has forgotten the connection, until a query waits for it
        if (unsent_.empty() && unanswered_.empty() && clock::now() >= next_check) {
          unsent_.push_back(std::make_shared<call_state>(bytes_of({"PING"}), clock::now() + patience_.command));
        }
        for (; !unsent_.empty(); unsent_.pop_front()) {
          const auto& call = unsent_.front();
          if (!connected.append(call->bytes)) return "no memory is left";
          unanswered_.push_back(call);
        }
        if (!unanswered_.empty()) deadline = unanswered_.front()->deadline;
      }
      if (!connected.transfer(deadline)) return "the connection ended";
      for (;;) {
        std::optional<redis_reply> reply;
        if (!connected.take_reply(reply)) return "its replies make no sense";
        const std::scoped_lock lock(mutex_);
        if (!reply) {
          if (!unanswered_.empty() && unanswered_.front()->deadline <= clock::now())
            return "it does not answer in time";
          break;
        }
        if (unanswered_.empty()) return "its replies make no sense";
        unanswered_.front()->reply = std::move(reply);
        unanswered_.front()->finish();
        unanswered_.pop_front();
        next_check = clock::now() + patience_.idle;
      }
    }
  }

  redis_address address_;
  redis_patience patience_;
  std::function<bool(const runner&)> prepare_;

  std::mutex mutex_;
  std::condition_variable_any changed_;  ///< a connection was made
  calls unsent_, unanswered_;
  bool is_dropped_ = false;
  std::atomic<bool> is_up_{false}, pause_is_short_{false};
  std::atomic<std::uint64_t> outages_{0};
  int wake_;
  std::jthread thread_;
};

}  // namespace service

#endif
